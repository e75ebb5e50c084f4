import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AccessClaims } from "@vitrine/contracts/auth";
import { freePort } from "@vitrine/kit/testing/postgres";
import { createTestIssuer } from "@vitrine/kit/testing/tokens";
import type { Subprocess } from "bun";
import { eventually } from "@vitrine/kit/testing/eventually";
import { engineCommand, type EngineRunOptions } from "../../dev/engines/command.ts";
import { type EngineName, engineNamed, repositoryRoot } from "../../dev/engines/engines.ts";
import type { EnginePorts } from "../../dev/engines/ports.ts";
import { prepareEngine } from "../../dev/engines/prepare.ts";
import { provideEngine } from "../../dev/engines/provide.ts";
import { makeEngineSecrets } from "../../dev/engines/testing.ts";

/** The real gateway before the real collector and the engines behind it, on free ports; tokens come from a test issuer. */
export interface TelemetryStack {
  readonly gateway: string;
  readonly otlp: string;
  /** The engines themselves, past the gateway. */
  readonly prometheus: string;
  readonly loki: string;
  readonly jaeger: string;
  /** An access token of the client `<service>-client`, whose telemetry carries `service`. */
  token(scope: string, service: string, claims?: Partial<AccessClaims>): Promise<string>;
  /** Ends the collector as a crash would, and starts it again on its data. */
  killCollector(): Promise<void>;
  startCollector(): Promise<void>;
  stop(): Promise<void>;
}

const portNames = [
  "collectorOtlp",
  "collectorHealth",
  "collectorMetrics",
  "prometheus",
  "loki",
  "lokiGrpc",
  "alertmanager",
  "jaeger",
  "jaegerOtlp",
  "jaegerGrpc",
  "jaegerMetrics",
  "postgres",
  "gateway",
  "otlp",
] as const satisfies readonly (keyof EnginePorts)[];

const engineNames = ["loki", "jaeger", "prometheus", "collector"] as const satisfies readonly EngineName[];

/** Engines that have to be built first take minutes, once. */
export const stackTimeoutMs = 900_000;
const readyTimeoutMs = 60_000;

export async function startTelemetryStack(): Promise<TelemetryStack> {
  const directory = await mkdtemp(join(tmpdir(), "vitrine-clients-"));
  const found = await Promise.all(portNames.map(async (name) => [name, await freePort()] as const));
  const ports = Object.fromEntries(found) as unknown as EnginePorts;
  const secretsDir = await makeEngineSecrets(directory);
  const running = new Map<string, Subprocess>();
  const startEngine = async (name: EngineName) => {
    const engine = engineNamed(name);
    if (engine === undefined) throw new Error(`no engine ${name}`);
    const options: EngineRunOptions = {
      ports,
      dataDir: join(directory, name),
      retention: "168h",
      repoRoot: repositoryRoot,
      secretsDir,
    };
    const provided = await provideEngine(engine, { mode: "native" });
    await prepareEngine(engine, options);
    const { argv, env, readyUrl } = engineCommand(engine, provided, options);
    running.set(name, spawn(argv, env, join(directory, `${name}.log`)));
    await eventually(`${name} is ready`, readyTimeoutMs, async () => await isOk(readyUrl));
  };
  const issuer = await createTestIssuer();
  const keys = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => issuer.jwksFetch(request.url) });
  const stop = async () => {
    for (const child of [...running.values()].toReversed()) {
      child.kill("SIGKILL");
      await child.exited;
    }
    await keys.stop(true);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await Promise.all(engineNames.map(startEngine));
    const gateway = await startGateway(ports, keys.url.origin, join(directory, "gateway.log"));
    running.set("gateway", gateway.child);
    const at = (port: number) => `http://127.0.0.1:${port}`;
    return {
      gateway: gateway.url,
      otlp: gateway.otlp,
      prometheus: at(ports.prometheus),
      loki: at(ports.loki),
      jaeger: at(ports.jaeger),
      token: (scope, service, claims = {}) =>
        issuer.sign(scope, { client_id: `${service}-client`, service, ...claims }),
      killCollector: async () => {
        const child = running.get("collector");
        child?.kill("SIGKILL");
        await child?.exited;
      },
      startCollector: () => startEngine("collector"),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startGateway(ports: EnginePorts, auth: string, log: string) {
  const engine = (name: keyof EnginePorts) => `http://127.0.0.1:${ports[name]}`;
  const child = spawn(
    [process.execPath, "--preload", "@vitrine/kit/telemetry/preload", "src/main.ts"],
    {
      PORT: String(ports.gateway),
      OTLP_PORT: String(ports.otlp),
      AUTH_URL: auth,
      COLLECTOR_URL: engine("collectorOtlp"),
      PROMETHEUS_URL: engine("prometheus"),
      LOKI_URL: engine("loki"),
      JAEGER_URL: engine("jaeger"),
      OTEL_SERVICE_NAME: "gateway",
    },
    log,
    join(repositoryRoot, "services/gateway"),
  );
  const url = engine("gateway");
  await eventually(
    "the gateway is ready",
    readyTimeoutMs,
    async () => (await isOk(`${url}/health/ready`)) || undefined,
  );
  return { child, url, otlp: engine("otlp") };
}

function spawn(argv: readonly string[], env: Readonly<Record<string, string>>, log: string, cwd = repositoryRoot) {
  const output = Bun.file(log);
  return Bun.spawn([...argv], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...env },
    stdin: "ignore",
    stdout: "ignore",
    stderr: output,
  });
}

async function isOk(url: string): Promise<boolean> {
  return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok;
}
