import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@vitrine/kit/testing/postgres";
import { clientToken, personToken } from "../testing/person-token.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

interface Proxy {
  readonly name: string;
  /** Of its block in the README. */
  readonly language: string;
  /** A whole configuration around that block. */
  configure(block: string, port: number): string;
  command(path: string, directory: string): readonly string[];
}

const configName = "configuration";

const proxies: readonly Proxy[] = [
  {
    name: "nginx",
    language: "nginx",
    configure: (block, port) => {
      const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map((name) => `${name}_temp_path ${name};`)
        .join(" ");
      return `daemon off; master_process off; pid nginx.pid; events {}
        http { access_log off; ${paths} server { listen 127.0.0.1:${port}; ${block} } }`;
    },
    command: (path, directory) => [path, "-p", directory, "-c", configName, "-e", "stderr"],
  },
  {
    name: "caddy",
    language: "caddyfile",
    configure: (block, port) =>
      `{\nadmin off\nauto_https off\n}\n${block.replace("example.com", `http://127.0.0.1:${port}`)}`,
    command: (path, directory) => [path, "run", "--adapter", "caddyfile", "--config", join(directory, configName)],
  },
];

/** Debian keeps servers where users' paths do not lead. */
function findProgram(name: string): string | undefined {
  return Bun.which(name) ?? Bun.which(name, { PATH: "/usr/sbin:/usr/local/sbin" }) ?? undefined;
}

let auth: TestAuth;
let authServer: Bun.Server<undefined>;
let upstream: Bun.Server<undefined>;
let readme = "";

beforeAll(async () => {
  readme = await Bun.file(join(import.meta.dir, "../../README.md")).text();
  auth = await startAuth();
  const local = { port: 0, hostname: "127.0.0.1" } as const;
  authServer = Bun.serve({ ...local, fetch: (request) => auth.app.fetch(request) });
  upstream = Bun.serve({ ...local, fetch: ({ headers }) => Response.json(Object.fromEntries(headers)) });
});

afterAll(async () => {
  await Promise.all([authServer.stop(true), upstream.stop(true)]);
  await auth[Symbol.asyncDispose]();
});

async function start(proxy: Proxy, path: string) {
  const directory = await mkdtemp(join(tmpdir(), `vitrine-${proxy.name}-`));
  const port = await freePort();
  const [, block = ""] = new RegExp(`\`\`\`${proxy.language}\n(.*?)\`\`\``, "s").exec(readme) ?? [];
  const here = block
    .replace("127.0.0.1:8081", `127.0.0.1:${authServer.port}`)
    .replace("127.0.0.1:9000", `127.0.0.1:${upstream.port}`);
  await writeFile(join(directory, configName), proxy.configure(here, port));
  const env = { HOME: directory, PATH: process.env["PATH"] ?? "" };
  const child = Bun.spawn([...proxy.command(path, directory)], { stdout: "ignore", stderr: "pipe", env });
  const url = `http://127.0.0.1:${port}`;
  while ((await fetch(url).catch(() => undefined)) === undefined) {
    if (child.exitCode !== null) throw new Error(`${proxy.name} ended: ${await new Response(child.stderr).text()}`);
    await Bun.sleep(10);
  }
  const stop = async () => {
    child.kill();
    await child.exited;
    await rm(directory, { recursive: true });
  };
  const get = async (headers: Readonly<Record<string, string>> = {}, method = "GET") => {
    const response = await fetch(url, { headers, method });
    return { status: response.status, seen: response.ok ? ((await response.json()) as Record<string, string>) : {} };
  };
  return { get, [Symbol.asyncDispose]: stop };
}

const spoofed = {
  "x-auth-subject": "admin",
  "x-auth-role": "admin",
  "x-auth-service": "orders",
  "x-auth-actor": "admin",
  x_auth_subject: "admin",
};

const secret = ["authorization", "cookie", "x-auth-role", "x-auth-service", "x-auth-actor", "x_auth_subject"];

describe.each(proxies.map((proxy) => [proxy.name, proxy, findProgram(proxy.name)] as const))(
  "%s set up as in the README",
  (name, proxy, path) => {
    const missing = path === undefined ? ` (skipped: no ${name} is installed)` : "";

    test.skipIf(path === undefined)(
      `lets good tokens through, as who they are and nobody else${missing}`,
      async () => {
        await using running = await start(proxy, path ?? "");
        const { get } = running;
        const token = await personToken(auth, "viewer");
        const { status, seen } = await get({ ...spoofed, authorization: `Bearer ${token}` });
        expect(status).toBe(200);
        expect(seen).toMatchObject({
          "x-auth-client": "cli",
          "x-auth-scope": expect.stringContaining("telemetry:read"),
        });
        expect(seen["x-auth-subject"]).toMatch(/^[0-9a-f-]{36}$/);
        expect(Object.keys(seen)).not.toContainAnyValues(secret);
        expect((await get(spoofed)).status).toBe(401);
        expect((await get({ authorization: `Bearer ${token}x` })).status).toBe(401);
        expect((await get({ authorization: `Bearer ${await clientToken(auth, "orders")}` })).status).toBe(403);
      },
      30_000,
    );

    test.skipIf(path === undefined)(
      `lets the session of a browser through, for its own pages and for links to them${missing}`,
      async () => {
        await using running = await start(proxy, path ?? "");
        const { get } = running;
        const person = { name: `Browser-${name}`, password: "an orchid in the window" };
        await auth.json("/api/auth/register", person);
        const login = await auth.json("/api/auth/login", { ...person, session: "cookie" });
        const cookie = `theme=dark; ${/^[^;]+/.exec(login.headers.get("set-cookie") ?? "")?.[0] ?? ""}`;
        const own = await get({ ...spoofed, cookie, "sec-fetch-site": "same-origin" }, "POST");
        expect(own.status).toBe(200);
        expect(own.seen).toMatchObject({ "x-auth-client": "vitrine" });
        expect(Object.keys(own.seen)).not.toContainAnyValues(secret);
        const link = { cookie, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
        expect((await get(link)).status).toBe(200);
        expect((await get({ ...link, "x-forwarded-method": "GET" }, "POST")).status).toBe(403);
        expect((await get({ cookie, "sec-fetch-site": "cross-site" })).status).toBe(403);
        expect((await get({ cookie: `__Host-vitrine_session=${"A".repeat(43)}` })).status).toBe(401);
      },
      30_000,
    );
  },
);
