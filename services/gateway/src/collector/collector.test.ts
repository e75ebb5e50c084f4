import { expect, test } from "bun:test";
import { createDeadlines } from "../deadlines.ts";
import { makeCertificates } from "../testing/certificates.ts";
import { createCollector } from "./collector.ts";

const call = {
  path: "/v1/logs",
  identity: { "x-client-id": "shop", "x-client-service": "till" },
  type: "application/json",
  content: new TextEncoder().encode("{}"),
  timeoutMs: 5_000,
} as const;

test("a collector below a path is asked there, by its own name", async () => {
  const seen: (readonly [string, string | null])[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      seen.push([new URL(request.url).pathname, request.headers.get("host")]);
      return Response.json({});
    },
  });
  const collector = createCollector(`${server.url.origin}/otlp`, createDeadlines());
  expect(await collector.post(call)).toMatchObject({ status: 200, mediaType: "application/json" });
  expect(seen).toEqual([["/otlp/v1/logs", server.url.host]]);
  collector.close();
  await server.stop(true);
});

test("what is said goes to its path, in its type, under its speaker's name, however they take turns", async () => {
  const seen: unknown[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url, headers }) => {
      const names = ["content-type", "accept", "x-client-id", "x-client-service"];
      seen.push([new URL(url).pathname, ...names.map((name) => headers.get(name))]);
      return Response.json({});
    },
  });
  const collector = createCollector(server.url.origin, createDeadlines());
  const identities = [call.identity, { "x-client-id": "shop", "x-client-service": "stock" }];
  const expected: unknown[] = [];
  const said = ["/v1/logs", "/v1/traces"].flatMap((path) =>
    (["application/json", "application/x-protobuf"] as const).flatMap((type) =>
      identities.map((identity) => ({ path, type, identity })),
    ),
  );
  for (const { path, type, identity } of [...said, ...said]) {
    await collector.post({ ...call, path, type, identity });
    expected.push([path, type, type, identity["x-client-id"], identity["x-client-service"]]);
  }
  expect(seen).toEqual(expected);
  collector.close();
  await server.stop(true);
});

test("a collector over TLS whose certificate nobody vouches for hears nothing, and its client keeps the data", async () => {
  using certificates = makeCertificates("collector");
  let heard = 0;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    tls: { cert: Bun.file(certificates.files.certFile), key: Bun.file(certificates.files.keyFile) },
    fetch: () => {
      heard += 1;
      return Response.json({});
    },
  });
  const collector = createCollector(`https://127.0.0.1:${server.port}`, createDeadlines());
  await expect(collector.post(call)).rejects.toMatchObject({ status: 503, reason: "upstream_down" });
  expect(heard).toBe(0);
  collector.close();
  await server.stop(true);
});
