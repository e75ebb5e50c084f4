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

test(
  "an alert that fires while the notifier is down, and its target with it, is a message once both are back",
  async () => {
    await using directory = await temporaryDirectory();
    const [port, alertmanagerPort, sinkPort] = [await freePort(), await freePort(), await freePort()];
    const secretsDir = await makeEngineSecrets(directory.path);
    const alertmanager = await startAlertmanager({
      ports: { ...defaultEnginePorts, alertmanager: alertmanagerPort, notifier: port },
      dataDir: directory.path,
      retention: "7d",
      repoRoot: repositoryRoot,
      secretsDir,
    });
    const labels = { alertname: "HighErrorRate", severity: "critical", service_name: "orders" };
    const annotations = { summary: "orders fails", runbook_url: "docs/runbooks/HighErrorRate.md" };
    const fired = await fetch(`http://127.0.0.1:${alertmanagerPort}/api/v2/alerts`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify([{ labels, annotations, startsAt: new Date().toISOString() }]),
    });
    expect(fired.status).toBe(200);

    const postgres = await startPostgres();
    const targets = [
      {
        name: "desk",
        channel: "webhook",
        settings: {
          url: `http://127.0.0.1:${sinkPort}/`,
          secret: `whsec_${randomBytes(32).toString("base64")}`,
        },
      },
    ];
    const notifier = startNotifier({
      PATH: process.env["PATH"] ?? "",
      OTEL_SERVICE_NAME: "notifier",
      OTEL_SDK_DISABLED: "true",
      LOG_SINK: "none",
      PORT: String(port),
      DATABASE_URL: postgres.url,
      KEY_ENCRYPTION_KEY: randomBytes(32).toString("base64url"),
      ALERTMANAGER_TOKEN_FILE: join(secretsDir, "alertmanager-token"),
      ALLOWED_NETWORKS: "127.0.0.1",
      RUNBOOKS_DIR: join(repositoryRoot, "docs/runbooks"),
      TARGETS: JSON.stringify(targets),
    });
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
