import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@vitrine/kit/testing/postgres";
import { clientToken, personToken } from "../testing/person-token.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

/** Debian keeps it where users' paths do not lead. */
const nginx = Bun.which("nginx") ?? Bun.which("nginx", { PATH: "/usr/sbin:/usr/local/sbin" });

let directory = "";
let auth: TestAuth;
let proxy: Bun.Subprocess | undefined;
let authServer: Bun.Server<undefined> | undefined;
let upstream: Bun.Server<undefined> | undefined;
let url = "";

beforeAll(async () => {
  if (nginx === null) return;
  directory = await mkdtemp(join(tmpdir(), "vitrine-nginx-"));
  auth = await startAuth();
  authServer = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => auth.app.fetch(request) });
  upstream = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ headers }) => Response.json(Object.fromEntries(headers)),
  });
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  await writeFile(join(directory, "nginx.conf"), await configuration(port));
  proxy = Bun.spawn([nginx, "-p", directory, "-c", "nginx.conf", "-e", "stderr"], {
    stdout: "ignore",
    stderr: "ignore",
  });
  while ((await fetch(url).catch(() => undefined)) === undefined) await Bun.sleep(10);
});

afterAll(async () => {
  proxy?.kill();
  await proxy?.exited;
  await Promise.all([authServer?.stop(true), upstream?.stop(true)]);
  if (directory === "") return;
  await auth[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

/** The block of the README as it stands, with the ports of this test. */
async function configuration(port: number): Promise<string> {
  const readme = await Bun.file(join(import.meta.dir, "../../README.md")).text();
  const block = /```nginx\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const locations = block
    .replace("127.0.0.1:8081", `127.0.0.1:${authServer?.port}`)
    .replace("127.0.0.1:9000", `127.0.0.1:${upstream?.port}`);
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${name};`)
    .join(" ");
  return `daemon off; master_process off; pid nginx.pid; events {}
    http { access_log off; ${paths} server { listen 127.0.0.1:${port}; ${locations} } }`;
}

async function get(headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(url, { headers });
  return { status: response.status, seen: response.ok ? ((await response.json()) as Record<string, string>) : {} };
}

test.skipIf(nginx === null)(
  "nginx set up as in the README lets good tokens through, as who they are and nobody else",
  async () => {
    const token = await personToken(auth, "viewer");
    const spoofed = {
      "x-auth-subject": "admin",
      "x-auth-role": "admin",
      "x-auth-service": "orders",
      "x-auth-actor": "admin",
      x_auth_subject: "admin",
    };
    const { status, seen } = await get({ ...spoofed, authorization: `Bearer ${token}` });
    expect(status).toBe(200);
    expect(seen).toMatchObject({ "x-auth-client": "cli", "x-auth-scope": expect.stringContaining("telemetry:read") });
    expect(seen["x-auth-subject"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(Object.keys(seen)).not.toContainAnyValues([
      "authorization",
      "x-auth-role",
      "x-auth-service",
      "x-auth-actor",
      "x_auth_subject",
    ]);
    expect((await get(spoofed)).status).toBe(401);
    expect((await get({ authorization: `Bearer ${token}x` })).status).toBe(401);
    expect((await get({ authorization: `Bearer ${await clientToken(auth, "orders")}` })).status).toBe(403);
  },
);
