/**
 * Clients of other makers, as they come, with nothing but an address and a token. They are not in this repository:
 * `CLIENTS_PATH` names folders that have `telemetrygen`, `logcli` and `loki-canary`, a `python3` with
 * `opentelemetry-exporter-otlp-proto-http`, and `otlp-client`, which is tests/contract/clients/otlp.go built. What is
 * not there is skipped by name.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { eventually } from "@vitrine/kit/testing/eventually";
import { runCommand } from "../../dev/engines/run-command.ts";
import { linesOf, spansOf, valuesOf } from "./engine-answers.ts";
import { stackTimeoutMs, startTelemetryStack, type TelemetryStack } from "./telemetry-stack.ts";

const path = process.env["CLIENTS_PATH"] ?? "";
const arriveMs = 30_000;
const hasTools = path !== "";

let stack: TelemetryStack | undefined;

beforeAll(async () => {
  if (hasTools) stack = await startTelemetryStack();
}, stackTimeoutMs);
afterAll(() => stack?.stop());

function running(): TelemetryStack {
  if (stack === undefined) throw new Error("the stack is not up");
  return stack;
}

/** A test of a program that may be absent; its name then says why it is skipped. */
function withClient(program: string, guarantee: string, run: (program: string) => Promise<void>): void {
  const found = Bun.which(program, { PATH: path });
  if (found === null) test.skip(`${guarantee} (skipped: no ${program} in CLIENTS_PATH)`, () => undefined);
  else test(guarantee, () => run(found), 90_000);
}

async function succeed(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand([...command], {
    env: { PATH: path, ...env },
    timeoutMs: 60_000,
  });
  expect(`${exitCode} ${exitCode === 0 ? "" : stderr}`).toBe("0 ");
  return stdout + stderr;
}

async function exporterEnv(service: string): Promise<Record<string, string>> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: running().otlp,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${await running().token("telemetry:write", service)}`,
    OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
  };
}

/** One of each signal by the standard variables alone, found under the name the token gives. */
async function allThreeArrive(service: string): Promise<void> {
  const { jaeger, loki, prometheus } = running();
  await eventually(`the span of ${service}`, arriveMs, async () =>
    (await spansOf(jaeger, service)).includes("from the client") ? true : undefined,
  );
  await eventually(`the line of ${service}`, arriveMs, async () =>
    (await linesOf(loki, `{service_name="${service}"}`)).includes("from the client") ? true : undefined,
  );
  await eventually(`the counter of ${service}`, arriveMs, async () => {
    const values = await valuesOf(prometheus, `client_sent_total{service_name="${service}"}`, "client_id");
    return values.get(`${service}-client`) === 3 ? true : undefined;
  });
}

describe("OpenTelemetry's exporters, by the standard variables", () => {
  withClient("python3", "of Python deliver all three signals", async (python) => {
    await succeed([python, join(import.meta.dir, "clients/otlp.py")], await exporterEnv("python-app"));
    await allThreeArrive("python-app");
  });

  withClient("otlp-client", "of Go deliver all three signals", async (client) => {
    await succeed([client], await exporterEnv("go-app"));
    await allThreeArrive("go-app");
  });
});

describe("telemetrygen", () => {
  for (const signal of ["traces", "logs", "metrics"] as const) {
    withClient("telemetrygen", `delivers ${signal}`, async (telemetrygen) => {
      const service = `generated-${signal}`;
      const token = await running().token("telemetry:write", service);
      const address = ["--otlp-http", "--otlp-insecure", "--otlp-endpoint", new URL(running().otlp).host];
      const header = ["--otlp-header", `authorization="Bearer ${token}"`];
      await succeed([telemetrygen, signal, ...address, ...header, `--${signal}`, "7", "--workers", "1"]);
      await eventually(`what it sent as ${signal}`, arriveMs, async () => {
        const { jaeger, loki, prometheus } = running();
        const found = {
          // A trace of it is a span and its child.
          traces: async () => (await spansOf(jaeger, service)).length === 14,
          logs: async () => (await linesOf(loki, `{service_name="${service}"}`)).length === 7,
          metrics: async () => (await valuesOf(prometheus, `{service_name="${service}"}`, "__name__")).size > 0,
        };
        return (await found[signal]()) || undefined;
      });
    });
  }
});

describe("Loki's own programs", () => {
  withClient(
    "logcli",
    "logcli reads labels, lines, and the newest as they come, by token or by password",
    async (logcli) => {
      const token = await running().token("telemetry:read telemetry:write", "logcli-app");
      const push = {
        streams: [{ stream: { job: "x" }, values: [[`${BigInt(Date.now()) * 1_000_000n}`, "for logcli"]] }],
      };
      const pushed = await fetch(`${running().gateway}/loki/api/v1/push`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(push),
      });
      expect(pushed.status).toBe(204);
      const query = '{service_name="logcli-app"}';
      await eventually("the line", arriveMs, async () =>
        (await linesOf(running().loki, query)).includes("for logcli") ? true : undefined,
      );
      const address = `--addr=${running().gateway}`;
      for (const credentials of [[`--bearer-token=${token}`], ["--username=anybody", `--password=${token}`]]) {
        const base = [logcli, ...credentials, address];
        expect(await succeed([...base, "labels"])).toContain("service_name");
        expect(await succeed([...base, "query", "--quiet", "--since=1h", query])).toContain("for logcli");
        expect(await succeed([...base, "series", "{}"])).toContain("logcli-app");
        expect(await succeed([...base, "instant-query", `count_over_time(${query}[1h])`])).toContain("logcli-app");
        expect(await succeed([...base, "stats", query])).toContain("entries");
      }
    },
  );

  withClient("loki-canary", "loki-canary pushes, tails and asks again, and misses nothing", async (canary) => {
    const token = await running().token("telemetry:read telemetry:write", "canary");
    const listener = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
    const port = listener.port ?? 0;
    await listener.stop(true);
    const child = Bun.spawn(
      [
        canary,
        `-addr=${new URL(running().gateway).host}`,
        "-push=true",
        "-user=anybody",
        `-pass=${token}`,
        `-port=${port}`,
        // Of a resource only its service is a label of Loki's; the rest is metadata, which its selector cannot name.
        "-labelname=service_name",
        "-labelvalue=canary",
        "-streamname=service_name",
        "-streamvalue=canary",
        "-interval=200ms",
        "-wait=20s",
        "-pruneinterval=2s",
      ],
      { env: { PATH: path }, stdin: "ignore", stdout: "ignore", stderr: "ignore" },
    );
    try {
      const counted = await eventually("lines that came back", 60_000, async () => {
        const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
        const value = (name: string) => Number(new RegExp(`^${name} (\\S+)`, "m").exec(text)?.[1] ?? 0);
        const seen = value("loki_canary_response_latency_seconds_count");
        return seen >= 20 ? { seen, missing: value("loki_canary_missing_entries_total") } : undefined;
      });
      expect(counted.missing).toBe(0);
    } finally {
      child.kill("SIGTERM");
      await child.exited;
    }
  });
});
