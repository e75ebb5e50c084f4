import { afterAll, beforeAll, expect, test } from "bun:test";
import { makeCertificate } from "../testing/certificate.ts";
import { type Sink, startSink } from "../testing/sink.ts";
import { networks } from "@vitrine/kit/config";
import { post } from "./http.ts";

let certificate: Awaited<ReturnType<typeof makeCertificate>>;
let sink: Sink;

beforeAll(async () => {
  certificate = await makeCertificate("sink.test");
  sink = startSink(certificate);
});

afterAll(() => sink.stop());

function send(host: string, ca = certificate.cert, at = sink.url) {
  const { port } = new URL(at);
  const allowed = networks("").parse("127.0.0.1");
  return post(
    { url: `https://${host}:${port}/`, body: "{}" },
    {
      policy: { allowed, resolve: () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]) },
      now: Date.now,
      timeoutMs: { http: 3_000, mail: 3_000 },
      attempts: 0,
      signal: new AbortController().signal,
      ...(ca === "" ? {} : { ca }),
    },
  );
}

test("TLS is checked against the name although the connection goes to an address", async () => {
  expect(await send("sink.test")).toEqual({ kind: "delivered", status: 200 });
  // A connection that was good for one name is not used for another.
  expect(await send("other.test")).toMatchObject({ kind: "failed", failure: "tls" });
  expect(await send("sink.test", "")).toMatchObject({ kind: "failed", failure: "tls" });
  expect(await send("127.0.0.1")).toMatchObject({ kind: "failed", failure: "tls" });
  expect(sink.received).toHaveLength(1);
});

test("a target that is an address is checked as one", async () => {
  const ofAddress = await makeCertificate("127.0.0.1");
  const other = startSink(ofAddress);
  expect(await send("127.0.0.1", ofAddress.cert, other.url)).toEqual({ kind: "delivered", status: 200 });
  await other.stop();
});
