import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AccessClaims } from "@vitrine/contracts/auth";
import { hasContainer } from "@vitrine/kit/testing/containers";
import { eventually } from "@vitrine/kit/testing/eventually";
import { freePort } from "@vitrine/kit/testing/postgres";
import { createTestIssuer } from "@vitrine/kit/testing/tokens";
import { engineCommand, type EngineRunOptions } from "../../dev/engines/command.ts";
import { type EngineName, engineNamed, repositoryRoot } from "../../dev/engines/engines.ts";
import type { EnginePorts } from "../../dev/engines/ports.ts";
import { readPin } from "../../dev/engines/pin.ts";
import { prepareEngine } from "../../dev/engines/prepare.ts";
import { provideEngine } from "../../dev/engines/provide.ts";
import { makeEngineSecrets } from "../../dev/engines/testing.ts";
import { type Running, startEngineContainer } from "./engine-container.ts";

/**
 * The real gateway before the real collector and the engines behind it, on free ports; tokens come from a test issuer.
 * The collector is in a container of its official image where there is one, and the one that is built here otherwise.
 */
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
  const running = new Map<string, Running>();
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
    await prepareEngine(engine, options);
    const { image } = await readPin(engine, repositoryRoot);
    const inContainer = name === "collector" && (await hasContainer(image));
    const provided = inContainer ? built(image) : await provideEngine(engine, { mode: "native" });
    const command = engineCommand(engine, provided, options);
    running.set(
      name,
      inContainer
        ? await startEngineContainer(image, command, directory)
        : spawn(command.argv, command.env, join(directory, `${name}.log`)),
    );
    await eventually(`${name} is ready`, readyTimeoutMs, async () => await isOk(command.readyUrl));
  };
  const issuer = await createTestIssuer();
  const keys = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => issuer.jwksFetch(request.url) });
  const stop = async () => {
    for (const one of [...running.values()].toReversed()) await one.kill();
    await keys.stop(true);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await Promise.all(engineNames.map(startEngine));
    const gateway = await startGateway(ports, keys.url.origin, join(directory, "gateway.log"));
    running.set("gateway", gateway.process);
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
        await running.get("collector")?.kill();
        running.delete("collector");
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
  const gateway = spawn(
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
  return { process: gateway, url, otlp: engine("otlp") };
}

/** The arguments and variables of a process are those of the container too. */
const built = (path: string) => ({ kind: "binary", path, from: "path" }) as const;

function spawn(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  log: string,
  cwd = repositoryRoot,
): Running {
  const child = Bun.spawn([...argv], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...env },
    stdin: "ignore",
    stdout: "ignore",
    stderr: Bun.file(log),
  });
  return {
    kill: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

async function isOk(url: string): Promise<boolean> {
  return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok;
}
