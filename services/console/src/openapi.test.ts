import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Server } from "bun";
import { buildDocument } from "@vitrine/kit/openapi";
import { createFuzz, type Fuzz } from "@vitrine/kit/testing/fuzz";
import { alwaysReady, memoryLogger } from "@vitrine/kit/testing/log";
import { judgeAnswer, type Listed, listOperations, makeRequest } from "@vitrine/kit/testing/openapi";
import { createTestIssuer, type TestIssuer } from "@vitrine/kit/testing/tokens";
import { createApp } from "./app.ts";
import { buildAssets } from "./assets/build.ts";
import { consoleDocument } from "./openapi.ts";
import { startThresholds } from "./testing/start-thresholds.ts";

const document = buildDocument(consoleDocument("http://localhost:8080"));
const cases = listOperations(document);
const seed = 20_261_121;
const requestsEach = 60;

let issuer: TestIssuer;
let gateway: Server<undefined>;
let app: ReturnType<typeof createApp>;

const fingerprint = "0123456789abcdef";
const firing = {
  labels: { alertname: "HighErrorRate" },
  annotations: {},
  startsAt: "2026-11-21T07:00:00Z",
  fingerprint,
  status: { state: "active", silencedBy: [] },
};

/** Engines that hold little, and now and then something nobody expects. */
function answer(path: string, count: number): Response {
  if (count % 7 === 0) return new Response("upstream connect error", { status: 502 });
  if (path.endsWith("/silences")) return Response.json({ silenceID: "1" });
  if (path.includes("/alertmanager/")) return Response.json([firing]);
  if (path.includes("/loki/")) return Response.json({ data: { result: [] } });
  return Response.json({
    data: { result: path.endsWith("query_range") ? [{ metric: {}, values: [[1, "NaN"]] }] : [] },
  });
}

beforeAll(async () => {
  issuer = await createTestIssuer();
  let count = 0;
  gateway = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url }) => answer(new URL(url).pathname, (count += 1)),
  });
  app = createApp({
    logger: memoryLogger("console").logger,
    readiness: alwaysReady,
    stopping: new AbortController().signal,
    verifier: issuer.verifier,
    thresholds: (await startThresholds()).thresholds,
    assets: await buildAssets(),
    publicUrl: "http://localhost:8080",
    gatewayUrl: gateway.url.origin,
    grafanaUrl: undefined,
    demo: false,
    runnerStateFile: undefined,
    maxUploadBytes: 100_000,
    now: Date.now,
  });
});
afterAll(() => gateway.stop(true));

async function send(one: Listed, fuzz: Fuzz, fit: boolean, token: string | undefined) {
  const request = makeRequest(one, fuzz, {
    fit,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    params: {},
    amend: (body) => {
      if (fit && one.path.endsWith("/thresholds")) Object.assign(body, { value: null });
      if (fit && one.path.endsWith("/silences")) Object.assign(body, { fingerprint });
      if (fit && one.path.endsWith("/analyze"))
        Object.assign(body, { from: "2026-11-21T07:00:00Z", to: "2026-11-21T08:00:00Z" });
    },
  });
  const response = await app.request(request);
  // An engine that fails is said to have failed; any other 5xx would be ours.
  if (response.status === 502 && "502" in one.operation.responses) return 502;
  expect(await judgeAnswer(document, one, response.clone())).toBeUndefined();
  return response.status;
}

describe(`requests made from the document (seed ${seed})`, () => {
  test.each(cases)("%s keeps what it says for any input", async (name, one) => {
    const fuzz = createFuzz(seed + name.length * 7_919);
    const statuses = new Set<number>();
    for (let count = 0; count < requestsEach; count += 1)
      statuses.add(
        await send(one, fuzz, count % 3 === 0, await issuer.sign("telemetry:read telemetry:admin alerts:admin")),
      );
    expect([...statuses].some((status) => status < 300)).toBe(true);
  });

  test.each(cases.filter(([, { operation }]) => operation.security.length > 0))(
    "%s answers nobody without a token, nor one without its scope",
    async (name, one) => {
      const fuzz = createFuzz(seed + name.length);
      expect(await send(one, fuzz, true, undefined)).toBe(401);
      expect(await send(one, fuzz, true, await issuer.sign("orders:read"))).toBe(403);
    },
  );
});

test("only who may administer alerts sets a threshold for everyone; anybody sets their own", async () => {
  const post = async (scope: string, body: object) =>
    (
      await app.request("/api/console/thresholds", {
        method: "POST",
        headers: { authorization: `Bearer ${await issuer.sign(scope)}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      })
    ).status;
  const change = { name: "error_ratio", value: 0.5 };
  expect(await post("telemetry:read", { ...change, scope: "everyone" })).toBe(403);
  expect(await post("telemetry:read", change)).toBe(200);
  expect(await post("telemetry:read alerts:admin", { ...change, scope: "everyone" })).toBe(200);
  expect(await post("telemetry:read", { ...change, value: 2 })).toBe(400);
  expect(await post("telemetry:read", { ...change, value: -1 })).toBe(400);
});
