import { expect, test } from "bun:test";
import { join } from "node:path";
import { createTestIssuer } from "@vitrine/kit/testing/tokens";

const MiB = 1_048_576;
const batch = 3_000;
const batches = 6;

test("memory is flat: what is held after thousands of posts is not more than after the first of them", async () => {
  const issuer = await createTestIssuer();
  const auth = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => issuer.jwksFetch(request.url) });
  let bytes = 0;
  const collector = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const { byteLength } = await request.bytes();
      bytes += byteLength;
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
  try {
    const url = await secondAddress(child.stdout);
    const headers = {
      authorization: `Bearer ${await issuer.sign("logs:write", { iat: nowSeconds(), exp: nowSeconds() + 600 })}`,
      "content-type": "application/x-protobuf",
    };
    const bodies = [new Uint8Array(64), new Uint8Array(16_384), new Uint8Array(300_000)];
    const residents: number[] = [];
    while (!(await fetch(`${url}/health/ready`)).ok) await Bun.sleep(20);
    for (let round = 0; round < batches; round += 1) {
      let left = batch;
      const post = async () => {
        while ((left -= 1) >= 0) {
          // One in a hundred is a stream.
          const body = bodies[left % 100 === 0 ? 2 : left % 2] ?? "";
          const response = await fetch(`${url}/v1/logs`, { method: "POST", body, headers });
          expect(response.status).toBe(200);
          await response.arrayBuffer();
        }
      };
      await Promise.all(Array.from({ length: 16 }, post));
      residents.push(residentBytes(child.pid));
    }
    expect(bytes).toBe(batches * (batch / 100) * (300_000 + 49 * 64 + 50 * 16_384));
    // What the first two needed is what it takes to be warm.
    const warm = Math.max(...residents.slice(0, 2));
    expect(Math.min(...residents.slice(2))).toBeLessThan(warm + 32 * MiB);
  } finally {
    child.kill("SIGTERM");
    await child.exited;
    await Promise.all([auth.stop(true), collector.stop(true)]);
  }
}, 120_000);

const nowSeconds = () => Math.floor(Date.now() / 1_000);

function residentBytes(pid: number): number {
  return Number(Bun.spawnSync(["ps", "-o", "rss=", "-p", String(pid)]).stdout.toString()) * 1_024;
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
