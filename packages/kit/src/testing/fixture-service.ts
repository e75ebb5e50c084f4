/** A small real service that the telemetry tests run as its own process, with the preload, as a service is run. */
import { context, trace } from "@opentelemetry/api";
import { baseShape, parseEnv, port, secret, toBaseConfig } from "../config.ts";
import { tracedFetch } from "../fetch.ts";
import { createBaseApp } from "../http/app.ts";
import { createDatabase } from "../postgres/database.ts";
import { runService } from "../service.ts";

await runService(
  "fixture",
  process,
  (env) => {
    const values = parseEnv(env, { ...baseShape, PORT: port(0), DATABASE_URL: secret() });
    return { ...toBaseConfig(values), databaseUrl: values.DATABASE_URL };
  },
  ({ config, logger, lifecycle }) => {
    const database = lifecycle.own(
      createDatabase({
        url: config.databaseUrl,
        service: "fixture",
        logger,
        maxConnections: 10,
        // 900 wait for 10: on a busy machine longer than a service should let anyone wait.
        connectTimeoutMs: 20_000,
      }),
      (db) => db.close(),
    );
    lifecycle.check("postgres", () => database.ping());
    const app = createBaseApp({ service: "fixture", logger, readiness: lifecycle.readiness });
    app.get("/query/:n", async (c) => {
      const n = Number(c.req.param("n"));
      await database.query("select $1::int as n, pg_sleep(0.001)", [n]);
      logger.info({ action: "http.request", extra: { n } }, "queried");
      return c.json({ n });
    });
    app.get("/mixed/:n", async (c) => {
      const n = Number(c.req.param("n"));
      logger.info({ action: "http.request", extra: { n } }, "mixed");
      // Every third fails in the database, as `n % 3` is its divisor.
      await database.query("select $1::int / ($1::int % 3) as mixed, pg_sleep(0.001)", [n]);
      return c.json({ n });
    });
    app.get("/spread", async (c) => {
      const traceOf = () => trace.getSpan(context.active())?.spanContext().traceId ?? "none";
      const seen = [traceOf()];
      await Promise.resolve();
      seen.push(traceOf());
      const { promise, resolve } = Promise.withResolvers<void>();
      setTimeout(() => {
        seen.push(traceOf());
        resolve();
      }, 1);
      await promise;
      queueMicrotask(() => seen.push(traceOf()));
      await database.query("select 1");
      seen.push(traceOf());
      await fetch(new URL("/health/live", c.req.url)).then(() => seen.push(traceOf()));
      return c.json({ seen });
    });
    app.get("/call", async (c) => {
      const answer = await tracedFetch(new URL("/query/7", c.req.url), { timeoutMs: 2_000 });
      return c.json({ status: answer.status });
    });
    app.get("/fail", () => {
      throw new Error("broken on purpose");
    });
    lifecycle.serve(app, config.http);
  },
);
