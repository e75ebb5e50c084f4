import { describe, expect, test } from "bun:test";
import { AnswerFault, AnswerReader, type HttpAnswer } from "./answer-reader.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");
const body = (answer: HttpAnswer | undefined) => Buffer.from(answer?.body ?? []).toString("latin1");
const ok = "HTTP/1.1 200 OK\r\n";
const withLength = `${ok}Content-Type: application/json\r\nContent-Length: 5\r\n\r\nhello`;
const chunked =
  "HTTP/1.1 503 No\r\ntransfer-encoding: chunked\r\nRetry-After: 1\r\n\r\n5\r\nhello\r\nA;x=1\r\n0123456789\r\n0\r\nx: y\r\n\r\n";
const interim = `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${withLength}`;

describe("a whole answer", () => {
  test.each([
    [withLength, 200, "hello"],
    [chunked, 503, "hello0123456789"],
    [interim, 200, "hello"],
    ["HTTP/1.1 204 No Content\r\n\r\n", 204, ""],
    [`${ok}content-length: 0\r\n\r\n`, 200, ""],
    ["HTTP/1.1 200\r\ncontent-length:0 \r\n\r\n", 200, ""],
  ])("%j is read whole, at once and wherever the network cuts it", (text, status, content) => {
    for (let cut = 0; cut < text.length; cut += 1) {
      const reader = new AnswerReader();
      const first = cut === 0 ? undefined : reader.push(bytes(text.slice(0, cut)));
      expect(first).toBeUndefined();
      const answer = reader.push(bytes(text.slice(cut)));
      expect([answer?.status, body(answer), reader.begun]).toEqual([status, content, false]);
    }
  });

  test("comes byte by byte in memory that is used again, and another may follow", () => {
    const reader = new AnswerReader();
    const shared = Buffer.alloc(1);
    const answers: string[] = [];
    for (const byte of bytes(withLength + chunked)) {
      shared[0] = byte;
      const answer = reader.push(shared);
      if (answer !== undefined) answers.push(body(answer));
    }
    expect(answers).toEqual(["hello", "hello0123456789"]);
  });

  test("has its headers by their names in lower case", () => {
    const answer = new AnswerReader().push(bytes(chunked));
    expect(answer?.headers.get("retry-after")).toBe("1");
  });

  test.each([
    ["", true],
    ["Connection: close\r\n", false],
    ["connection: keep-alive , Close\r\n", false],
    ["connection: closed\r\n", true],
  ])("with %j says whether another may follow: %p", (header, reusable) => {
    expect(new AnswerReader().push(bytes(`${ok}${header}content-length: 0\r\n\r\n`))?.reusable).toBe(reusable);
  });

  test("of megabytes is read", () => {
    const reader = new AnswerReader();
    expect(reader.push(bytes(`${ok}content-length: 4194304\r\n\r\n`))).toBeUndefined();
    let answer: HttpAnswer | undefined;
    for (let at = 0; at < 64; at += 1) answer = reader.push(Buffer.alloc(65_536, 1));
    expect(answer?.body.byteLength).toBe(4_194_304);
  });
});

describe("what could be read in two ways is no answer", () => {
  test.each([
    ["two lengths", `${ok}content-length: 1\r\ncontent-length: 1\r\n\r\nx`],
    ["a length and chunks", `${ok}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["two transfer codings", `${ok}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["another transfer coding", `${ok}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ["a length of none", `${ok}\r\nhello`],
    ["a length with a sign", `${ok}content-length: +1\r\n\r\nx`],
    ["a length in hex", `${ok}content-length: 0x1\r\n\r\nx`],
    ["a list of lengths", `${ok}content-length: 1, 1\r\n\r\nx`],
    ["a length past the bound", `${ok}content-length: 4194305\r\n\r\n`],
    ["a length without end", `${ok}content-length: 99999999999999999999\r\n\r\n`],
    ["a folded line", `${ok}x: a\r\n b\r\ncontent-length: 0\r\n\r\n`],
    ["a space before the colon", `${ok}content-length : 0\r\n\r\n`],
    ["a line without a colon", `${ok}content-length\r\n\r\n`],
    ["a bare line feed", `${ok}x: a\ny: b\r\ncontent-length: 0\r\n\r\n`],
    ["a NUL", `${ok}x: a\0b\r\ncontent-length: 0\r\n\r\n`],
    ["a chunk without a size", `${ok}transfer-encoding: chunked\r\n\r\n;x\r\n\r\n`],
    ["a negative chunk", `${ok}transfer-encoding: chunked\r\n\r\n-1\r\n\r\n`],
    ["a chunk of another size", `${ok}transfer-encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n`],
    ["a chunk past the bound", `${ok}transfer-encoding: chunked\r\n\r\nfffffff\r\n`],
    ["a trailer that is none", `${ok}transfer-encoding: chunked\r\n\r\n0\r\nx\r\n\r\n`],
    ["more than one answer", `${withLength}HTTP/1.1 200 OK\r\n`],
    ["more than one answer in chunks", `${chunked}x`],
    ["a byte after an answer without a body", "HTTP/1.1 204 No Content\r\n\r\nx"],
    ["another protocol", "HTTP/2 200 OK\r\ncontent-length: 0\r\n\r\n"],
    ["an old protocol", "HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n"],
    ["a status that is none", "HTTP/1.1 099 X\r\ncontent-length: 0\r\n\r\n"],
    ["a change of protocol", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"],
    ["a head too long", `${ok}x: ${"y".repeat(17_000)}`],
    ["a chunk's line too long", `${ok}transfer-encoding: chunked\r\n\r\n1;${"y".repeat(5_000)}`],
    ["trailers without end", `${ok}transfer-encoding: chunked\r\n\r\n0\r\n${"x: y\r\n".repeat(40)}\r\n`],
  ])("%s", (_, text) => {
    expect(() => new AnswerReader().push(bytes(text))).toThrow(AnswerFault);
  });
});
