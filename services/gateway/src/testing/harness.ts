import { connect } from "node:net";
import type { Server } from "bun";
import { createLifecycle } from "@vitrine/kit/lifecycle";
import { type LogLine, memoryLogger } from "@vitrine/kit/testing/log";
import { createTestIssuer, type TestIssuer } from "@vitrine/kit/testing/tokens";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import { createApp } from "../app.ts";
import type { UpstreamUrls } from "../deps.ts";
import { createSessionTokens } from "../browser/sessions.ts";
import { createCollector } from "../collector/collector.ts";
import { createClientAddress } from "../client-address.ts";
import { createDeadlines } from "../deadlines.ts";
import { createEvents, type GatewayEvents, type Refusal } from "../events.ts";
import { createForgeryGuard } from "../limits/forgery-guard.ts";
import { createLimits, type Limits } from "../limits/limits.ts";
import { type RateClass, type RateClassName, rateClasses } from "../routes/rate-class.ts";
import { type Route, upstreams } from "../routes/route.ts";
import { maxSegments, otlpRoutes, routes } from "../routes/table.ts";
import { createTails, type Tails } from "../tail.ts";

/** A request as an upstream saw it. */
interface Seen {
  readonly upstream: string;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

export interface Gateway {
  readonly url: string;
  readonly otlpUrl: string;
  readonly port: number;
  readonly otlpPort: number;
  readonly issuer: TestIssuer;
  readonly limits: Limits;
  readonly tails: Tails;
  readonly seen: Seen[];
  readonly lines: LogLine[];
  readonly refusals: Refusal[];
  readonly accepted: { readonly clientId: string; readonly signal: string; readonly bytes: number }[];
  /** Answers for an upstream until the next test; `seen` is not filled meanwhile. */
  answer: ((request: Request, upstream: string) => Response | Promise<Response>) | undefined;
  bearer(scope: string, claims?: Parameters<TestIssuer["sign"]>[1]): Promise<Record<string, string>>;
  stop(): Promise<void>;
}

export interface GatewayOptions {
  readonly verifier?: TokenVerifier;
  readonly upstreams?: Partial<UpstreamUrls>;
  readonly routes?: readonly Route[];
  readonly quotas?: Partial<Record<RateClassName, Partial<RateClass>>>;
  readonly maxConcurrent?: number;
  readonly failuresPerSecond?: number;
  readonly ownOrigin?: string;
  /** For browsers, which must be told the origin beforehand. */
  readonly port?: number;
  readonly trustedProxies?: readonly string[];
}

const names = Object.keys(upstreams).filter((name) => name !== "self");

/** The gateway on two real listeners before real upstreams, one for each there is, that write down what reaches them. */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const issuer = await createTestIssuer();
  const { logger, lines } = memoryLogger("gateway");
  const lifecycle = createLifecycle({ logger });
  const records: Pick<Gateway, "seen" | "refusals" | "accepted"> & { answer: Gateway["answer"] } = {
    seen: [],
    refusals: [],
    accepted: [],
    answer: undefined,
  };
  const sinks = names.map((name) => [name, startSink(name, records)] as const);
  const urls = Object.fromEntries(sinks.map(([name, sink]) => [name, sink.url.origin])) as unknown as UpstreamUrls;
  const limits = createLimits({
    classes: withQuotas(options.quotas),
    maxConcurrent: options.maxConcurrent ?? 1_024,
    // Tests let go of what they hold by themselves: a busy machine must not be what ends a wait.
    waitMs: 20_000,
  });
  const deadlines = createDeadlines();
  const tails = createTails();
  lifecycle.stopping.addEventListener("abort", () => tails.closeAll());
  const deps = {
    logger,
    tails,
    ownOrigin: options.ownOrigin ?? "http://localhost:8080",
    sessions: createSessionTokens({ authUrl: options.upstreams?.auth ?? urls.auth }),
    readiness: lifecycle.readiness,
    guard: createForgeryGuard({
      verifier: options.verifier ?? issuer.verifier,
      failuresPerSecond: options.failuresPerSecond ?? 0,
    }),
    limits,
    clientAddress: createClientAddress({ trustedProxies: options.trustedProxies ?? [] }),
    events: recordEvents(createEvents(logger), records),
    collector: lifecycle.own(createCollector(options.upstreams?.collector ?? urls.collector, deadlines), (it) =>
      it.close(),
    ),
    deadlines,
    upstreams: { ...urls, ...options.upstreams },
  };
  const listener = { host: "127.0.0.1", port: 0, maxBodyBytes: Number.MAX_SAFE_INTEGER, maxSegments };
  const main = lifecycle.serve(createApp({ ...deps, routes: options.routes ?? routes, defaultErrors: "problem" }), {
    ...listener,
    port: options.port ?? 0,
    websocket: tails.handler,
  });
  const otlp = lifecycle.serve(createApp({ ...deps, routes: otlpRoutes, defaultErrors: "otlp" }), listener);
  return Object.assign(records, {
    url: main.url.origin,
    otlpUrl: otlp.url.origin,
    port: main.port ?? 0,
    otlpPort: otlp.port ?? 0,
    issuer,
    limits,
    tails,
    lines,
    bearer: async (scope: string, claims = {}) => ({ authorization: `Bearer ${await issuer.sign(scope, claims)}` }),
    stop: async () => {
      await Promise.all([main, otlp, ...sinks.map(([, sink]) => sink)].map((server) => server.stop(true)));
      await lifecycle.stop();
    },
  });
}

function withQuotas(quotas: GatewayOptions["quotas"] = {}): typeof rateClasses {
  const classes = Object.entries(rateClasses).map(([name, limits]) => [
    name,
    { ...limits, ...quotas[name as RateClassName] },
  ]);
  return Object.fromEntries(classes) as typeof rateClasses;
}

function recordEvents(events: GatewayEvents, records: Pick<Gateway, "refusals" | "accepted">): GatewayEvents {
  return {
    refused: (refusal) => {
      records.refusals.push(refusal);
      events.refused(refusal);
    },
    accepted: (clientId, signal, bytes) => {
      records.accepted.push({ clientId, signal, bytes });
      events.accepted(clientId, signal, bytes);
    },
    upstreamFailed: (upstream, route, status) => events.upstreamFailed(upstream, route, status),
    answered: (answered) => events.answered(answered),
    upstreamAnswered: (upstream) => events.upstreamAnswered(upstream),
    brokenOff: (upstream, route, cause) => events.brokenOff(upstream, route, cause),
  };
}

function startSink(
  name: string,
  records: { readonly seen: Seen[]; readonly answer: Gateway["answer"] },
): Server<undefined> {
  return Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    maxRequestBodySize: 1_073_741_824,
    fetch: async (request) => {
      if (records.answer !== undefined) return records.answer(request, name);
      const url = new URL(request.url);
      const body = new Uint8Array(await request.arrayBuffer());
      records.seen.push({
        upstream: name,
        method: request.method,
        path: url.pathname,
        query: url.search,
        headers: request.headers,
        body,
      });
      if (name !== "collector") return Response.json({ from: name });
      const type = request.headers.get("content-type") ?? "";
      return new Response(type.endsWith("json") ? '{"partialSuccess":{}}' : new Uint8Array(), {
        headers: { "content-type": type },
      });
    },
  });
}

/** Writes bytes to a port as they are and returns all that comes back until the server closes or falls silent. */
export function sendRaw(port: number, bytes: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let received = "";
  const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
  socket.setTimeout(3_000, () => socket.destroy());
  socket.on("data", (chunk) => (received += chunk.toString("latin1")));
  socket.on("error", () => undefined);
  socket.on("close", () => resolve(received));
  return promise;
}

/** The status of a raw answer; 0 when the connection was closed without one. */
export function rawStatus(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
}

/** Reads a `google.rpc.Status` of either encoding. */
export async function readStatus(response: Response): Promise<{ readonly code: number; readonly message: string }> {
  if (response.headers.get("content-type") === "application/json") {
    return (await response.json()) as { code: number; message: string };
  }
  const bytes = new Uint8Array(await response.arrayBuffer());
  const [codeTag, code, messageTag] = bytes;
  if (codeTag !== 0x08 || messageTag !== 0x12 || code === undefined) throw new Error("not a google.rpc.Status");
  const long = (bytes[3] ?? 0) > 0x7f;
  const length = long ? ((bytes[3] ?? 0) & 0x7f) | ((bytes[4] ?? 0) << 7) : (bytes[3] ?? 0);
  const text = bytes.subarray(long ? 5 : 4);
  if (text.byteLength !== length) throw new Error("the length of the message is wrong");
  return { code, message: new TextDecoder().decode(text) };
}
