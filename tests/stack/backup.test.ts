import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, readdir, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { eventually } from "@vitrine/kit/testing/eventually";
import { getJson, type Stack, startStack } from "./stack.ts";

/** A backup of a system that works is put back after everything was lost. */
const coldStartMs = 60 * 60_000;

setDefaultTimeout(240_000);

let stack: Stack;
let token: string;

const created = z.looseObject({ id: z.string() });

const pageAnswer = z.object({ items: z.array(created) });

const get = (path: string): Promise<unknown> => getJson(stack, token, path);

async function isUp(): Promise<true | undefined> {
  return (await stack.doctor()).ok || undefined;
}

/** The id of an order that is placed for this; the piece is stocked before. */
async function placeOrder(): Promise<string> {
  const { items } = pageAnswer.parse(await get("/api/catalog"));
  const pieceId = items[0]?.id ?? "";
  await post(`/api/inventory/${pieceId}/restock`, { quantity: 1 });
  return created.parse(await post("/api/orders", { pieceId, quantity: 1 })).id;
}

async function post(path: string, body: object): Promise<unknown> {
  const response = await fetch(stack.gateway + path, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "idempotency-key": crypto.randomUUID(),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

/** Samples of the minute that ended at a time, so that what is written after the restore does not count. */
async function hadMetrics(atSeconds: number): Promise<true | undefined> {
  const query = new URLSearchParams({ query: "count_over_time(app_up[1m])", time: String(atSeconds) });
  return JSON.stringify(await get(`/prometheus/api/v1/query?${query}`)).includes('"value"') || undefined;
}

async function hasLog(requestId: string): Promise<true | undefined> {
  const query = new URLSearchParams({ query: `{service_name="gateway"} | request_id="${requestId}"` });
  return JSON.stringify(await get(`/loki/api/v1/query_range?${query}`)).includes(requestId) || undefined;
}

beforeAll(async () => {
  stack = await startStack();
  await eventually("the whole system is up", coldStartMs, isUp);
  token = await stack.token();
}, coldStartMs);

afterAll(() => stack.stop());

test("orders, people, metrics and logs of the time of a backup are there again after all data was lost", async () => {
  const requestId = `backup-${crypto.randomUUID()}`;
  const order = await eventually("an order", 60_000, placeOrder);
  await fetch(`${stack.gateway}/api/catalog`, {
    headers: { authorization: `Bearer ${token}`, "x-request-id": requestId },
  });
  await eventually("its log line", 20_000, () => hasLog(requestId));
  const atSeconds = await eventually("metrics", 20_000, async () => {
    const now = Date.now() / 1_000;
    return (await hadMetrics(now)) && now;
  });

  const folder = join(stack.directory, "backup");
  const made = await stack.command("dev/backup/cli.ts", "backup", folder);
  expect(made).toMatchObject({ code: 0, stderr: "" });
  expect((await stat(folder)).mode & 0o777).toBe(0o700);

  const whileRunning = await stack.command("dev/backup/cli.ts", "restore", folder);
  expect(whileRunning.code).toBe(1);
  expect(whileRunning.stderr).toContain("already runs");

  stack.runner.kill("SIGTERM");
  await stack.runner.exited;
  for (const lost of ["data", "secrets"]) await rm(join(stack.directory, lost), { recursive: true });
  const restored = await stack.command("dev/backup/cli.ts", "restore", folder);
  expect(restored).toMatchObject({ code: 0, stderr: "" });
  stack = await stack.restart();
  await eventually("the whole system is up again", 120_000, isUp);

  // Signed in with the secrets of before, against the people of before.
  token = await stack.token();
  const found = await eventually("the order of before", 20_000, () => get(`/api/orders/${order}`));
  expect(found).toMatchObject({ id: order });
  await eventually("the metrics of before", 20_000, () => hadMetrics(atSeconds));
  await eventually("the log line of before", 20_000, () => hasLog(requestId));
});

test("a copy that lost something is not restored, and what is there stays", async () => {
  const folder = join(stack.directory, "damaged");
  expect((await stack.command("dev/backup/cli.ts", "backup", folder)).code).toBe(0);
  const lost = join(folder, "postgres/PG_VERSION");
  await chmod(lost, 0o600);
  await truncate(lost, 0);
  stack.runner.kill("SIGTERM");
  await stack.runner.exited;
  const before = await readdir(join(stack.directory, "data"));
  const refused = await stack.command("dev/backup/cli.ts", "restore", folder);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("is not whole");
  expect(await readdir(join(stack.directory, "data"))).toEqual(before);
  const stranger = await stack.command("dev/backup/cli.ts", "restore", stack.directory);
  expect(stranger.stderr).toContain("is no backup");
  const notRunning = await stack.command("dev/backup/cli.ts", "backup", join(stack.directory, "none"));
  expect(notRunning.stderr).toContain("does not run");
  stack = await stack.restart();
  await eventually("the whole system is up again", 120_000, isUp);
});
