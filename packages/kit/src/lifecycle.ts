import type { Server, WebSocketHandler } from "bun";
import type { AppBindings } from "./http/env.ts";
import { writtenPathRoutes } from "./http/written-path.ts";
import type { Logger } from "./log.ts";
import { shutdownTelemetry } from "./telemetry/setup.ts";

export interface ReadinessReport {
  readonly ready: boolean;
  /** `ok` or what is missing, by the name of the task or check. */
  readonly checks: Readonly<Record<string, string>>;
}

export interface Readiness {
  /** The last known answer, for hot paths. */
  isReady(): boolean;
  /** True until every start-up task has succeeded once. */
  isStarting(): boolean;
  /** Runs every check, each within two seconds, and answers by name. */
  report(): Promise<ReadinessReport>;
}

/** What of `process` a service needs; only `main.ts` has the real one. */
export interface ProcessLike {
  on(event: "SIGTERM" | "SIGINT", listener: () => void): unknown;
  exit(code: number): never;
  exitCode?: number | string | null | undefined;
}

export interface Lifecycle {
  readonly readiness: Readiness;
  /** Aborted when the stop begins: what holds a request open on purpose ends it then, or draining takes its full time. */
  readonly stopping: AbortSignal;
  /** Registers how a resource ends, in the line after it is made; ends run in reverse order. */
  own<T>(resource: T, close: (resource: T) => unknown): T;
  /** Start-up work, tried again with growing delay until it succeeds; the service is not ready before. */
  task(name: string, run: () => Promise<void>): void;
  /** A condition of readiness; `probe` throws when it does not hold. */
  check(name: string, probe: () => Promise<void>): void;
  /** Something {@link Readiness.report} tells that does not decide readiness; `probe` throws when it is amiss. */
  inform(name: string, probe: () => Promise<void>): void;
  serve<W = undefined>(app: App, options: ServeOptions<W>): Server<W>;
  /** Stops on SIGTERM or SIGINT: readiness off, requests finished, resources closed, telemetry sent. */
  run(process: ProcessLike): Promise<void>;
  stop(): Promise<void>;
}

/** What answers requests; a Hono app is one. */
export interface App {
  fetch(request: Request, bindings: AppBindings): Response | Promise<Response>;
}

export interface ServeOptions<W = undefined> {
  readonly host: string;
  readonly port: number;
  /** Bytes; larger bodies get 413 before a handler sees them. Default 1 MiB. */
  readonly maxBodyBytes?: number;
  /** Seconds without traffic on a connection before it is closed. Default 30. */
  readonly idleTimeoutSeconds?: number;
  /** Lets other processes, or another listener of this one, share the port. */
  readonly reusePort?: boolean;
  /** PEM texts; with them the listener speaks TLS only. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Has `bindings.asWritten` tell of paths up to so many segments; of deeper ones it is false. */
  readonly maxSegments?: number;
  /** What talks to clients whose request a handler upgraded (RFC 6455). */
  readonly websocket?: WebSocketHandler<W>;
}

const checkTimeoutMs = 2_000;
const firstRetryMs = 200;
const maxRetryMs = 5_000;
/** Together with the four seconds telemetry may take, these stay under {@link exitTimeoutMs}. */
const drainTimeoutMs = 4_000;
const closeTimeoutMs = 1_000;
/** Last resort: whatever still hangs must not keep a stopped service on its port. */
const exitTimeoutMs = 10_000;

export function createLifecycle({ logger }: { readonly logger: Logger }): Lifecycle {
  const closers: (() => unknown)[] = [];
  const servers: Pick<Server<unknown>, "stop">[] = [];
  const pending = new Map<string, string>();
  const checks = new Map<string, () => Promise<void>>();
  const informative = new Map<string, () => Promise<void>>();
  const stopSignal = new AbortController();
  let stopping: Promise<void> | undefined;
  const stopped = Promise.withResolvers<void>();
  let lastReady = false;

  async function report(): Promise<ReadinessReport> {
    const [gating, telling] = await Promise.all([runChecks(checks), runChecks(informative)]);
    // Read after the checks: a task may have ended meanwhile, and a slower report must not undo what that one found.
    const entries: (readonly [string, string])[] = [...pending, ...gating];
    if (stopping !== undefined) entries.push(["lifecycle", "stopping"]);
    const ready = entries.every(([, outcome]) => outcome === "ok");
    entries.push(...telling);
    if (ready !== lastReady) {
      lastReady = ready;
      if (ready) logger.info({ action: "service.ready" }, "ready");
      else
        logger.warn(
          {
            action: "service.not_ready",
            extra: { checks: Object.fromEntries(entries) },
          },
          "not ready",
        );
    }
    return { ready, checks: Object.fromEntries(entries) };
  }

  async function attempt(name: string, run: () => Promise<void>): Promise<void> {
    for (let delayMs = firstRetryMs; stopping === undefined; delayMs = Math.min(delayMs * 2, maxRetryMs)) {
      try {
        await run();
        pending.delete(name);
        await report();
        return;
      } catch (err) {
        pending.set(name, "failed, will be tried again");
        logger.warn(
          {
            action: "service.not_ready",
            err,
            extra: { task: name, retry_ms: delayMs },
          },
          `start-up task ${name} failed`,
        );
        await within(delayMs, stopped.promise);
      }
    }
  }

  async function stop(): Promise<void> {
    lastReady = false;
    stopped.resolve();
    stopSignal.abort();
    logger.info({ action: "service.stopping" }, "stopping");
    await Promise.all(servers.map((server) => drain(server)));
    for (const close of closers.toReversed()) {
      try {
        if (!(await within(closeTimeoutMs, close()))) throw new Error(`not closed within ${closeTimeoutMs} ms`);
      } catch (err) {
        logger.error({ action: "service.stopped", err }, "a resource could not be closed");
      }
    }
    logger.info({ action: "service.stopped" }, "stopped");
    await shutdownTelemetry().catch((err: unknown) =>
      logger.error({ action: "telemetry.failed", err }, "telemetry could not be sent"),
    );
    await logger.flush();
  }

  return {
    readiness: {
      isReady: () => lastReady,
      isStarting: () => pending.size > 0,
      report,
    },
    stopping: stopSignal.signal,
    own: (resource, close) => {
      closers.push(() => close(resource));
      return resource;
    },
    task: (name, run) => {
      pending.set(name, "running");
      void attempt(name, run);
    },
    check: (name, probe) => checks.set(name, probe),
    inform: (name, probe) => informative.set(name, probe),
    serve: <W>(app: App, options: ServeOptions<W>) => {
      const { maxSegments } = options;
      const answer = (request: Request, server: Server<W>, asWritten: boolean) =>
        app.fetch(request, { server, asWritten } as AppBindings);
      const server: Server<W> = Bun.serve<W>({
        hostname: options.host,
        port: options.port,
        maxRequestBodySize: options.maxBodyBytes ?? 1_048_576,
        idleTimeout: options.idleTimeoutSeconds ?? 30,
        // Otherwise Bun answers what Hono cannot catch with a page that shows sources.
        development: false,
        fetch: (request: Request, server: Server<W>) => answer(request, server, maxSegments === undefined),
        ...(maxSegments === undefined ? {} : { routes: writtenPathRoutes(maxSegments, answer) }),
        reusePort: options.reusePort ?? false,
        ...(options.tls === undefined ? {} : { tls: options.tls }),
        ...(options.websocket === undefined ? {} : { websocket: options.websocket }),
      } as Parameters<typeof Bun.serve<W>>[0]);
      servers.push(server);
      logger.info({ action: "service.started", extra: { url: server.url.href } }, `listening on ${server.url.href}`);
      void report();
      // The heartbeat of pushed metrics must follow the checks even when nobody asks for /health/ready.
      const timer = setInterval(() => void report(), 5_000);
      timer.unref();
      closers.push(() => clearInterval(timer));
      return server;
    },
    run: (process) =>
      new Promise((resolve) => {
        // A terminal and a runner may both send one: the second changes nothing.
        const onSignal = () => {
          if (stopping !== undefined) return;
          setTimeout(() => process.exit(1), exitTimeoutMs).unref();
          stopping ??= stop();
          void stopping.then(resolve);
        };
        process.on("SIGTERM", onSignal);
        process.on("SIGINT", onSignal);
      }),
    stop: () => (stopping ??= stop()),
  };
}

/** Resolves to false when `ms` pass before `work` settles. */
async function within(ms: number, work: unknown): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), ms);
  try {
    return await Promise.race([Promise.resolve(work).then(() => true), promise]);
  } finally {
    clearTimeout(timer);
  }
}

function runChecks(probes: ReadonlyMap<string, () => Promise<void>>): Promise<(readonly [string, string])[]> {
  return Promise.all([...probes].map(([name, probe]) => runCheck(name, probe)));
}

async function runCheck(name: string, probe: () => Promise<void>): Promise<readonly [string, string]> {
  try {
    const answered = await within(checkTimeoutMs, probe());
    return [name, answered ? "ok" : `no answer within ${checkTimeoutMs} ms`];
  } catch (error) {
    return [name, error instanceof Error ? error.message : "failed"];
  }
}

async function drain(server: Pick<Server<unknown>, "stop">): Promise<void> {
  await within(drainTimeoutMs, server.stop());
  await server.stop(true);
}
