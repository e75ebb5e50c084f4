import { metrics } from "@vitrine/contracts/telemetry";
import type { ServiceParts } from "@vitrine/kit/service";
import { observe } from "@vitrine/kit/telemetry";
import { createApp } from "./app.ts";
import { createSessionTokens } from "./browser/sessions.ts";
import { createClientAddress } from "./client-address.ts";
import { createCollector } from "./collector/collector.ts";
import { probeCollector } from "./collector/probe.ts";
import type { Config } from "./config.ts";
import { createDeadlines } from "./deadlines.ts";
import { createEvents } from "./events.ts";
import { createIdentity } from "./identity.ts";
import { createForgeryGuard } from "./limits/forgery-guard.ts";
import { createLimits } from "./limits/limits.ts";
import { listen } from "./listen.ts";
import { maxSegments, otlpRoutes, routes } from "./routes/table.ts";
import { createTails } from "./tail.ts";

/** Wires one process of the gateway: both listeners stand on the same parts. */
export function serve({ config, logger, lifecycle }: ServiceParts<Config>): void {
  const verifier = createIdentity({ ...config, logger, lifecycle });
  // Told, not asked for: engines may still be building, and a gateway out of rotation helps no exporter.
  lifecycle.inform("collector", () => probeCollector(config.upstreams.collector));
  const deadlines = createDeadlines();
  const tails = createTails();
  lifecycle.stopping.addEventListener("abort", () => tails.closeAll());
  const limits = createLimits(config.limits);
  observe(metrics.gatewayRequestsHeld, (report) => {
    for (const [state, count] of Object.entries(limits.load())) report(count, { state: state as "inside" });
  });
  observe(metrics.gatewayTails, (report) => report(tails.size()));
  const deps = {
    logger,
    readiness: lifecycle.readiness,
    ownOrigin: config.ownOrigin,
    sessions: createSessionTokens({ authUrl: config.upstreams.auth }),
    tails,
    guard: createForgeryGuard({ verifier, failuresPerSecond: config.limits.failuresPerSecond }),
    limits,
    clientAddress: createClientAddress(config),
    events: createEvents(logger),
    deadlines,
    collector: lifecycle.own(createCollector(config.upstreams.collector, deadlines), (collector) => collector.close()),
    upstreams: config.upstreams,
  };
  const listener = {
    logger,
    host: config.http.host,
    reusePort: config.reusePort,
    certificate: config.tls,
    // Bun's own 413 is bare: every route counts its bodies itself and answers in its form.
    maxBodyBytes: Number.MAX_SAFE_INTEGER,
    maxSegments,
  };
  listen(lifecycle, createApp({ ...deps, routes, defaultErrors: "problem" }), {
    ...listener,
    port: config.http.port,
    websocket: tails.handler,
  });
  listen(lifecycle, createApp({ ...deps, routes: otlpRoutes, defaultErrors: "otlp" }), {
    ...listener,
    port: config.otlpPort,
  });
}
