import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { webhookMessage } from "@vitrine/contracts/alerts";
import { createDatabase } from "@vitrine/kit/postgres";
import { memoryLogger } from "@vitrine/kit/testing/log";
import { freePort, startPostgres } from "@vitrine/kit/testing/postgres";
import { eventually } from "@vitrine/kit/testing/eventually";
import { engineCommand, type EngineRunOptions } from "../../dev/engines/command.ts";
import { engineNamed, repositoryRoot } from "../../dev/engines/engines.ts";
import { defaultEnginePorts } from "../../dev/engines/ports.ts";
import { prepareEngine } from "../../dev/engines/prepare.ts";
import { provideEngine } from "../../dev/engines/provide.ts";
import { makeEngineSecrets, temporaryDirectory } from "../../dev/engines/testing.ts";

const buildTimeoutMs = 45 * 60_000;

async function startAlertmanager(options: EngineRunOptions): Promise<Bun.Subprocess> {
  const engine = engineNamed("alertmanager");
  if (engine === undefined) throw new Error("no engine alertmanager");
  await prepareEngine(engine, options);
  const provided = await provideEngine(engine, { mode: "native" });
  const { argv, readyUrl } = engineCommand(engine, provided, options);
  const process = Bun.spawn([...argv], { stdout: "ignore", stderr: "ignore" });
  await eventually("Alertmanager is ready", 30_000, async () => (await fetch(readyUrl)).ok);
  return process;
}

function startNotifier(env: Readonly<Record<string, string>>): Bun.Subprocess {
  return Bun.spawn([process.execPath, "--no-orphans", "--preload", "@vitrine/kit/telemetry/preload", "src/main.ts"], {
    cwd: join(repositoryRoot, "services/notifier"),
    env,
    stdout: "ignore",
    stderr: "ignore",
  });
}

interface Places {
  readonly port: number;
  readonly sinkPort: number;
  readonly secretsDir: string;
  readonly databaseUrl: string;
}

function environment({ port, sinkPort, secretsDir, databaseUrl }: Places): Readonly<Record<string, string>> {
  const secret = `whsec_${randomBytes(32).toString("base64")}`;
  const desk = { name: "desk", channel: "webhook", settings: { url: `http://127.0.0.1:${sinkPort}/`, secret } };
  return {
    PATH: process.env["PATH"] ?? "",
    OTEL_SERVICE_NAME: "notifier",
    OTEL_SDK_DISABLED: "true",
    LOG_SINK: "none",
    PORT: String(port),
    DATABASE_URL: databaseUrl,
    KEY_ENCRYPTION_KEY: randomBytes(32).toString("base64url"),
    ALERTMANAGER_TOKEN_FILE: join(secretsDir, "alertmanager-token"),
    ALLOWED_NETWORKS: "127.0.0.1",
    RUNBOOKS_DIR: join(repositoryRoot, "docs/runbooks"),
    TARGETS: JSON.stringify([desk]),
  };
}

function startAlertmanagerFor(
  notifier: number,
  alertmanager: number,
  places: { readonly dataDir: string; readonly secretsDir: string },
) {
  const ports = { ...defaultEnginePorts, alertmanager, notifier };
  return startAlertmanager({ ...places, ports, retention: "7d", repoRoot: repositoryRoot });
}

/** As Prometheus tells Alertmanager of an alert; with `endsAt`, of its end. */
async function fire(alertmanagerPort: number, alert: object): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${alertmanagerPort}/api/v2/alerts`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify([alert]),
  });
  return answer.status;
}

test(
  "an alert that fires while the notifier is down, and its target with it, is a message once both are back",
  async () => {
    await using directory = await temporaryDirectory();
    const [port, alertmanagerPort, sinkPort] = [await freePort(), await freePort(), await freePort()];
    const secretsDir = await makeEngineSecrets(directory.path);
    const alertmanager = await startAlertmanagerFor(port, alertmanagerPort, { dataDir: directory.path, secretsDir });
    const labels = { alertname: "HighErrorRate", severity: "critical", service_name: "orders" };
    const annotations = { summary: "orders fails", runbook_url: "docs/runbooks/HighErrorRate.md" };
    const startsAt = new Date().toISOString();
    expect(await fire(alertmanagerPort, { labels, annotations, startsAt })).toBe(200);

    const postgres = await startPostgres();
    const notifier = startNotifier(environment({ port, sinkPort, secretsDir, databaseUrl: postgres.url }));
    // By then the target has been found away, too.
    const database = createDatabase({ url: postgres.url, service: "test", logger: memoryLogger().logger });
    await eventually("a first attempt", 90_000, async () => {
      const rows = await database.query("select 1 from deliveries where attempts > 0");
      return rows[0];
    });
    await database.close();

    const bodies: string[] = [];
    const sink = Bun.serve({
      hostname: "127.0.0.1",
      port: sinkPort,
      fetch: async (request) => {
        bodies.push(await request.text());
        return new Response();
      },
    });
    await eventually("a message", 90_000, async () => bodies[0]);
    const [alert] = webhookMessage.parse(JSON.parse(bodies[0] ?? "")).data.alerts;
    expect(alert).toMatchObject({
      name: "HighErrorRate",
      tier: "critical",
      status: "firing",
      labels,
      summary: "orders fails",
    });
    expect(alert?.firstLook.length).toBeGreaterThan(0);
    for (const process of [notifier, alertmanager]) {
      process.kill();
      await process.exited;
    }
    await sink.stop(true);
  },
  buildTimeoutMs,
);

test(
  "an alert that begins and ends while the database is away is told when it does, and stands in the history afterwards",
  async () => {
    await using directory = await temporaryDirectory();
    const [port, alertmanagerPort] = [await freePort(), await freePort()];
    const secretsDir = await makeEngineSecrets(directory.path);
    const told: string[] = [];
    const sink = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: async (request) => {
        const { data } = webhookMessage.parse(await request.json());
        told.push(...data.alerts.map(({ name, status }) => `${name} ${status}`));
        return new Response();
      },
    });
    const postgres = await startPostgres({ ownServer: true });
    const sinkPort = sink.port ?? 0;
    const notifier = startNotifier(environment({ port, sinkPort, secretsDir, databaseUrl: postgres.url }));
    await eventually(
      "the notifier is ready",
      60_000,
      async () => (await fetch(`http://127.0.0.1:${port}/health/ready`)).ok,
    );
    await postgres.stopServer();
    const alertmanager = await startAlertmanagerFor(port, alertmanagerPort, { dataDir: directory.path, secretsDir });
    const startsAt = new Date().toISOString();
    const labels = { alertname: "InstanceDown", severity: "critical", service_name: "postgres" };
    expect(await fire(alertmanagerPort, { labels, startsAt })).toBe(200);
    await eventually("the beginning", 60_000, () => told.includes("InstanceDown firing"));
    expect(await fire(alertmanagerPort, { labels, startsAt, endsAt: new Date().toISOString() })).toBe(200);
    await eventually("the end", 60_000, () => told.includes("InstanceDown resolved"));

    await postgres.startServer();
    const database = createDatabase({ url: postgres.url, service: "test", logger: memoryLogger().logger });
    const [alert] = await eventually("the history", 60_000, async () => {
      const rows = await database.query("select name, status, revision from alerts");
      return rows.length > 0 && rows;
    });
    expect(alert).toEqual({ name: "InstanceDown", status: "resolved", revision: 2 });
    const messages = await database.query("select state, attempts from deliveries order by seq");
    expect(messages).toEqual([
      { state: "delivered", attempts: 1 },
      { state: "delivered", attempts: 1 },
    ]);
    await database.close();
    for (const process of [notifier, alertmanager]) {
      process.kill();
      await process.exited;
    }
    expect(told).toEqual(["InstanceDown firing", "InstanceDown resolved"]);
    await sink.stop(true);
  },
  buildTimeoutMs,
);
