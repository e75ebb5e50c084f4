import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Server } from "bun";
import { problem } from "@vitrine/contracts/problem";
import { alwaysReady, memoryLogger } from "@vitrine/kit/testing/log";
import { createTestIssuer, type TestIssuer } from "@vitrine/kit/testing/tokens";
import { createApp } from "./app.ts";
import { buildAssets } from "./assets/build.ts";
import type { Deps } from "./deps.ts";
import { startThresholds } from "./testing/start-thresholds.ts";

const page = { accept: "text/html,application/xhtml+xml" };

let issuer: TestIssuer;
let gateway: Server<undefined>;
let deps: Deps;
let app: ReturnType<typeof createApp>;
const stopping = new AbortController();
const { logger, lines } = memoryLogger("console");

beforeAll(async () => {
  issuer = await createTestIssuer();
  gateway = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("nothing", { status: 502 }) });
  deps = {
    logger,
    readiness: alwaysReady,
    stopping: stopping.signal,
    verifier: issuer.verifier,
    thresholds: (await startThresholds()).thresholds,
    publicUrl: gateway.url.origin,
    assets: await buildAssets(),
    gatewayUrl: gateway.url.origin,
    grafanaUrl: undefined,
    demo: false,
    runnerStateFile: undefined,
    maxUploadBytes: 1_000,
    now: Date.now,
  };
  app = createApp(deps);
});
afterAll(() => gateway.stop(true));

async function open(path: string, scope = "telemetry:read", headers: Record<string, string> = page): Promise<Response> {
  return await app.request(path, { headers: { authorization: `Bearer ${await issuer.sign(scope)}`, ...headers } });
}

describe("a page", () => {
  test("lets nothing inline or foreign run, and is never stored", async () => {
    const response = await open("/");
    expect(response.status).toBe(200);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    for (const loose of ["unsafe", "http:", "https:", "*"]) expect(policy).not.toContain(loose);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const text = await response.text();
    expect(text).not.toMatch(/ style=|<style| on\w+=/);
    expect([...text.matchAll(/<script\b[^>]*>/g)].every(([tag]) => tag.includes("src="))).toBe(true);
  });

  test("is refused without a good token, and to who may not read telemetry", async () => {
    expect((await app.request("/", { headers: page })).status).toBe(401);
    expect((await open("/", "orders:read")).status).toBe(403);
  });

  test("says no word of the demonstration where there is none", async () => {
    expect(await (await app.request("/login", { headers: page })).text()).not.toContain("1234");
  });

  test("is packed for who takes that", async () => {
    const packed = await open("/", "telemetry:read", { ...page, "accept-encoding": "br, gzip" });
    expect(packed.headers.get("content-encoding")).toBe("gzip");
    expect(new TextDecoder().decode(Bun.gunzipSync(await packed.arrayBuffer()))).toStartWith("<!doctype html>");
  });
});

describe("what is not there", () => {
  test("is a page for people, and a problem for programs; both lead to the request", async () => {
    const shown = await open("/nowhere");
    expect([shown.status, shown.headers.get("content-type")]).toEqual([404, "text/html; charset=utf-8"]);
    expect(await shown.text()).toContain(`href="/requests/${shown.headers.get("x-request-id")}"`);
    const told = await open("/api/console/nowhere", "telemetry:read", {});
    expect(problem.parse(await told.json()).instance).toBe(`/requests/${told.headers.get("x-request-id")}`);
  });

  test("by this method is 405, and Allow says by which it is", async () => {
    const told = await app.request("/requests", { method: "POST" });
    expect([told.status, told.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect(problem.parse(await told.json()).code).toBe("method_not_allowed");
  });

  test("in an address is never taken for text of the page", async () => {
    const response = await open("/requests?status=%3Cscript%3Ealert(1)%3C%2Fscript%3E");
    expect(response.status).toBe(400);
    expect(await response.text()).not.toContain("<script>alert");
  });
});

describe("an asset", () => {
  test("is named by its content, kept for ever, and packed as its reader takes it", async () => {
    const href = deps.assets.href("app.css");
    expect(href).toMatch(/^\/assets\/app-[0-9a-f]{12}\.css$/);
    expect((await buildAssets()).href("app.css")).toBe(href);
    for (const [accepted, encoding] of [
      ["gzip, br", "br"],
      ["gzip;q=1, br;q=0", "gzip"],
      ["identity", null],
    ] as const) {
      const response = await app.request(href, { headers: { "accept-encoding": accepted } });
      expect(response.headers.get("content-encoding")).toBe(encoding);
      expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
      expect(response.headers.get("content-type")).toBe("text/css; charset=utf-8");
    }
    expect((await app.request("/assets/nothing.css")).status).toBe(404);
    expect((await app.request("/assets/..%2Fmain.ts")).status).toBe(404);
  });
});

describe("a live stream", () => {
  test("sends every part once, says why one is missing, and ends when the service stops", async () => {
    const response = await open("/api/console/live/overview", "telemetry:read", {});
    expect(response.headers.get("content-type")).toStartWith("text/event-stream");
    const seen = new Set<string>();
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      for (const [, id] of text.matchAll(/"id":"([\w-]+)"/g)) seen.add(id ?? "");
      if (seen.size === 6) stopping.abort();
    }
    expect([...seen].toSorted()).toEqual(["alerts", "budget", "engines", "failures", "orders", "services"]);
    expect(text.match(/"id":"alerts"/g)).toHaveLength(1);
    expect(text).toContain("cannot be reached");
    expect(lines.filter(({ level }) => level === "error")).toEqual([]);
  });
});
