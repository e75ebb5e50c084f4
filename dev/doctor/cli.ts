import { parseArgs } from "node:util";
import { createTokenSource } from "@vitrine/kit/tokens/source";
import { type Layout, layoutOf } from "../layout.ts";
import { type Ports, readPorts } from "../ports.ts";
import { readSecret } from "../secrets.ts";
import { messageOf } from "../setup-error.ts";
import { examine } from "./examine.ts";
import type { Addresses } from "./hop.ts";
import { readProcesses } from "./processes.ts";
import { renderReport, toReport } from "./report.ts";

const usage = `Usage: bun run doctor [--json] [--token TOKEN] [--deadline-ms N]

Sends one marked log, metric and span through the gateway and follows each hop; exit code 0 only if all arrive.

  --json         the report as JSON
  --token        examine with this token instead of one of the local client
  --deadline-ms  how long a probe may take to be found (default 15000)`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      json: { type: "boolean", default: false },
      token: { type: "string" },
      "deadline-ms": { type: "string", default: "15000" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const deadlineMs = Number(values["deadline-ms"]);
  if (!Number.isInteger(deadlineMs) || deadlineMs < 1)
    throw new Error("--deadline-ms is a whole number of milliseconds");
  const layout = layoutOf(process.env);
  const addresses = addressesOf(readPorts(process.env));
  const { token } = values;
  const hops = await examine({
    addresses,
    token: token === undefined ? () => localToken(layout, addresses.gateway) : () => Promise.resolve(token),
    fetch: (url, init) => fetch(url, init),
    now: Date.now,
    sleep: (ms) => Bun.sleep(ms),
    deadlineMs,
  });
  const report = toReport(hops, await readProcesses(layout.run));
  process.stdout.write(`${values.json ? JSON.stringify(report, undefined, 2) : renderReport(report)}\n`);
  return report.ok ? 0 : 1;
}

async function localToken(layout: Layout, gateway: string): Promise<string> {
  const clientSecret = await readSecret(layout, "cli-client-secret");
  return createTokenSource({ tokenUrl: `${gateway}/oauth/token`, clientId: "cli", clientSecret }).get();
}

function addressesOf(ports: Ports): Addresses {
  const local = (port: number, path = "") => `http://127.0.0.1:${port}${path}`;
  return {
    gateway: local(ports.gateway),
    otlp: local(ports.otlp),
    collectorHealth: local(ports.collectorHealth, "/"),
    collectorMetrics: local(ports.collectorMetrics, "/metrics"),
    prometheusReady: local(ports.prometheus, "/-/ready"),
    lokiReady: local(ports.loki, "/ready"),
    jaegerReady: local(ports.jaeger, "/api/v3/services"),
  };
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n${usage}\n`);
  process.exitCode = 2;
}
