import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { problem } from "@vitrine/contracts/problem";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { type ErrorCode, ServiceError } from "../errors.ts";
import { alwaysReady, memoryLogger } from "../testing/log.ts";
import { startTestTelemetry, type TestTelemetry } from "../testing/telemetry.ts";
import { type AppEnv, createBaseApp, toServiceError } from "./app.ts";
import { maskAddress } from "./observe.ts";
import { validated } from "./validate.ts";
import { until } from "../testing/eventually.ts";

/** Processes and servers of their own are slow on a busy machine. */
setDefaultTimeout(30_000);

let telemetry: TestTelemetry;

beforeAll(() => {
  telemetry = startTestTelemetry();
});

afterEach(() => telemetry.reset());

afterAll(() => telemetry.stop());

type OpenOptions = Partial<Pick<Parameters<typeof createBaseApp>[0], "quietPaths" | "startingPaths">> & {
  readonly starting?: boolean;
};

function open({ starting = false, ...options }: OpenOptions = {}) {
  const { logger, lines } = memoryLogger();
  let made = 0;
  const app = createBaseApp({
    service: "test",
    logger,
    readiness: { ...alwaysReady, isStarting: () => starting },
    newId: () => {
      made += 1;
      return `made-${made}`;
    },
    ...options,
  });
  return { app, lines, access: () => lines.filter((line) => line.action === "http.request") };
}

/** Requests now in flight, as the metric has it. */
async function inFlight(): Promise<number> {
  const points = await telemetry.points("http.server.active_requests");
  return points.reduce((sum, { value }) => sum + value, 0);
}

describe("the request id", () => {
  test.each(["a", "order-42", "0198c0de-7b1a-7000-8000-000000000000", "A.b_c:d-e", "x".repeat(128)])(
    "%s is taken, logged and sent back",
    async (id) => {
      const { app, access } = open();
      app.get("/id", (c) => c.text(c.get("requestId")));
      const answer = await app.request("/id", { headers: { "x-request-id": id } });
      expect(answer.headers.get("x-request-id")).toBe(id);
      expect(await answer.text()).toBe(id);
      expect(access()[0]?.["request_id"]).toBe(id);
      expect(telemetry.spans()[0]?.attributes["request.id"]).toBe(id);
    },
  );

  test.each(["", "-a", "a b", "a,b", 'a"b', "a/b", "ä", "x".repeat(129), "a\u007f"])(
    "%p is not an id: one is made",
    async (id) => {
      const { app } = open();
      app.get("/id", (c) => c.text(""));
      const headers = new Headers();
      headers.set("x-request-id", id === "ä" ? "\u00e4" : id);
      const answer = await app.request("/id", { headers });
      expect(answer.headers.get("x-request-id")).toBe("made-1");
    },
  );

  test("is on problems, on unknown paths and on answers whose headers cannot be changed", async () => {
    const { app } = open();
    app.get("/upstream", () => Response.redirect("http://elsewhere.test/", 302));
    app.get("/broken", () => {
      throw new Error("broken");
    });
    for (const path of ["/upstream", "/broken", "/nowhere"]) {
      const answer = await app.request(path, { headers: { "x-request-id": "given" } });
      expect(answer.headers.get("x-request-id")).toBe("given");
    }
  });
});

describe("problems", () => {
  test("have the shape of the contract, its media type, and find the trace", async () => {
    const { app } = open();
    app.get("/gone", () => {
      throw new ServiceError("out_of_stock", "only two are left", { headers: { "x-extra": "1" } });
    });
    const answer = await app.request("/gone");
    expect(answer.status).toBe(409);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.headers.get("x-extra")).toBe("1");
    const body = problem.parse(await answer.json());
    expect(body).toMatchObject({ status: 409, code: "out_of_stock", detail: "only two are left", requestId: "made-1" });
    expect(body.instance).toBe("/requests/made-1");
    expect(body.traceId).toBe(telemetry.spans()[0]?.spanContext().traceId ?? "");
  });

  test("are pages for a browser that opens the address, escaped, and lead to the request", async () => {
    const { app } = open();
    app.get("/gone", () => {
      throw new ServiceError("out_of_stock", "<script>alert(1)</script>");
    });
    const accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    const answer = await app.request("/gone", { headers: { accept } });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([409, "text/html; charset=utf-8"]);
    const text = await answer.text();
    expect(text).toContain('<a href="/requests/made-1">made-1</a>');
    expect(text).toContain("&lt;script&gt;");
    expect(text).not.toContain("<script>");
    const asked = await app.request("/gone", { headers: { accept: "application/json, text/html" } });
    expect(asked.headers.get("content-type")).toBe("application/problem+json");
  });

  test.each([
    ["an error", () => new Error("secret detail")],
    ["text", () => "secret detail"],
    ["nothing", () => undefined],
    ["a fault of ours", () => new ServiceError("unavailable", undefined, { reason: "secret detail", cause: 1 })],
    ["an HTTPException 500", () => new HTTPException(500, { message: "secret detail" })],
  ])("of 5xx hide what happened, also when %s is thrown", async (_, make) => {
    const { app, lines } = open();
    app.get("/broken", () => {
      throw make();
    });
    const answer = await app.request("/broken");
    expect(answer.status).toBeGreaterThanOrEqual(500);
    const text = await answer.text();
    expect(text).not.toContain("secret detail");
    expect(problem.parse(JSON.parse(text)).code).toBe(answer.status === 503 ? "unavailable" : "internal");
    expect(lines.filter((line) => line.action === "http.error")).toHaveLength(1);
    expect(telemetry.spans()[0]?.status.code).toBe(SpanStatusCode.ERROR);
    expect(await inFlight()).toBe(0);
  });

  test.each([
    [400, "invalid_request"],
    [401, "unauthenticated"],
    [403, "insufficient_scope"],
    [404, "not_found"],
    [405, "method_not_allowed"],
    [409, "invalid_request"],
    [413, "payload_too_large"],
    [415, "unsupported_media_type"],
    [429, "rate_limited"],
    [500, "internal"],
    [503, "internal"],
  ] as const)("HTTPException %d becomes %s", (status, code) => {
    const { detail, ...error } = toServiceError(new HTTPException(status));
    expect(error.code).toBe(code satisfies ErrorCode);
    expect(detail).toBeUndefined();
  });

  test("name every field that is wrong", async () => {
    const { app } = open();
    const body = z.strictObject({ id: z.string(), lines: z.array(z.object({ quantity: z.int() })) });
    app.post("/orders", validated("json", body), (c) => c.json(c.req.valid("json")));
    const post = (text: string) =>
      app.request("/orders", { method: "POST", headers: { "content-type": "application/json" }, body: text });
    const answer = await post('{"lines":[{"quantity":1},{"quantity":"2"}]}');
    expect(answer.status).toBe(400);
    expect(problem.parse(await answer.json()).fields?.map(({ field }) => field)).toEqual(["id", "lines.1.quantity"]);
    expect(problem.parse(await (await post("{")).json()).code).toBe("invalid_request");
  });

  test("say so when a body was not read for its media type, instead of what is missing in it", async () => {
    const { app } = open();
    app.post("/orders", validated("json", z.object({ id: z.string() })), (c) => c.json(c.req.valid("json")));
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"]) {
      const answer = await app.request("/orders", {
        method: "POST",
        headers: { "content-type": type },
        body: '{"id":"1"}',
      });
      expect([answer.status, problem.parse(await answer.json())]).toMatchObject([
        400,
        { detail: "Content-Type: must be application/json", fields: [{ field: "Content-Type" }] },
      ]);
    }
    const headers = { "content-type": "application/vnd.vitrine+json; charset=utf-8" };
    expect((await app.request("/orders", { method: "POST", headers, body: '{"id":"1"}' })).status).toBe(200);
  });

  test("an answer of another service that stops half-way is upstream_timeout", async () => {
    const { app } = open();
    app.get("/slow", () => {
      throw new DOMException("The operation timed out.", "TimeoutError");
    });
    expect((await app.request("/slow")).status).toBe(504);
  });
});

describe("while the service starts", () => {
  test("routes answer 503 with Retry-After, health and metrics answer themselves", async () => {
    const { app } = open({ starting: true });
    app.get("/orders", (c) => c.text("never"));
    const answer = await app.request("/orders");
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(problem.parse(await answer.json())).toMatchObject({ code: "unavailable" });
    expect((await app.request("/health/live")).status).toBe(200);
    expect((await app.request("/health/ready")).status).toBe(200);
    expect((await app.request("/metrics")).status).toBe(200);
  });

  test("paths that do not wait for it answer themselves, and no others", async () => {
    const { app } = open({ starting: true, startingPaths: ["/alerts"] });
    app.get("/alerts/new", (c) => c.text("taken"));
    app.get("/orders", (c) => c.text("never"));
    expect([(await app.request("/alerts/new")).status, (await app.request("/orders")).status]).toEqual([200, 503]);
  });

  test("not ready is 503 and says what is missing", async () => {
    const { logger } = memoryLogger();
    const report = { ready: false, checks: { postgres: "no answer" } };
    const app = createBaseApp({
      service: "test",
      logger,
      readiness: { ...alwaysReady, report: async () => report },
    });
    const answer = await app.request("/health/ready");
    expect([answer.status, await answer.json()]).toEqual([503, report]);
  });
});

describe("spans and metrics", () => {
  test("one server span and one measurement stand under the template of a nested route", async () => {
    const { app } = open();
    const inner = new Hono<AppEnv>().use(async (_, next) => await next()).get("/:id/lines/:line", (c) => c.text(""));
    app.route("/api/nested", inner);
    await app.request("/api/nested/42/lines/7?q=secret");
    const [span] = telemetry.spans();
    expect(telemetry.spans()).toHaveLength(1);
    expect(span?.name).toBe("GET /api/nested/:id/lines/:line");
    expect(span?.kind).toBe(SpanKind.SERVER);
    expect(span?.attributes).toMatchObject({
      "http.route": "/api/nested/:id/lines/:line",
      "http.response.status_code": 200,
      "url.path": "/api/nested/42/lines/7",
    });
    expect(await telemetry.points("http.server.request.duration")).toContainEqual({
      attributes: {
        "http.request.method": "GET",
        "http.route": "/api/nested/:id/lines/:line",
        "http.response.status_code": 200,
      },
      value: 1,
    });
  });

  test("a request refused by middleware stands under the route it was meant for", async () => {
    const { app } = open();
    app.use("/guarded/*", () => {
      throw new ServiceError("unauthenticated");
    });
    app.get("/guarded/:id", (c) => c.text(""));
    await app.request("/guarded/1");
    expect(telemetry.spans()[0]?.name).toBe("GET /guarded/:id");
  });

  test("a route keeps its name although middleware of a neighbour mounted after it matches its path", async () => {
    const { app } = open();
    app.route(
      "/api/shared",
      new Hono<AppEnv>().get("/login", (c) => c.text("")),
    );
    app.route(
      "/api/shared",
      new Hono<AppEnv>().use(async (_, next) => await next()).get("/other", (c) => c.text("")),
    );
    await app.request("/api/shared/login");
    expect(telemetry.spans()[0]?.name).toBe("GET /api/shared/login");
  });

  test("a method of a stranger's making is one label", async () => {
    const { app } = open();
    await app.request("/x", { method: "PROPFIND" });
    expect(telemetry.spans()[0]?.attributes["http.request.method"]).toBe("_OTHER");
  });

  test("HEAD is answered by the GET handler without a body, and measured as HEAD", async () => {
    const { app } = open();
    app.get("/page", (c) => c.text("body"));
    const answer = await app.request("/page", { method: "HEAD" });
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
    expect(telemetry.spans().map(({ name }) => name)).toEqual(["HEAD /page"]);
    expect(answer.headers.get("x-request-id")).toBe("made-1");
  });

  test("a quiet path leaves neither span nor line, and is still measured", async () => {
    const { app, access } = open({ quietPaths: ["/v1/"] });
    app.post("/v1/quiet", (c) => c.text(""));
    await app.request("/v1/quiet", { method: "POST" });
    expect(telemetry.spans()).toHaveLength(0);
    expect(access()).toHaveLength(0);
    const points = await telemetry.points("http.server.request.duration");
    expect(points.some(({ attributes }) => attributes["http.route"] === "/v1/quiet")).toBe(true);
  });

  test("a streamed answer is measured until its headers, and its stream keeps the request's context", async () => {
    const { app, access } = open();
    const { logger, lines } = memoryLogger();
    const more = Promise.withResolvers<void>();
    app.get("/stream", () => {
      const body = new ReadableStream({
        async start(controller) {
          controller.enqueue("first");
          await more.promise;
          logger.info({ action: "http.request" }, "second");
          controller.enqueue("second");
          controller.close();
        },
      });
      return new Response(body);
    });
    const answer = await app.request("/stream", { headers: { "x-request-id": "streamed" } });
    expect(telemetry.spans()).toHaveLength(1);
    expect(access()).toHaveLength(1);
    more.resolve();
    expect(await answer.text()).toBe("firstsecond");
    expect(lines[0]?.["request_id"]).toBe("streamed");
  });
});

describe("the access line", () => {
  test("carries neither query, token nor whole address", async () => {
    const { app, access, lines } = open();
    app.get("/find/:id", (c) => c.text(""));
    const server = { requestIP: () => ({ address: "203.0.113.77" }) };
    await app.request(
      "/find/1?token=hidden-query",
      { headers: { authorization: "Bearer hidden-token", cookie: "hidden-cookie" } },
      { server },
    );
    expect(access()[0]).toMatchObject({
      level: "info",
      message: "GET /find/:id 200",
      extra: { method: "GET", route: "/find/:id", path: "/find/1", status: 200, client_address: "203.0.113.0" },
    });
    const everything = JSON.stringify([lines, telemetry.spans().map(({ attributes, events }) => [attributes, events])]);
    expect(everything).not.toContain("hidden");
    expect(everything).not.toContain("113.77");
  });

  test("of a 5xx is an error", async () => {
    const { app, access } = open();
    app.get("/broken", () => {
      throw new Error("broken");
    });
    await app.request("/broken");
    expect(access()[0]?.level).toBe("error");
  });

  test.each([
    ["203.0.113.77", "203.0.113.0"],
    ["::ffff:203.0.113.77", "203.0.113.0"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1::"],
    ["2001:db8::5", "2001:db8::"],
    ["2001:db8:1::5", "2001:db8:1::"],
    ["::1", "::"],
    ["1::", "1::"],
    ["::", "::"],
    ["fe80::1%eth0", "fe80::"],
  ])("masks %s to %s", (address, masked) => {
    expect(maskAddress(address)).toBe(masked);
  });
});

describe("behind a real server", () => {
  const limit = 1_000;

  function serve() {
    const opened = open();
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      maxRequestBodySize: limit,
      fetch: (request, server) => opened.app.fetch(request, { server }),
    });
    return { ...opened, base: server.url.origin, server };
  }

  /** A body of unknown length. */
  function chunked(bytes: number): ReadableStream<Uint8Array> {
    return new ReadableStream({
      pull: (controller) => {
        controller.enqueue(new Uint8Array(100));
        bytes -= 100;
        if (bytes <= 0) controller.close();
      },
    });
  }

  test("a body over the limit is 413, whether or not its length was declared, and no error of ours", async () => {
    const { app, base, server, lines } = serve();
    app.post("/upload", async (c) => c.text(String((await c.req.arrayBuffer()).byteLength)));
    const declared = await fetch(`${base}/upload`, { method: "POST", body: new Uint8Array(limit + 1) });
    expect(declared.status).toBe(413);
    const undeclared = await fetch(`${base}/upload`, { method: "POST", body: chunked(5_000) });
    expect(undeclared.status).toBe(413);
    const within = await fetch(`${base}/upload`, { method: "POST", body: chunked(1_000) });
    expect(await within.text()).toBe("1000");
    expect(lines.filter(({ level }) => level === "error")).toEqual([]);
    await server.stop(true);
  });

  test("a client that goes away ends span, line and count all the same, and is no error of ours", async () => {
    const { app, base, server, access, lines } = serve();
    const begun = Promise.withResolvers<void>();
    const going = Promise.withResolvers<void>();
    app.get("/slow", async (c) => {
      begun.resolve();
      await going.promise;
      return c.text("too late");
    });
    const reading = Promise.withResolvers<void>();
    app.post("/read", async (c) => {
      reading.resolve();
      return c.text(await c.req.text());
    });
    const leaving = new AbortController();
    const answer = fetch(`${base}/slow`, { signal: leaving.signal }).catch(() => undefined);
    await begun.promise;
    expect(await inFlight()).toBe(1);
    leaving.abort();
    await answer;
    going.resolve();
    await until(() => access().length === 1);
    expect(telemetry.spans()).toHaveLength(1);
    expect(await inFlight()).toBe(0);

    const uploading = new AbortController();
    const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(10)) });
    const upload = fetch(`${base}/read`, { method: "POST", body, signal: uploading.signal }).catch(() => undefined);
    await reading.promise;
    uploading.abort();
    await upload;
    await until(() => access().length === 2);
    expect(access()[1]?.["extra"]).toMatchObject({ status: 499 });
    expect(telemetry.spans()).toHaveLength(2);
    expect(await inFlight()).toBe(0);
    expect(lines.filter(({ level }) => level === "error")).toEqual([]);
    await server.stop(true);
  });

  test("requests at the same time keep their ids on their own lines", async () => {
    const { app, base, server } = serve();
    const { logger, lines } = memoryLogger();
    app.get("/work/:n", async (c) => {
      await Bun.sleep(Number(c.req.param("n")) % 7);
      logger.info({ action: "http.request", extra: { n: c.req.param("n") } }, "worked");
      return c.text("");
    });
    await Promise.all(
      Array.from({ length: 200 }, (_, n) => fetch(`${base}/work/${n}`, { headers: { "x-request-id": `id-${n}` } })),
    );
    expect(lines).toHaveLength(200);
    for (const line of lines) {
      expect(line["request_id"]).toBe(`id-${(line["extra"] as { readonly n: string }).n}`);
    }
    expect(new Set(lines.map((line) => line["trace_id"])).size).toBe(200);
    await server.stop(true);
  });
});
