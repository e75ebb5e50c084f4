import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { createServer, type Server } from "node:net";
import { type Gateway, rawStatus, sendRaw, startGateway } from "./testing/harness.ts";

/** The collector as bytes: what another parser than ours would see of everything that was sent to it. */
let heard = "";
let collector: Server;
let gateway: Gateway;
let token: string;

beforeAll(async () => {
  collector = createServer((socket) => {
    socket.on("error", () => undefined);
    let pending = "";
    socket.on("data", (data) => {
      heard += data.toString("latin1");
      pending += data.toString("latin1");
      for (let at = pending.indexOf("\r\n\r\n"); at !== -1; at = pending.indexOf("\r\n\r\n")) {
        const head = pending.slice(0, at);
        const length = Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0);
        const end = head.includes("chunked") ? pending.indexOf("\r\n0\r\n\r\n") + 7 : at + 4 + length;
        if (end === 6 || pending.length < end) return;
        pending = pending.slice(end);
        socket.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
      }
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  collector.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = collector.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  gateway = await startGateway({ upstreams: { collector: `http://127.0.0.1:${port}` } });
  token = (await gateway.bearer("telemetry:write"))["authorization"] ?? "";
});
afterAll(async () => {
  await gateway.stop();
  collector.close();
});
afterEach(() => {
  heard = "";
});

const hidden = "GET /v1/hidden HTTP/1.1\r\nHost: x\r\nx-client-id: root\r\n\r\n";

/** Sends bytes that were written before there was a token. */
const send = (bytes: string) => sendRaw(gateway.otlpPort, bytes.replaceAll("@token", token));

/** A post of two bytes, with more headers and more bytes after it than an honest client would send. */
function post(more: string, body = "{}", length = `Content-Length: ${body.length}\r\n`): string {
  const own = `Host: gateway\r\nAuthorization: @token\r\nContent-Type: application/json\r\n`;
  return `POST /v1/logs HTTP/1.1\r\n${own}${length}${more}\r\n${body}`;
}

/** Every request the collector would see in its bytes is one of ours, framed by us, and says who the token says. */
function expectOnlyOurs(): void {
  const heads = heard.split(/(?=POST \/v1\/logs HTTP\/1\.1\r\n)/).filter((part) => part !== "");
  for (const part of heads) {
    const head = part.slice(0, part.indexOf("\r\n\r\n"));
    const names = head
      .split("\r\n")
      .slice(1)
      .map((line) => line.split(":")[0]);
    expect(names.slice(0, 6)).toEqual([
      "host",
      "x-client-id",
      "x-client-service",
      "content-type",
      "accept",
      "accept-encoding",
    ]);
    expect(names.slice(6)).toBeOneOf([["content-length"], ["transfer-encoding"]]);
    expect(head).toContain("x-client-id: test-client\r\nx-client-service: test-client\r\n");
  }
}

const chunkedEnd = "0\r\n\r\n";
const noLength = "";

/** What is framed in more than one way, or in a way of its own. None of it may pass. */
const doubtful: readonly (readonly [string, string])[] = [
  ["a length and chunks", post("Transfer-Encoding: chunked\r\n", chunkedEnd + hidden)],
  ["chunks and a length", post("", chunkedEnd + hidden, `Transfer-Encoding: chunked\r\nContent-Length: 5\r\n`)],
  ["two lengths", post("Content-Length: 60\r\n", `{}${hidden}`, "Content-Length: 2\r\n")],
  ["a list of lengths", post("", `{}${hidden}`, "Content-Length: 2, 60\r\n")],
  ["a length with a sign", post("", `{}${hidden}`, "Content-Length: +2\r\n")],
  ["a negative length", post("", `{}${hidden}`, "Content-Length: -2\r\n")],
  ["a length in hex", post("", `{}${hidden}`, "Content-Length: 0x2\r\n")],
  ["a length with a space in it", post("", `{}${hidden}`, "Content-Length: 2 0\r\n")],
  ["a length past all numbers", post("", `{}${hidden}`, "Content-Length: 18446744073709551618\r\n")],
  ["a space before the colon", post("Transfer-Encoding : chunked\r\n", chunkedEnd + hidden)],
  ["a folded coding", post("Transfer-Encoding:\r\n chunked\r\n", chunkedEnd + hidden, noLength)],
  ["an unknown coding", post("Transfer-Encoding: xchunked\r\n", chunkedEnd + hidden, noLength)],
  ["a coding before chunks", post("Transfer-Encoding: gzip, chunked\r\n", chunkedEnd + hidden, noLength)],
  ["a coding after chunks", post("Transfer-Encoding: chunked, identity\r\n", chunkedEnd + hidden, noLength)],
  ["two codings", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", chunkedEnd + hidden, noLength)],
  ["a vertical tab in the coding", post("Transfer-Encoding: \u000bchunked\r\n", chunkedEnd + hidden, noLength)],
  ["a NUL in the coding", post("Transfer-Encoding: chunked\0\r\n", chunkedEnd + hidden, noLength)],
  [
    "a chunk in decimal with junk",
    post("Transfer-Encoding: chunked\r\n", `2x\r\n{}\r\n${chunkedEnd}${hidden}`, noLength),
  ],
  ["a negative chunk", post("Transfer-Encoding: chunked\r\n", `-2\r\n{}\r\n${chunkedEnd}${hidden}`, noLength)],
  [
    "a chunk past all numbers",
    post("Transfer-Encoding: chunked\r\n", `fffffffffffffffff\r\n{}\r\n${chunkedEnd}${hidden}`, noLength),
  ],
  ["a chunk of another size", post("Transfer-Encoding: chunked\r\n", `2\r\n{}x\r\n${chunkedEnd}${hidden}`, noLength)],
  ["a good chunk before a bad end", post("Transfer-Encoding: chunked\r\n", `2\r\n{}\r\n0\n\n${hidden}`, noLength)],
  ["a chunk far larger than what comes", post("Transfer-Encoding: chunked\r\n", `ffffffff\r\n{}${hidden}`, noLength)],
  [
    "a line break in a chunk extension",
    post("Transfer-Encoding: chunked\r\n", `2;a="\r\n{}"\r\n${chunkedEnd}${hidden}`, noLength),
  ],
  ["an empty coding before chunks", post("Transfer-Encoding: ,chunked\r\n", `2\r\n{}\r\n${chunkedEnd}`, noLength)],
  ["an empty coding after chunks", post("Transfer-Encoding: chunked,\r\n", `2\r\n{}\r\n${chunkedEnd}`, noLength)],
  [
    "an empty coding in a line of its own",
    post("Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n", `2\r\n{}\r\n${chunkedEnd}`, noLength),
  ],
  ["chunks by bare line feeds", post("Transfer-Encoding: chunked\r\n", `2\n{}\n0\n\n${hidden}`, noLength)],
  ["a bare line feed in the head", post("X: a\nTransfer-Encoding: chunked\r\n", chunkedEnd + hidden)],
  ["a bare return in the head", post("X: a\rTransfer-Encoding: chunked\r\n", chunkedEnd + hidden)],
  ["a header line without a colon", post("Transfer-Encoding\r\n", `{}${hidden}`)],
  ["a header without a name", post(": chunked\r\n", `{}${hidden}`)],
  [
    "an HTTP/1.0 with chunks",
    post("Transfer-Encoding: chunked\r\n", chunkedEnd + hidden, noLength).replace("HTTP/1.1", "HTTP/1.0"),
  ],
  ["no host", post("").replace("Host: gateway\r\n", "")],
  ["two hosts", post("Host: evil\r\n")],
  ["a host that is none", post("").replace("Host: gateway", "Host: a b")],
  ["two tokens", post(`Authorization: Bearer x\r\n`)],
];

describe("what is framed in two ways", () => {
  test.each(doubtful)("%s reaches no collector", async (_, bytes) => {
    const answer = await send(bytes);
    // 505 is what Bun says of a line it does not take for HTTP/1.1.
    expect(rawStatus(answer)).toBeOneOf([0, 400, 401, 408, 501, 505]);
    expect(answer).not.toContain("HTTP/1.1 200");
    expect(heard).toBe("");
  });
});

/** What is framed in one way, though it may look otherwise: it passes as one request, framed anew. */
const plain: readonly (readonly [string, string, number])[] = [
  ["a body that looks like a request", post("Connection: close\r\n", hidden), 1],
  [
    "a body in chunks that looks like one",
    post(
      "Transfer-Encoding: chunked\r\nConnection: close\r\n",
      `${hidden.length.toString(16)};a=b\r\n${hidden}\r\n0\r\n\r\n`,
      noLength,
    ),
    1,
  ],
  [
    "names with underscores",
    post("Content_Length: 0\r\nX_Client_Id: root\r\nTransfer_Encoding: chunked\r\nConnection: close\r\n"),
    1,
  ],
  [
    "headers named by Connection",
    post(
      "X-Client-Id: root\r\nX-Client-Service: root\r\nConnection: close, content-length, authorization, x-client-id\r\n",
    ),
    1,
  ],
  [
    "a wish to speak HTTP/2",
    post("Connection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
    1,
  ],
  [
    "every spelling of who speaks",
    post(
      "x-client-id: a\r\nX-CLIENT-SERVICE: b\r\nX-Forwarded-For: 1\r\nForwarded: for=1\r\nX-Scope-OrgID: a|b\r\nX-WEBAUTH-USER: admin\r\nCookie: a=b\r\ntraceparent: x\r\nConnection: close\r\n",
    ),
    1,
  ],
];

describe("what only looks like two requests", () => {
  test.each(plain)("%s is as many as it is, framed anew, under the verified name", async (_, bytes, count) => {
    const answer = await send(bytes);
    expect(answer.split("HTTP/1.1 200").length - 1).toBe(count);
    expectOnlyOurs();
    expect(heard.match(/^POST \/v1\/logs HTTP\/1\.1\r$/gm) ?? []).toHaveLength(count);
  });

  test("requests in a row, and one with a trailer, are no more than they are", async () => {
    const trailer = post("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\nx-client-id: root\r\n\r\n", noLength);
    for (const bytes of [post("") + post("Connection: close\r\n"), trailer]) {
      heard = "";
      await send(bytes);
      expectOnlyOurs();
      expect((heard.match(/HTTP\/1\.1\r$/gm) ?? []).length).toBeLessThanOrEqual(2);
      expect(heard).not.toContain("root");
    }
  });

  test("a request whose body never comes leaves nothing at the collector for the next one to be taken for", async () => {
    const cut = post("", '{"resourceLogs":[', "Content-Length: 5000\r\n");
    await Promise.all(Array.from({ length: 5 }, () => Promise.race([send(cut), Bun.sleep(50)])));
    const answer = await send(post("Connection: close\r\n"));
    expect(rawStatus(answer)).toBe(200);
    expectOnlyOurs();
    expect(heard).toEndWith("content-length: 2\r\n\r\n{}");
  });
});
