import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startPostgres } from "@vitrine/kit/testing/postgres";
import { followFeed } from "@vitrine/kit/tokens/feed";
import { makeIngestKey } from "@vitrine/kit/tokens/ingest-key";
import { createKeyring } from "@vitrine/kit/tokens/keyring";
import { createTokenSource } from "@vitrine/kit/tokens/source";
import { until } from "@vitrine/kit/testing/eventually";
import { newSecret } from "./testing/start-auth.ts";

let directory = "";
const clientSecret = newSecret();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "vitrine-auth-main-"));
});

afterAll(() => rm(directory, { recursive: true }));

async function environment(): Promise<Record<string, string>> {
  const file = join(directory, `${crypto.randomUUID()}.json`);
  const clients = [{ clientId: "gateway", clientSecret, scopes: ["feed:read"] }];
  await writeFile(file, JSON.stringify(clients));
  return {
    PATH: process.env["PATH"] ?? "",
    OTEL_SERVICE_NAME: "auth",
    // Nobody takes the telemetry: that must neither hold the start up nor the end.
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    DATABASE_URL: (await startPostgres()).url,
    KEY_ENCRYPTION_KEY: newSecret(),
    CLIENTS_FILE: file,
  };
}

function run(env: Record<string, string>) {
  return Bun.spawn([process.execPath, "--preload", "@vitrine/kit/telemetry/preload", "src/main.ts"], {
    cwd: join(import.meta.dir, ".."),
    env,
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function untilReady(url: string, gone: Promise<number>): Promise<void> {
  let code: number | undefined;
  void gone.then((exitCode) => (code = exitCode));
  for (;;) {
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (answer?.status === 200) return;
    if (code !== undefined) throw new Error(`the service ended with ${code}`);
    await Bun.sleep(20);
  }
}

test("two processes start at once on an empty database, serve one key set, print one password, and stop on SIGTERM with 0", async () => {
  const env = await environment();
  const started = await Promise.all(
    [1, 2].map(async () => {
      const port = await freePort();
      return { url: `http://127.0.0.1:${port}`, child: run({ ...env, PORT: String(port) }) };
    }),
  );
  await Promise.all(started.map(({ url, child }) => untilReady(url, child.exited)));
  const keySets = await Promise.all(
    started.map(async ({ url }) => (await fetch(`${url}/.well-known/jwks.json`)).json()),
  );
  expect(keySets[0]).toEqual(keySets[1]);
  for (const { child } of started) child.kill("SIGTERM");
  expect(await Promise.all(started.map(({ child }) => child.exited))).toEqual([0, 0]);
  const output = (await Promise.all(started.map(({ child }) => new Response(child.stdout).text()))).join("");
  expect(output.match(/First administrator: name admin, password \S+/g)).toHaveLength(1);
  expect(output).not.toContain(env["KEY_ENCRYPTION_KEY"] ?? "");
}, 60_000);

test("a configuration that is not valid ends the process with 1 and one line that names what is wrong", async () => {
  const child = run({ ...(await environment()), KEY_ENCRYPTION_KEY: "not a key at all" });
  expect(await child.exited).toBe(1);
  const lines = (await new Response(child.stdout).text()).trim().split("\n");
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    action: "config.invalid",
    extra: { faults: ["KEY_ENCRYPTION_KEY: must be 32 bytes as base64url, 43 characters"] },
  });
}, 60_000);

test("over real connections a gateway follows the feed, hears of a revocation, and does not hold up the stop", async () => {
  const preset = makeIngestKey();
  const env = {
    ...(await environment()),
    INGEST_KEYS: JSON.stringify([{ name: "edge", key: preset.key, scopes: ["logs:write"], service: "edge" }]),
  };
  const [first, second] = [await freePort(), await freePort()];
  const child = run({ ...env, PORT: String(first) });
  const url = `http://127.0.0.1:${first}`;
  await untilReady(url, child.exited);
  const keyring = createKeyring();
  const lost = Promise.withResolvers<void>();
  const follower = followFeed({
    url: `${url}/api/auth/feed`,
    token: createTokenSource({ tokenUrl: `${url}/oauth/token`, clientId: "gateway", clientSecret }),
    keyring,
    onLost: () => lost.resolve(),
  });
  await follower.ready();
  expect(keyring.identify(preset.key)).toMatchObject({ client_id: "key:edge" });

  // Another process that starts without the key ends it.
  const other = run({ ...env, INGEST_KEYS: "", PORT: String(second) });
  const ended = (): boolean => {
    try {
      keyring.identify(preset.key);
      return false;
    } catch {
      return true;
    }
  };
  await untilReady(`http://127.0.0.1:${second}`, other.exited);
  await until(ended);

  const stopping = performance.now();
  child.kill("SIGTERM");
  other.kill("SIGTERM");
  expect(await Promise.all([child.exited, other.exited])).toEqual([0, 0]);
  // Draining alone gives requests five seconds.
  expect(performance.now() - stopping).toBeLessThan(4_500);
  await lost.promise;
  await follower.stop();
}, 60_000);
