import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { until } from "@vitrine/kit/testing/eventually";
import { createTestIssuer } from "@vitrine/kit/testing/tokens";

const MiB = 1_048_576;
const batch = 3_000;
const batches = 6;
const bombBytes = 200 * MiB;

/** A gateway as a process of its own, whose memory is nobody else's, before a collector that counts. */
async function startProcess() {
  const issuer = await createTestIssuer();
  const auth = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => issuer.jwksFetch(request.url) });
  let bytes = 0;
  const collector = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      for await (const chunk of request.body ?? []) bytes += chunk.byteLength;
      return new Response(new Uint8Array(), { headers: { "content-type": "application/x-protobuf" } });
    },
  });
  const child = Bun.spawn([process.execPath, "src/main.ts"], {
    cwd: join(import.meta.dir, ".."),
    env: {
      PATH: process.env["PATH"] ?? "",
      PORT: "0",
      OTLP_PORT: "0",
      AUTH_URL: auth.url.origin,
      COLLECTOR_URL: collector.url.origin,
      QUOTA_INGEST_REQUESTS_PER_SECOND: "0",
      QUOTA_INGEST_BYTES_PER_SECOND: "0",
    },
    stdout: "pipe",
    stderr: "inherit",
  });
  const url = await secondAddress(child.stdout);
  await until(async () => (await fetch(`${url}/health/ready`)).ok);
  const token = await issuer.sign("logs:write", { iat: nowSeconds(), exp: nowSeconds() + 600 });
  return {
    pid: child.pid,
    received: () => bytes,
    post: (body: Uint8Array<ArrayBuffer>, headers: Readonly<Record<string, string>> = {}) =>
      fetch(`${url}/v1/logs`, {
        method: "POST",
        body,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/x-protobuf", ...headers },
      }),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await child.exited;
      await Promise.all([auth.stop(true), collector.stop(true)]);
    },
  };
}

test("memory is flat: what is held after thousands of posts is not more than after the first of them", async () => {
  await using gateway = await startProcess();
  const [small, usual, streamed] = [new Uint8Array(64), new Uint8Array(16_384), new Uint8Array(300_000)] as const;
  const residents: number[] = [];
  for (let round = 0; round < batches; round += 1) {
    let left = batch;
    const post = async () => {
      while ((left -= 1) >= 0) {
        const response = await gateway.post(left % 100 === 0 ? streamed : left % 2 === 0 ? small : usual);
        expect(response.status).toBe(200);
        await response.arrayBuffer();
      }
    };
    await Promise.all(Array.from({ length: 16 }, post));
    residents.push(memoryOf(gateway.pid, "VmRSS"));
  }
  expect(gateway.received()).toBe(batches * (batch / 100) * (300_000 + 49 * 64 + 50 * 16_384));
  // What the first two needed is what it takes to be warm.
  const warm = Math.max(...residents.slice(0, 2));
  expect(Math.min(...residents.slice(2))).toBeLessThan(warm + 32 * MiB);
}, 120_000);

test("four hundred decompression bombs of one client at once take less memory than one of them unpacked, and end in no 5xx", async () => {
  await using gateway = await startProcess();
  const unpacked = new Uint8Array(bombBytes);
  const bombs = [
    { encoding: "gzip", body: Uint8Array.from(gzipSync(unpacked)) },
    { encoding: "zstd", body: Uint8Array.from(zstdCompressSync(unpacked)) },
  ];
  const before = memoryOf(gateway.pid, "VmHWM");
  const responses = await Promise.all(
    Array.from({ length: 200 }, () => bombs)
      .flat()
      .map(({ encoding, body }) => gateway.post(body, { "content-encoding": encoding })),
  );
  const statuses = responses.map(({ status }) => status);
  expect(statuses.filter((status) => status !== 413 && status !== 429)).toEqual([]);
  expect(statuses).toContain(413);
  expect((await gateway.post(new Uint8Array(64))).status).toBe(200);
  expect(memoryOf(gateway.pid, "VmHWM") - before).toBeLessThan(bombBytes);
}, 120_000);

const nowSeconds = () => Math.floor(Date.now() / 1_000);

/** In bytes: what is resident now (`VmRSS`), or was at most (`VmHWM`, which Linux alone keeps). */
function memoryOf(pid: number, name: "VmRSS" | "VmHWM"): number {
  const status = `/proc/${pid}/status`;
  const [, kib] = existsSync(status)
    ? (new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync(status, "utf8")) ?? [])
    : [];
  return Number(kib ?? Bun.spawnSync(["ps", "-o", "rss=", "-p", String(pid)]).stdout.toString()) * 1_024;
}

/** The address of the second listener, which is the one for OTLP; the rest of what the process says is read and left. */
async function secondAddress(output: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let said = "";
  void (async () => {
    for await (const chunk of output.pipeThrough(new TextDecoderStream())) {
      if (said.length < 65_536) said += chunk;
      const [, second] = [...said.matchAll(/listening on (http:\/\/[^/"]+)/g)].map((match) => match[1] ?? "");
      if (second !== undefined) resolve(second);
    }
  })();
  return await promise;
}
