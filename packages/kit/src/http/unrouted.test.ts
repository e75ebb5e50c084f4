import { expect, test } from "bun:test";
import { problem } from "@vitrine/contracts/problem";
import { Hono } from "hono";
import { alwaysReady, memoryLogger } from "../testing/log.ts";
import { type AppEnv, createBaseApp } from "./app.ts";

/** Routes of every kind, and middleware over them, which is of no method. */
function open() {
  const { logger, lines } = memoryLogger();
  const app = createBaseApp({ service: "test", logger, readiness: alwaysReady, newId: () => "made" });
  app.use("/things/*", (_, next) => next());
  app.get("/known", (c) => c.text("something"));
  app.route(
    "/things",
    new Hono<AppEnv>().get("/", (c) => c.text("")).post("/", (c) => c.text("")),
  );
  app.patch("/things/:id", (c) => c.text("")).delete("/things/:id", (c) => c.text(""));
  app.get("/lost/:id", (c) => c.notFound()).put("/lost/:id", (c) => c.text(""));
  return { app, lines };
}

test.each([
  ["/unknown", "GET"],
  ["/unknown", "POST"],
  ["/known/more", "POST"],
  ["/things/1/2", "DELETE"],
])("%s, by %s: an unknown path is 404, whatever the method", async (path, method) => {
  const answer = await open().app.request(path, { method });
  expect([answer.status, problem.parse(await answer.json()).code]).toEqual([404, "not_found"]);
  expect(answer.headers.has("allow")).toBe(false);
});

test.each([
  ["/known", "POST", "GET, HEAD"],
  ["/known", "OPTIONS", "GET, HEAD"],
  ["/known", "PURGE", "GET, HEAD"],
  ["/things", "DELETE", "GET, HEAD, POST"],
  ["/things/1", "GET", "PATCH, DELETE"],
  ["/things/1", "HEAD", "PATCH, DELETE"],
  ["/lost/1", "DELETE", "GET, HEAD, PUT"],
  ["/health/live", "POST", "GET, HEAD"],
])("%s has no %s: 405 in the form of every problem, and Allow says what it has", async (path, method, allow) => {
  const { app, lines } = open();
  const answer = await app.request(path, { method });
  expect([answer.status, answer.headers.get("allow"), answer.headers.get("x-request-id")]).toEqual([
    405,
    allow,
    "made",
  ]);
  const text = await answer.text();
  if (method === "HEAD") expect(text).toBe("");
  else expect(problem.parse(JSON.parse(text))).toMatchObject({ code: "method_not_allowed", status: 405 });
  expect(lines).toMatchObject([{ action: "http.request", extra: { status: 405 } }]);
});

test("a route that has the method, and not what was asked for, is 404", async () => {
  for (const method of ["GET", "HEAD"]) expect((await open().app.request("/lost/1", { method })).status).toBe(404);
});

test("HEAD is answered wherever GET is, without a body", async () => {
  const answer = await open().app.request("/known", { method: "HEAD" });
  expect([answer.status, await answer.text()]).toEqual([200, ""]);
});
