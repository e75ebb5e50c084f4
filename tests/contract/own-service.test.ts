import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { env, execPath } from "node:process";
import { eventually } from "@vitrine/kit/testing/eventually";
import { type OtlpSink, startOtlpSink } from "@vitrine/kit/testing/otlp-sink";
import { freePort, startPostgres } from "@vitrine/kit/testing/postgres";
import { repositoryRoot } from "../../dev/engines/engines.ts";
import { runCommand } from "../../dev/engines/run-command.ts";
import { temporaryDirectory, type TemporaryDirectory } from "../../dev/engines/testing.ts";

/** The service that docs/instrument-your-service.md has its reader write, as printed there. */

setDefaultTimeout(60_000);

let folder: TemporaryDirectory;
let sink: OtlpSink;

beforeAll(async () => {
  folder = await temporaryDirectory();
  sink = await startOtlpSink();
  const page = await Bun.file(join(repositoryRoot, "docs/instrument-your-service.md")).text();
  const [main = "", events = ""] = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code);
  await Bun.write(join(folder.path, "src/main.ts"), main);
  await Bun.write(join(folder.path, "src/events.ts"), events);
  await Bun.write(join(folder.path, "package.json"), JSON.stringify({ type: "module" }));
  await mkdir(join(folder.path, "node_modules/@vitrine"), { recursive: true });
  for (const name of ["contracts", "kit"])
    await symlink(join(repositoryRoot, "packages", name), join(folder.path, "node_modules/@vitrine", name));
});

afterAll(async () => {
  await sink?.stop();
  await folder?.[Symbol.asyncDispose]();
});

test("passes the compiler under strict rules", async () => {
  const config = {
    extends: join(repositoryRoot, "tsconfig.json"),
    compilerOptions: { typeRoots: [join(repositoryRoot, "node_modules/@types")] },
    include: ["src"],
  };
  await Bun.write(join(folder.path, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(repositoryRoot, "node_modules/.bin/tsc");
  const { exitCode, stdout } = await runCommand([tsc, "--project", folder.path], { env });
  expect([exitCode, stdout]).toEqual([0, ""]);
});

test("tells what it did by all three signals under one request id", async () => {
  const { url } = await startPostgres();
  const port = await freePort();
  await using service = Bun.spawn([execPath, "--preload", "@vitrine/kit/telemetry/preload", "src/main.ts"], {
    cwd: folder.path,
    env: {
      PATH: env["PATH"] ?? "",
      PORT: String(port),
      DATABASE_URL: url,
      OTEL_SERVICE_NAME: "tickets",
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    },
    stdout: "ignore",
    stderr: "inherit",
  });
  const sold = await eventually("the service takes requests", 30_000, async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/tickets/42`, {
      method: "POST",
      headers: { "x-request-id": "my-ticket" },
    }).catch(() => undefined);
    return answer?.status === 201 ? ((await answer.json()) as unknown) : undefined;
  });
  expect(sold).toMatchObject({ id: "42" });
  service.kill("SIGTERM");
  expect(await service.exited).toBe(0);

  const line = sink.logs.find(({ body }) => body === "ticket sold");
  expect(line).toMatchObject({ service: "tickets", attributes: { request_id: "my-ticket" } });
  const trace = sink.spans.filter(({ traceId }) => traceId === line?.traceId).map(({ attributes }) => attributes);
  expect(trace.map((attributes) => attributes["request.id"])).toContain("my-ticket");
  expect(trace.map((attributes) => attributes["db.query.text"])).toContain("select $1::text as id, now() as sold_at");
  const counted = [...sink.metrics.values()].find(({ name }) => name === "tickets.sold");
  expect(counted?.points).toMatchObject([{ attributes: { category: "seat" }, value: 1 }]);
});
