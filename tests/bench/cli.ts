import { stopPostgres } from "@vitrine/kit/testing/postgres";
import type { BenchRun } from "./harness/run.ts";
import { runBench } from "./harness/run.ts";
import { type BenchReport, describeMachine, toReport, toText } from "./harness/report.ts";
import { gatewayBench } from "./gateway/bench.ts";
import { kitBench } from "./kit/bench.ts";
import { ordersBench } from "./orders/bench.ts";
import { parseOptions, usage, UsageError } from "./options.ts";

const runtime = { bun: process.execPath, path: process.env["PATH"] ?? "" };
const benches = [kitBench, gatewayBench(runtime.path), ordersBench];
const off = new AbortController();
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
for (const signal of signals) process.on(signal, () => off.abort(new Error(`stopped by ${signal}`)));
const say = (line: string) => void process.stderr.write(`${line}\n`);

try {
  const options = parseOptions(
    process.argv.slice(2),
    benches.map(({ name }) => name),
  );
  const reports: BenchReport[] = [];
  for (const bench of benches.filter(({ name }) => options.names.includes(name))) {
    say(`${bench.name}: ${bench.title}`);
    const startedAt = new Date();
    const machine = describeMachine();
    const run: BenchRun = await runBench(bench, options.settings, runtime, { say, signal: off.signal });
    const report = toReport(bench.name, startedAt, machine, options.settings, run);
    reports.push(report);
    if (!options.json) process.stdout.write(`${toText(report)}\n`);
  }
  if (options.json) process.stdout.write(`${JSON.stringify(reports, null, 2)}\n`);
  if (reports.some(({ faults }) => faults.length > 0)) process.exitCode = 1;
} catch (error) {
  if (off.signal.aborted) say(error instanceof Error ? error.message : "stopped");
  else if (error instanceof UsageError) say(`${error.message}\n\n${usage}`);
  else throw error;
  process.exitCode = 2;
} finally {
  await stopPostgres();
}
