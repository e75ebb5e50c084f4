import { afterAll, beforeAll, expect, test } from "bun:test";
import { eventually } from "@vitrine/kit/testing/eventually";
import { linesOf, spansOf } from "./engine-answers.ts";
import { stackTimeoutMs, startTelemetryStack, type TelemetryStack } from "./telemetry-stack.ts";

let stack: TelemetryStack;

beforeAll(async () => {
  stack = await startTelemetryStack();
}, stackTimeoutMs);
afterAll(() => stack?.stop());

type Signal = "traces" | "logs";

const clients = 6;
const perClient = 40;
const retryable: ReadonlySet<number> = new Set([429, 502, 503, 504]);

test("every acknowledged record is found, though the collector was killed and started again meanwhile", async () => {
  const issued: string[] = [];
  const acknowledged: Record<Signal, Set<string>> = { traces: new Set(), logs: new Set() };
  let retries = 0;
  let done = 0;
  const authorization = `Bearer ${await stack.token("telemetry:write", "ledger")}`;

  async function send(signal: Signal, id: string): Promise<void> {
    issued.push(`${signal} ${id}`);
    const deadline = Date.now() + 90_000;
    while (Date.now() < deadline) {
      const status = await post(signal, id, authorization);
      if (status === 200) {
        acknowledged[signal].add(id);
        return;
      }
      // Only what exporters try again may come: anything else would have cost them the record.
      expect(retryable.has(status)).toBe(true);
      retries += 1;
      await Bun.sleep(200);
    }
    throw new Error(`${signal} ${id} was never taken`);
  }

  async function client(n: number): Promise<void> {
    for (let at = 0; at < perClient; at += 1) {
      const id = `record-${n}-${at}`;
      await Promise.all([send("logs", id), send("traces", id)]);
      done += 1;
    }
  }

  const sending = Promise.all(Array.from({ length: clients }, (_, n) => client(n)));
  await eventually("a part of the records", 30_000, async () => done > clients * 5);
  await stack.killCollector();
  // Taken only once somebody was refused: the outage is then part of the test, however fast the machine.
  await eventually("a refusal", 30_000, async () => retries > 0);
  await stack.startCollector();
  await sending;

  expect(acknowledged.logs.size + acknowledged.traces.size).toBe(issued.length);
  const missing = async (signal: Signal) => {
    const found = new Set(
      signal === "logs" ? await linesOf(stack.loki, '{service_name="ledger"}') : await spansOf(stack.jaeger, "ledger"),
    );
    return [...acknowledged[signal]].filter((id) => !found.has(id));
  };
  for (const signal of ["logs", "traces"] as const) {
    await eventually(`every one of ${signal}`, 120_000, async () => (await missing(signal)).length === 0);
    expect(await missing(signal)).toEqual([]);
  }
}, 360_000);

async function post(signal: Signal, id: string, authorization: string): Promise<number> {
  const now = `${BigInt(Date.now()) * 1_000_000n}`;
  const hex = (bytes: number) => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex");
  const body =
    signal === "logs"
      ? { resourceLogs: [{ scopeLogs: [{ logRecords: [{ timeUnixNano: now, body: { stringValue: id } }] }] }] }
      : {
          resourceSpans: [
            {
              scopeSpans: [
                {
                  spans: [{ traceId: hex(16), spanId: hex(8), name: id, startTimeUnixNano: now, endTimeUnixNano: now }],
                },
              ],
            },
          ],
        };
  const response = await fetch(`${stack.otlp}/v1/${signal}`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(15_000),
  });
  await response.arrayBuffer();
  return response.status;
}
