import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { freePort } from "@vitrine/kit/testing/postgres";

export interface RecordedService {
  readonly url: string;
  /** Ends the service as its runner does, and answers with everything it has said to anybody but its callers. */
  finish(): Promise<string>;
}

/** The service as the process it is, with all it prints and every byte of telemetry it exports kept. */
export async function recordService(
  env: Readonly<Record<string, string>>,
  clients: readonly unknown[],
): Promise<RecordedService> {
  const directory = await mkdtemp(join(tmpdir(), "vitrine-recorded-"));
  const clientsFile = join(directory, "clients.json");
  await Bun.write(clientsFile, JSON.stringify(clients));
  const said: string[] = [];
  const collector = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const raw = new Uint8Array(await request.arrayBuffer());
      const bytes = request.headers.get("content-encoding") === "gzip" ? gunzipSync(raw) : raw;
      // Text stands in protobuf as it is, whatever field it is in.
      said.push(new URL(request.url).pathname, Buffer.from(bytes).toString("latin1"));
      return new Response(new Uint8Array(), { headers: { "content-type": "application/x-protobuf" } });
    },
  });
  const port = await freePort();
  const child = Bun.spawn([process.execPath, "--preload", "@vitrine/kit/telemetry/preload", "src/main.ts"], {
    cwd: join(import.meta.dir, "../.."),
    env: {
      PATH: Bun.env["PATH"] ?? "",
      PORT: String(port),
      LOG_LEVEL: "debug",
      OTEL_SERVICE_NAME: "auth",
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url.origin,
      OTEL_METRIC_EXPORT_INTERVAL: "500",
      CLIENTS_FILE: clientsFile,
      ...env,
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const printed = Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const url = `http://127.0.0.1:${port}`;
  while ((await fetch(`${url}/health/ready`).catch(() => undefined))?.status !== 200) {
    if (child.exitCode !== null) throw new Error(`the service ended: ${(await printed).join("")}`);
    await Bun.sleep(20);
  }
  return {
    url,
    finish: async () => {
      said.push(await (await fetch(`${url}/metrics`)).text());
      child.kill("SIGTERM");
      await child.exited;
      await collector.stop(true);
      await rm(directory, { recursive: true });
      return [...said, ...(await printed)].join("\n");
    },
  };
}
