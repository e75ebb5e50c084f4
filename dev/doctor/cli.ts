import { dashboards } from "@vitrine/dashboards/all";
import { createTokenSource, type TokenSource } from "@vitrine/kit/tokens/source";
import { readArguments } from "../arguments.ts";
import { composeAddresses, readComposeSecret } from "../compose/installation.ts";
import { layoutOf } from "../layout.ts";
import type { Ports } from "../ports.ts";
import { runningPorts } from "../running-ports.ts";
import { readSecret } from "../secrets.ts";
import { messageOf, UsageError } from "../setup-error.ts";
import { composeAdvice, deskAdvice } from "./advice.ts";
import { examine } from "./examine.ts";
import type { Addresses } from "./hop.ts";
import { examinePanels } from "./panels/examine-panels.ts";
import { renderPanelReport, toPanelReport } from "./panels/report.ts";
import { readProcesses } from "./processes.ts";
import { renderReport, toReport } from "./report.ts";

const usage = `Usage: bun run doctor [--panels] [--compose] [--json] [--token TOKEN] [--deadline-ms N]

Sends one marked log, metric and span through the gateway and follows each hop, then asks whether alerts get anywhere;
exit code 0 only if all arrive and they do.

  --panels       asks every query of every dashboard and every rule instead; exit code 0 only if none of them fails,
                 shows nothing or takes longer than a second
  --compose      examines the system of compose.yaml, at VITRINE_PUBLIC_URL or https://VITRINE_DOMAIN
  --json         the report as JSON
  --token        examine with this token instead of one of the local client
  --deadline-ms  how long a probe may take to be found (default 15000)`;

/** What a dashboard shows when it is opened. */
const panelRangeMs = 30 * 60_000;

async function main(): Promise<number> {
  const { values, positionals } = readArguments(process.argv.slice(2), {
    compose: { type: "boolean", default: false },
    panels: { type: "boolean", default: false },
    token: { type: "string" },
    "deadline-ms": { type: "string", default: "15000" },
  });
  if (positionals.length > 0) throw new UsageError(`"${positionals[0]}" is one word too many. See --help.`);
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const deadlineMs = Number(values["deadline-ms"]);
  if (!Number.isInteger(deadlineMs) || deadlineMs < 1)
    throw new UsageError("--deadline-ms is a whole number of milliseconds. See --help.");
  const layout = layoutOf(process.env);
  const { compose, token } = values;
  const addresses = compose ? composeAddresses(process.env) : addressesOf(runningPorts(layout, process.env));
  const client = compose
    ? { clientId: "doctor", secret: () => readComposeSecret(process.env, "doctor_client_secret") }
    : { clientId: "cli", secret: () => readSecret(layout, "cli-client-secret") };
  const world = {
    token: token === undefined ? clientToken(client, addresses.gateway) : () => Promise.resolve(token),
    fetch: (url: string, init: RequestInit) => fetch(url, init),
    now: Date.now,
    sleep: (ms: number) => Bun.sleep(ms),
  };
  const advice = compose ? composeAdvice : deskAdvice(layout);
  if (values.panels) {
    const { gateway } = addresses;
    const checks = await examinePanels({ ...world, gateway, advice, dashboards, rangeMs: panelRangeMs });
    return write(toPanelReport(checks), renderPanelReport, values.json);
  }
  const keepsTraces = process.env["VITRINE_TRACES"] !== "none";
  const hops = await examine({ ...world, addresses, advice, deadlineMs, keepsTraces });
  return write(toReport(hops, compose ? [] : await readProcesses(layout.run)), renderReport, values.json);
}

/** Writes a report and says how the process ends. */
function write<R extends { readonly ok: boolean }>(report: R, render: (report: R) => string, json: boolean): number {
  process.stdout.write(`${json ? JSON.stringify(report, undefined, 2) : render(report)}\n`);
  return report.ok ? 0 : 1;
}

interface Client {
  readonly clientId: string;
  readonly secret: () => Promise<string>;
}

function clientToken({ clientId, secret }: Client, gateway: string): () => Promise<string> {
  let source: Promise<TokenSource> | undefined;
  return async () => {
    source ??= secret().then((clientSecret) =>
      createTokenSource({ tokenUrl: `${gateway}/oauth/token`, clientId, clientSecret }),
    );
    return await (await source).get();
  };
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
    alertmanagerReady: local(ports.alertmanager, "/-/ready"),
  };
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
