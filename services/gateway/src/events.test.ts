import { expect, test } from "bun:test";
import { memoryLogger } from "@vitrine/kit/testing/log";
import { startTestTelemetry } from "@vitrine/kit/testing/telemetry";
import { createEvents } from "./events.ts";

test("a flood of refusals of one kind is one line a second that says how many it stands for", () => {
  const { logger, lines } = memoryLogger();
  let now = 0;
  const events = createEvents(logger, () => now);
  const refuse = (clientId: string) =>
    events.refused({ reason: "expired", status: 401, route: "/v1/logs", clientId, cause: undefined });
  for (let at = 0; at < 500; at += 1) refuse("a");
  refuse("b");
  expect(lines.map(({ extra }) => extra)).toMatchObject([
    { client_id: "a", suppressed: 0 },
    { client_id: "b", suppressed: 0 },
  ]);
  now = 1_000;
  refuse("a");
  expect(lines.at(-1)).toMatchObject({ action: "gateway.refused", level: "info", extra: { suppressed: 499 } });
});

test("an upstream that is away is a warning with its cause, and a fault of our own an error", () => {
  const { logger, lines } = memoryLogger();
  const events = createEvents(logger, () => 0);
  const cause = new Error("refused");
  events.refused({ reason: "upstream_down", status: 503, route: "/v1/logs", upstream: "collector", cause });
  events.refused({ reason: "internal", status: 500, route: "/v1/logs", cause });
  events.upstreamFailed("loki", "/loki/api/v1/query", 500);
  events.brokenOff("orders", "/api/orders/**", cause);
  expect(lines).toMatchObject([
    { action: "gateway.upstream_failed", level: "warn", err: { message: "refused" }, extra: { upstream: "collector" } },
    { action: "http.error", level: "error", err: { message: "refused" } },
    { action: "gateway.upstream_failed", level: "warn", extra: { upstream: "loki", status: 500 } },
    { action: "gateway.upstream_failed", level: "warn", err: { message: "refused" }, extra: { upstream: "orders" } },
  ]);
});

test("a collector that is away for a minute is a line at once, one each ten seconds, and one when it is back", () => {
  const { logger, lines } = memoryLogger();
  let now = 0;
  const events = createEvents(logger, () => now);
  for (; now < 60_000; now += 100) {
    const clientId = `client-${now % 7}`;
    events.refused({ reason: "upstream_down", status: 503, clientId, upstream: "collector", cause: undefined });
  }
  events.upstreamAnswered("collector");
  events.upstreamAnswered("collector");
  expect(lines.map(({ action }) => action)).toEqual([
    ...Array<string>(6).fill("gateway.upstream_failed"),
    "gateway.upstream_back",
  ]);
  expect(lines[1]).toMatchObject({ extra: { suppressed: 99 } });
});

test("an upstream that fails now and then does not fill the log by coming back", () => {
  const { logger, lines } = memoryLogger();
  let now = 0;
  const events = createEvents(logger, () => now);
  for (; now < 10_000; now += 10) {
    events.upstreamFailed("loki", "/loki/api/v1/query", 500);
    events.upstreamAnswered("loki");
  }
  expect(lines).toHaveLength(2);
});

test("a refusal of nobody known is nobody's, and not of the gateway whose metric it is", async () => {
  const telemetry = startTestTelemetry();
  try {
    const events = createEvents(memoryLogger().logger);
    events.refused({ reason: "missing_token", status: 401, route: "/v1/logs", cause: undefined });
    events.refused({ reason: "too_large", status: 413, route: "/v1/logs", clientId: "orders", cause: undefined });
    const clients = (await telemetry.points("gateway.refusals")).map(({ attributes }) => attributes["client.id"]);
    expect(clients).toEqual(["_anonymous", "orders"]);
  } finally {
    await telemetry.stop();
  }
});
