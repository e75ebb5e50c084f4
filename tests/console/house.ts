import type { Server } from "bun";
import { afterAll, afterEach } from "bun:test";
import { alwaysReady, memoryLogger } from "@vitrine/kit/testing/log";
import { freePort } from "@vitrine/kit/testing/postgres";
import { createTokenVerifier, type TokenVerifier } from "@vitrine/kit/tokens";
import { type Role, scopesOfRole } from "@vitrine/contracts/scopes";
import type { BrowserContext, BrowserContextOptions } from "playwright-core";
import { createApp } from "../../services/console/src/app.ts";
import { buildAssets } from "../../services/console/src/assets/build.ts";
import { startAuth, type TestAuth } from "../../services/auth/src/testing/start-auth.ts";
import { type Gateway, startGateway } from "../../services/gateway/src/testing/harness.ts";
import { startThresholds } from "../../services/console/src/testing/start-thresholds.ts";
import { chromiumPath, launchBrowser } from "./browser.ts";
import { answerAsService, measuredOf } from "./service-data.ts";
import {
  alertsOf,
  silencesOf,
  type EngineData,
  fullData,
  instantOf,
  rangeOf,
  streamsOf,
  traceOf,
} from "./engine-data.ts";

type EngineName = "prometheus" | "loki" | "jaeger" | "alertmanager" | "notifier" | "generator";

/** The console behind the real gateway, before engines that answer what a test gives them. */
export interface House {
  readonly url: string;
  readonly gateway: Gateway;
  /** What the engines hold; `undefined`: nothing. */
  data: EngineData | undefined;
  readonly down: Set<EngineName>;
  /** Engines that answer only when what is promised here has happened. */
  readonly slow: Map<EngineName, Promise<void>>;
  /** A browser that nobody is signed in with. */
  visit(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** A browser that is signed in. */
  enter(role?: Role, options?: BrowserContextOptions): Promise<BrowserContext>;
}

export interface HouseOptions {
  /** The real auth service, for what is about signing in. */
  readonly auth?: "real";
}

/** A house and its browser for the tests of one file: every test finds it as it was, and it ends with them. */
export async function openHouse({ auth }: HouseOptions = {}): Promise<House & { readonly auth: TestAuth | undefined }> {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const real = auth === "real" ? await startRealAuth(url) : undefined;
  const consolePort = await freePort();
  const gateway = await startGateway({
    port,
    ownOrigin: url,
    upstreams: {
      console: `http://127.0.0.1:${consolePort}`,
      ...(real === undefined ? {} : { auth: real.server.url.origin }),
    },
    ...(real === undefined ? {} : { verifier: real.verifier }),
  });
  const verifier = real?.verifier ?? gateway.issuer.verifier;
  const console = await startConsole({ port: consolePort, gatewayUrl: url, verifier });
  const state: Pick<House, "down" | "slow"> & { data: House["data"] } = {
    data: fullData,
    down: new Set(),
    slow: new Map(),
  };
  gateway.answer = async (request, upstream) => {
    const asked = await answerAsked(request, upstream, state, gateway);
    if (asked !== undefined) return asked;
    const engine = upstream as EngineName;
    if (state.down.has(engine)) return new Response("connection refused", { status: 502 });
    await state.slow.get(engine);
    return answerAsEngine(engine, request, state.data);
  };
  const browser = chromiumPath === undefined ? undefined : await launchBrowser(chromiumPath);
  const visit = async (options: BrowserContextOptions = {}): Promise<BrowserContext> => {
    if (browser === undefined) throw new Error("there is no chromium on this machine");
    return await browser.newContext(options);
  };
  afterEach(() => {
    state.data = fullData;
    state.down.clear();
    state.slow.clear();
  });
  afterAll(async () => {
    await browser?.close();
    await console.stop(true);
    await gateway.stop();
    await real?.server.stop(true);
    await real?.auth[Symbol.asyncDispose]();
  });
  return Object.assign(state, {
    url,
    gateway,
    auth: real?.auth,
    visit,
    enter: async (role: Role = "viewer", options: BrowserContextOptions = {}) => {
      const context = await visit({ viewport: { width: 1_280, height: 900 }, reducedMotion: "reduce", ...options });
      const cookie = {
        name: "__Host-vitrine_session",
        value: `session-of-a-${role}-0123456789`,
        // Chromium takes a cookie of this name from a secure origin only, and counts localhost as one when it sends it.
        url: "https://localhost/",
        secure: true,
        httpOnly: true,
      };
      await context.addCookies([cookie]);
      return context;
    },
  });
}

/** By services of ours, which can be away like engines. */
async function answerAsked(
  request: Request,
  upstream: string,
  state: Pick<House, "down" | "data">,
  gateway: Gateway,
): Promise<Response | undefined> {
  if (state.down.has(upstream as EngineName)) return undefined;
  const told = answerAsService(request, state.data);
  if (told !== undefined) return told;
  return upstream === "auth" ? await answerAsAuth(request, gateway) : undefined;
}

async function startRealAuth(issuer: string) {
  const auth = await startAuth({
    env: { TOKEN_ISSUER: issuer, DEMO: "on", ADMIN_PASSWORD: "a password of the admin" },
  });
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, server) => auth.app.fetch(request, { server }),
  });
  const verifier = createTokenVerifier({
    jwksUrl: `${server.url.origin}/.well-known/jwks.json`,
    issuer,
    audience: "vitrine",
  });
  return { auth, server, verifier };
}

interface ConsoleOptions {
  readonly port: number;
  readonly gatewayUrl: string;
  readonly verifier: TokenVerifier;
}

async function startConsole({ port, gatewayUrl, verifier }: ConsoleOptions): Promise<Server<undefined>> {
  const app = createApp({
    logger: memoryLogger("console").logger,
    readiness: alwaysReady,
    stopping: new AbortController().signal,
    verifier,
    thresholds: (await startThresholds()).thresholds,
    publicUrl: gatewayUrl,
    assets: await buildAssets(),
    gatewayUrl,
    grafanaUrl: "http://localhost:3000",
    demo: true,
    runnerStateFile: undefined,
    maxUploadBytes: 33_554_432,
    now: Date.now,
  });
  return Bun.serve({
    port,
    hostname: "127.0.0.1",
    maxRequestBodySize: 33_554_432,
    fetch: (request) => app.fetch(request, {}),
  });
}

async function answerAsAuth(request: Request, gateway: Gateway): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/api/auth/session/token") {
    const role = (/session-of-a-(\w+)-/.exec(request.headers.get("cookie") ?? "")?.[1] ?? "viewer") as Role;
    const scope = scopesOfRole[role].join(" ");
    const access_token = await gateway.issuer.sign(scope, { sub: role, role, client_id: "browser", sid: "session-1" });
    return Response.json({ access_token, token_type: "Bearer", expires_in: 900, scope });
  }
  if (pathname === "/api/auth/me") return Response.json({ id: "1", name: "anna", role: "viewer" });
  if (pathname === "/api/auth/second-factor") return Response.json({ active: false, backupCodesLeft: 0 });
  const at = new Date().toISOString();
  const session = {
    id: "1",
    kind: "cookie",
    current: true,
    createdAt: at,
    lastUsedAt: at,
    expiresAt: at,
    userAgent: "a browser",
  };
  return Response.json({ items: [session] });
}

function answerAsEngine(engine: EngineName, request: Request, data: EngineData | undefined): Response {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname.endsWith("/buildinfo")) return Response.json({ version: "3.7.8", data: { version: "3.15.0" } });
  const query = searchParams.get("query") ?? "";
  if (engine === "alertmanager") {
    if (pathname.endsWith("/silences")) return Response.json(data === undefined ? [] : silencesOf(data));
    if (pathname.endsWith("/status")) return Response.json({ versionInfo: { version: "0.31.1" } });
    return Response.json(data === undefined ? [] : alertsOf(data));
  }
  if (engine === "jaeger") {
    if (pathname.endsWith("/services")) return Response.json({ data: ["gateway"] });
    const asked = pathname.split("/").at(-1) ?? "";
    const known =
      data !== undefined && (asked === data.traceId || (searchParams.get("tags") ?? "").includes(data.requestId));
    if (!known && asked !== "traces")
      return Response.json({ errors: [{ code: 404, msg: "trace not found" }] }, { status: 404 });
    return Response.json({ data: known ? [traceOf(data)] : [] });
  }
  if (pathname.endsWith("/values")) return Response.json({ data: data === undefined ? [] : ["gateway", data.mark] });
  if (pathname.endsWith("/query_exemplars")) return Response.json({ data: [] });
  const result = resultOf(engine, pathname, searchParams, query, data);
  return Response.json({ status: "success", data: { resultType: "any", result } });
}

function resultOf(
  engine: EngineName,
  pathname: string,
  parameters: URLSearchParams,
  query: string,
  data: EngineData | undefined,
): readonly unknown[] {
  if (data === undefined) return [];
  if (engine === "prometheus")
    return pathname.endsWith("query_range")
      ? rangeOf(parameters, data, "s")
      : query.includes('"threshold"')
        ? measuredOf(data)
        : instantOf(query, data);
  if (query.startsWith("sum")) return rangeOf(parameters, data, "ns");
  const [, id] = /(?:request_id|trace_id) = "([^"]+)"/.exec(query) ?? [];
  if (id !== undefined && id !== data.requestId && id !== data.traceId) return [];
  return streamsOf(data, id === undefined ? Number(parameters.get("limit")) : 40);
}
