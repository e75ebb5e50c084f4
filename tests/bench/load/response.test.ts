import { describe, expect, test } from "bun:test";
import { ResponseFault, ResponseReader } from "./response.ts";

const withLength = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nx: y\r\n\r\nhello";
const chunked = "HTTP/1.1 503 No\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nA;ext=1\r\n0123456789\r\n0\r\n\r\n";
const bytes = (text: string) => new TextEncoder().encode(text);

describe("ResponseReader", () => {
  test.each([
    [withLength, 200],
    [chunked, 503],
    ["HTTP/1.1 204 No Content\r\n\r\n", 204],
  ])("gives the status of a whole response: %p", (text, status) => {
    expect(new ResponseReader().push(bytes(text))).toBe(status);
  });

  test.each([withLength, chunked])("finds the end wherever the network cuts: %p", (text) => {
    for (let cut = 1; cut < text.length; cut += 1) {
      const reader = new ResponseReader();
      expect(reader.push(bytes(text.slice(0, cut)))).toBeUndefined();
      expect(reader.push(bytes(text.slice(cut)))).toBeGreaterThan(0);
    }
  });

  test("one byte at a time, in a buffer that is used again, two responses after each other", () => {
    const reader = new ResponseReader();
    const shared = new Uint8Array(1);
    const statuses = [...bytes(withLength + chunked)].map((byte) => {
      shared[0] = byte;
      return reader.push(shared);
    });
    expect(statuses.filter((status) => status !== undefined)).toEqual([200, 503]);
  });

  test.each([
    ["an answer nobody asked for", `${withLength}HTTP/1.1 200 OK`],
    ["a body without a length", "HTTP/1.1 200 OK\r\n\r\nhello"],
    ["another protocol", "SSH-2.0-x\r\n\r\n"],
  ])("refuses %s", (_, text) => {
    expect(() => new ResponseReader().push(bytes(text))).toThrow(ResponseFault);
  });
});
