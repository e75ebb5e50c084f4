import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { eventually } from "@vitrine/kit/testing/eventually";
import { type ComposeStack, missingImages, startCompose } from "./compose-stack.ts";

/** The same system from images. Takes minutes and every port of a network of its own: asked for by STACK=compose. */
const asked = Bun.env["STACK"] === "compose";
const missing = asked ? await missingImages() : [];
if (missing.length > 0) throw new Error(`STACK=compose needs these images: ${missing.join(", ")}`);
const because = asked ? "" : " (skipped: STACK=compose asks for it)";

setDefaultTimeout(180_000);

const streams = z.looseObject({
  data: z.looseObject({ result: z.array(z.looseObject({ stream: z.record(z.string(), z.string()) })) }),
});
const samples = z.looseObject({ data: z.looseObject({ result: z.array(z.unknown()) }) });

let stack: ComposeStack;

beforeAll(async () => {
  if (asked) stack = await startCompose();
}, 300_000);

afterAll(async () => {
  if (asked) await stack.stop();
}, 120_000);

const stackTest = test.skipIf(!asked);

stackTest(`the doctor follows a log, a metric and a span through the system of images${because}`, async () => {
  const { code, stdout } = await stack.script("dev/doctor/cli.ts", "--compose", "--json", "--deadline-ms=60000");
  expect(JSON.parse(stdout)).toMatchObject({ ok: true });
  expect(code).toBe(0);
});

stackTest("one request id opens the lines of gateway, orders and inventory, and their trace", async () => {
  const requestId = `compose-${crypto.randomUUID()}`;
  const authorization = `Bearer ${await stack.token("generator")}`;
  const pieceId = `piece-${crypto.randomUUID().slice(0, 8)}`;
  const headers = { authorization, "content-type": "application/json" };
  const json = (method: string, body: object) => ({ method, headers, body: JSON.stringify(body) });
  const kept = { maison: "Akanemori", kind: "jewellery" };
  const piece = { ...kept, name: "A piece", price: { amount: 100_000, currency: "EUR" }, edition: null };
  expect((await stack.ask(`/api/catalog/${pieceId}`, json("PUT", piece))).status).toBeLessThan(300);
  expect(
    (await stack.ask(`/api/inventory/${pieceId}/restock`, json("POST", { ...kept, quantity: 5 }))).status,
  ).toBeLessThan(300);
  const order = json("POST", { pieceId, quantity: 1 });
  const answer = await stack.ask("/api/orders", { ...order, headers: { ...headers, "x-request-id": requestId } });
  expect(answer.status).toBe(201);
  const trace = await eventually("the lines of all three", 60_000, async () => {
    const query = encodeURIComponent(`{service_name=~".+"} | request_id="${requestId}"`);
    const shown = await stack.read(`/loki/api/v1/query_range?query=${query}`);
    if (shown === undefined) return undefined;
    const labels = streams.parse(shown).data.result.map(({ stream }) => stream);
    const services = new Set(labels.map(({ service_name: name }) => name));
    const all = ["gateway", "orders", "inventory"].every((name) => services.has(name));
    return all ? labels.find(({ trace_id: id }) => id !== undefined)?.["trace_id"] : undefined;
  });
  await eventually("the trace", 60_000, () => stack.read(`/jaeger/api/v3/traces/${trace}`));
});

stackTest(
  "from outside only the gateway answers, and inside nobody is root or writes where it should not",
  async () => {
    const containers = await stack.inspect();
    expect(containers.length).toBeGreaterThan(11);
    const published = containers.filter(({ ports }) => ports.length > 0);
    expect(published.map(({ service }) => service)).toEqual(["gateway"]);
    for (const { service, user, readOnly, capabilities, memory, cpus, privileges } of containers) {
      expect([service, readOnly, capabilities, privileges]).toEqual([
        service,
        true,
        ["ALL"],
        ["no-new-privileges:true"],
      ]);
      expect(memory > 0 && cpus > 0, service).toBe(true);
      // What hands over two volumes and ends is alone root.
      if (service !== "volume-owner") expect(user, service).toMatch(/^[1-9]\d*(:\d+)?$/);
    }
    expect(await stack.openPorts()).toEqual([4318, 8080]);
  },
);

stackTest.each(["collector", "loki", "gateway"])(
  "%s is killed: it comes back by itself, and no telemetry that was accepted is lost",
  async (victim) => {
    const mark = crypto.randomUUID();
    const accepted: number[] = [];
    const send = async (number: number): Promise<void> => {
      if (await stack.sendLog(mark, number)) accepted.push(number);
    };
    for (let number = 0; number < 20; number += 1) await send(number);
    const restarts = await stack.kill(victim);
    for (let number = 20; number < 40; number += 1) {
      await send(number);
      await Bun.sleep(100);
    }
    await eventually(`${victim} is back`, 90_000, async () =>
      (await stack.startsOf(victim)) > restarts ? true : undefined,
    );
    await eventually("telemetry is accepted again", 90_000, async () => {
      const before = accepted.length;
      await send(1_000 + before);
      return accepted.length > before ? true : undefined;
    });
    await eventually(`${accepted.length} lines`, 90_000, async () => {
      const kept = await stack.keptLogs(mark);
      return accepted.every((number) => kept.has(number)) ? true : undefined;
    });
    expect(accepted.length).toBeGreaterThan(20);
  },
);

stackTest(
  "each of the others is killed in turn: all come back, and no line that was accepted is lost",
  async () => {
    const mark = crypto.randomUUID();
    const accepted: number[] = [];
    const others = (await stack.inspect())
      .map(({ service }) => service)
      .filter((service) => !["collector", "gateway", "loki", "volume-owner"].includes(service));
    expect(others.length).toBeGreaterThan(8);
    const before = new Map<string, number>();
    for (const victim of others) {
      before.set(victim, await stack.kill(victim));
      for (let tries = 0; tries < 3; tries += 1) {
        const number = before.size * 10 + tries;
        if (await stack.sendLog(mark, number)) accepted.push(number);
      }
    }
    // What telemetry does not pass may be away, and it is taken all the same.
    expect(accepted.length).toBe(others.length * 3);
    await eventually("all of them are back", 120_000, async () => {
      const now = await stack.inspect();
      return now.every(({ service, restarts }) => restarts > (before.get(service) ?? -1)) ? true : undefined;
    });
    await eventually(`${accepted.length} lines`, 90_000, async () => {
      const kept = await stack.keptLogs(mark);
      return accepted.every((number) => kept.has(number)) ? true : undefined;
    });
    await eventually("a whole system", 120_000, async () => {
      const { code } = await stack.script("dev/doctor/cli.ts", "--compose", "--deadline-ms=20000");
      return code === 0 ? true : undefined;
    });
  },
  360_000,
);

stackTest("a backup of the running system brings back accounts, metrics and lines after all was lost", async () => {
  const directory = await mkdtemp(join(tmpdir(), "vitrine-backup-"));
  const folder = join(directory, "backup");
  const command = (name: string) => stack.script("dev/backup/cli.ts", name, "--compose", folder);
  const mark = crypto.randomUUID();
  await eventually("a line is kept", 60_000, async () => {
    await stack.sendLog(mark, 1);
    return (await stack.keptLogs(mark)).has(1) ? true : undefined;
  });
  const headers = { authorization: `Bearer ${await stack.token("doctor")}` };
  const query = new URLSearchParams({ query: "count_over_time(app_up[1m])", time: String(Date.now() / 1_000) });
  const hadMetrics = async () => {
    const answer = await stack.ask(`/prometheus/api/v1/query?${query}`, { headers });
    // Signed by a key that was in the database: what verifies it came back, too.
    expect(answer.status).not.toBe(401);
    return answer.ok && samples.parse(await answer.json()).data.result.length > 0 ? true : undefined;
  };
  await eventually("metrics", 60_000, hadMetrics);

  expect(await command("backup")).toMatchObject({ code: 0, stderr: "" });
  const whileRunning = await command("restore");
  expect([whileRunning.code, whileRunning.stderr]).toEqual([1, expect.stringContaining("The system runs")]);
  await stack.lose();
  expect(await command("restore")).toMatchObject({ code: 0, stderr: "" });
  await stack.up();
  await eventually("the metrics of before", 60_000, hadMetrics);
  await eventually("the line of before", 60_000, async () => ((await stack.keptLogs(mark)).has(1) ? true : undefined));
  await rm(directory, { recursive: true });
});

stackTest("down and up again: orders' database, logs, metrics and traces are all still there", async () => {
  const mark = crypto.randomUUID();
  await eventually("a line is kept", 60_000, async () => {
    await stack.sendLog(mark, 1);
    return (await stack.keptLogs(mark)).has(1) ? true : undefined;
  });
  const token = await stack.token("doctor");
  const since = encodeURIComponent('count_over_time(up{job="collector"}[1h])');
  await stack.down();
  await stack.up();
  // A token of before is good after: the key that signed it is kept.
  const answer = await stack.ask(`/prometheus/api/v1/query?query=${since}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(samples.parse(await answer.json()).data.result.length).toBeGreaterThan(0);
  await eventually("the line of before", 60_000, async () => (await stack.keptLogs(mark)).has(1));
});
