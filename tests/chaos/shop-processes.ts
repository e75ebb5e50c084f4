import { join } from "node:path";
import { createTestIssuer, type TestIssuer } from "@vitrine/kit/testing/tokens";
import { freePort, startPostgres } from "@vitrine/kit/testing/postgres";

const root = join(import.meta.dir, "../..");
const startTimeoutMs = 60_000;

/** A service as a process of its own, that can be killed and started again where it was. */
export interface ServiceProcess {
  readonly url: string;
  readonly databaseUrl: string;
  readonly pid: () => number;
  start(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
}

export interface ShopProcesses {
  readonly issuer: TestIssuer;
  /** Where keys and tokens come from. */
  readonly auth: string;
  readonly orders: ServiceProcess;
  readonly inventory: ServiceProcess;
  stop(): Promise<void>;
}

export interface ShopProcessesOptions {
  /** Whose tokens are taken; one of its own when absent. */
  readonly issuer?: TestIssuer;
  /** For both services. */
  readonly env?: (service: "orders" | "inventory") => Readonly<Record<string, string>>;
  /** With the telemetry of the kit. Default false. */
  readonly preload?: boolean;
}

/** Orders and inventory as processes, each on a database of its own, with tokens of a test issuer. */
export async function startShopProcesses(options: ShopProcessesOptions = {}): Promise<ShopProcesses> {
  const issuer = options.issuer ?? (await createTestIssuer());
  const auth = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => answerAsAuth(request, issuer) });
  const common = {
    AUTH_URL: auth.url.origin,
    TOKEN_ISSUER: issuer.issuer,
    TOKEN_AUDIENCE: issuer.audience,
    CLIENT_SECRET: "a-test-secret",
    LOG_LEVEL: "warn",
    LOG_SINK: "none",
  };
  const make = async (service: "orders" | "inventory", env: Readonly<Record<string, string>>) =>
    serviceProcess(service, { ...common, CLIENT_ID: service, ...env, ...options.env?.(service) }, options);
  const inventory = await make("inventory", {});
  const orders = await make("orders", { INVENTORY_URL: inventory.url });
  await Promise.all([inventory.start(), orders.start()]);
  return {
    issuer,
    auth: auth.url.origin,
    orders,
    inventory,
    stop: async () => {
      await Promise.all([orders.kill(), inventory.kill()]);
      await auth.stop(true);
    },
  };
}

async function answerAsAuth(request: Request, issuer: TestIssuer): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/.well-known/jwks.json") return issuer.jwksFetch(request.url);
  if (pathname !== "/oauth/token") return new Response(null, { status: 404 });
  const scope = "inventory:read inventory:write telemetry:write";
  const client = clientOf(request.headers.get("authorization"));
  const token = await issuer.sign(scope, { sub: client, client_id: client, service: client });
  return Response.json({ access_token: token, token_type: "Bearer", expires_in: 900, scope });
}

/** Name of the client that authenticates itself (RFC 6749 §2.3.1). */
function clientOf(authorization: string | null): string {
  const [client = ""] = atob(authorization?.replace(/^Basic /, "") ?? "").split(":");
  return decodeURIComponent(client);
}

async function serviceProcess(
  service: "orders" | "inventory",
  env: Readonly<Record<string, string>>,
  { preload = false }: ShopProcessesOptions,
): Promise<ServiceProcess> {
  const port = await freePort();
  const { url: databaseUrl } = await startPostgres();
  const url = `http://127.0.0.1:${port}`;
  let child: Bun.Subprocess | undefined;
  return {
    url,
    databaseUrl,
    pid: () => child?.pid ?? 0,
    start: async () => {
      const preloaded = preload ? ["--preload", "@vitrine/kit/telemetry/preload"] : [];
      child = Bun.spawn([process.execPath, ...preloaded, "src/main.ts"], {
        cwd: join(root, "services", service),
        env: {
          PATH: process.env["PATH"] ?? "",
          HOST: "127.0.0.1",
          PORT: String(port),
          DATABASE_URL: databaseUrl,
          ...env,
        },
        stdin: "ignore",
        stdout: "ignore",
        stderr: "inherit",
      });
      await ready(url);
    },
    kill: async () => {
      child?.kill("SIGKILL");
      await child?.exited;
    },
  };
}

async function ready(url: string): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  while (performance.now() < deadline) {
    const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    if (answer?.ok === true) return;
    await Bun.sleep(50);
  }
  throw new Error(`${url} was not ready within ${startTimeoutMs / 1_000} s`);
}
