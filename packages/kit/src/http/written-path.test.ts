import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { createLifecycle } from "../lifecycle.ts";
import { memoryLogger } from "../testing/log.ts";

const lifecycle = createLifecycle({ logger: memoryLogger("paths").logger });
let port = 0;

beforeAll(() => {
  const app = { fetch: (_: Request, { asWritten }: { asWritten?: boolean }) => new Response(String(asWritten)) };
  port = lifecycle.serve(app, { host: "127.0.0.1", port: 0, maxSegments: 4 }).port ?? 0;
});
afterAll(() => lifecycle.stop());

/** What the app was told of a target, which no client library would send as it is. */
function told(target: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let received = "";
  const socket = connect(port, "127.0.0.1", () =>
    socket.write(`POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`),
  );
  socket.on("data", (data) => (received += data.toString("latin1")));
  socket.on("close", () => resolve(received.split("\r\n\r\n")[1] ?? ""));
  return promise;
}

test.each([
  "/",
  "/?a=/../b",
  "/v1/logs",
  "/v1/logs?x",
  "/a/b/c/d",
  "/.well-known/x",
  "/a/...",
  "/a%20b/caf%C3%A9",
  "http://b/v1",
])("%s comes as it was written", async (target) => expect(await told(target)).toBe("true"));

test.each([
  "/..",
  "/.",
  "/v1/../logs",
  "/v1/./logs",
  "/v1/logs/..",
  "/%2e%2e/logs",
  "/v1/%2E/logs",
  "/v1/.%2e",
  "/v1\\logs",
  "/v1\\..\\logs",
  "/v1/%5c",
  "http://b/v1/../logs",
  "/a/b/c/d/e",
  "/a/../b/../c",
  "/v1/logs/",
  "/v1//logs",
])("%s does not", async (target) => expect(await told(target)).toBe("false"));
