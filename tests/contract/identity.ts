import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createdIngestKey } from "@vitrine/contracts/ingest-keys";
import { tokenResponse, user } from "@vitrine/contracts/auth";
import { freePort, startPostgres } from "@vitrine/kit/testing/postgres";
import type { Subprocess } from "bun";
import type { z } from "zod";
import { eventually } from "@vitrine/kit/testing/eventually";
import { repositoryRoot } from "../../dev/engines/engines.ts";
import { newSecret } from "../../services/auth/src/testing/start-auth.ts";
import { type Cable, layCable } from "./cable.ts";

const readyTimeoutMs = 60_000;
const admin = { name: "admin", password: "a glass case by the sea" };

export interface Gateway {
  readonly url: string;
  readonly child: Subprocess;
  /** Status of a read by an access token, which an upstream would answer with 200. */
  read(token: string): Promise<number>;
  /** Status of a line of telemetry sent by an ingest key. */
  write(key: string): Promise<number>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export type Identity = Awaited<ReturnType<typeof startIdentity>>;

/** The auth service and three gateways as the processes they are; the last gateway reaches auth by `cable` alone. */
export async function startIdentity() {
  const postgres = await startPostgres({ ownServer: true });
  const directory = await mkdtemp(join(tmpdir(), "vitrine-identity-"));
  const clientSecret = newSecret();
  const clientsFile = join(directory, "clients.json");
  const clients = [{ clientId: "gateway", clientSecret, scopes: ["feed:read", "telemetry:write"] }];
  await Bun.write(clientsFile, JSON.stringify(clients));
  const upstream = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => Response.json({}) });
  const children: Subprocess[] = [];

  const run = async (service: string, env: Readonly<Record<string, string>>) => {
    const port = await freePort();
    const child = Bun.spawn([process.execPath, "--preload", "@vitrine/kit/telemetry/preload", "src/main.ts"], {
      cwd: join(repositoryRoot, "services", service),
      env: { PATH: process.env["PATH"] ?? "", PORT: String(port), OTEL_SERVICE_NAME: service, ...env },
      stdin: "ignore",
      stdout: Bun.file(join(directory, `${service}-${port}.log`)),
      stderr: "inherit",
    });
    children.push(child);
    const url = `http://127.0.0.1:${port}`;
    await eventually(
      `${service} is ready`,
      readyTimeoutMs,
      async () => (await statusOf(`${url}/health/ready`)) === 200 || undefined,
    );
    return { url, child, port };
  };

  const auth = await run("auth", {
    DATABASE_URL: postgres.url,
    KEY_ENCRYPTION_KEY: newSecret(),
    CLIENTS_FILE: clientsFile,
    ADMIN_PASSWORD: admin.password,
  });
  const cable: Cable = await layCable(auth.port);
  const startGateway = async (authUrl: string): Promise<Gateway> => {
    const { url, child } = await run("gateway", {
      OTLP_PORT: String(await freePort()),
      AUTH_URL: authUrl,
      CLIENT_ID: "gateway",
      CLIENT_SECRET: clientSecret,
      ORDERS_URL: upstream.url.origin,
      COLLECTOR_URL: upstream.url.origin,
    });
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
    return {
      url,
      child,
      read: (token) => statusOf(`${url}/api/orders/1`, { headers: bearer(token) }),
      write: (key) =>
        statusOf(`${url}/v1/logs`, {
          method: "POST",
          headers: { ...bearer(key), "content-type": "application/json" },
          body: '{"resourceLogs":[]}',
        }),
    };
  };
  const gateways = await Promise.all([auth.url, auth.url, cable.url].map(startGateway));
  const [front, , far] = gateways;
  if (front === undefined || far === undefined) throw new Error("there are three gateways");

  const call = async (method: string, path: string, token?: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(`${front.url}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const { status, headers } = response;
    return { status, headers, body: text === "" ? undefined : (JSON.parse(text) as unknown) };
  };
  const done = async <S extends z.ZodType>(answer: Promise<Answer>, schema: S): Promise<z.output<S>> => {
    const { status, body } = await answer;
    if (status >= 300) throw new Error(`answered ${status}: ${JSON.stringify(body)}`);
    return schema.parse(body);
  };
  const signIn = async (person: { readonly name: string; readonly password: string }): Promise<string> =>
    (await done(call("POST", "/api/auth/login", undefined, person), tokenResponse)).access_token;

  return {
    auth,
    postgres,
    cable,
    gateways,
    /** The one whose feed comes by the cable. */
    far,
    /** Through the first gateway. */
    call,
    signIn,
    signInAsAdmin: () => signIn(admin),
    /** Somebody new, who can sign in. */
    person: async () => {
      const someone = { name: `person-${crypto.randomUUID()}`, password: "an orchid in the window" };
      await done(call("POST", "/api/auth/register", undefined, someone), user);
      return someone;
    },
    makeKey: async (token: string) => {
      const name = `key-${crypto.randomUUID()}`;
      const grant = { name, scopes: ["logs:write"], service: "shop" };
      return await done(call("POST", "/api/auth/ingest-keys", token, grant), createdIngestKey);
    },
    stop: async () => {
      for (const child of children.toReversed()) {
        child.kill("SIGKILL");
        await child.exited;
      }
      await Promise.all([cable.stop(), upstream.stop(true)]);
      await rm(directory, { recursive: true });
    },
  };
}

async function statusOf(url: string, init: RequestInit = {}): Promise<number> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(20_000) });
  await response.arrayBuffer();
  return response.status;
}
