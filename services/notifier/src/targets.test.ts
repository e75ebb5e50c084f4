import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Target } from "@vitrine/contracts/targets";
import { newTarget } from "@vitrine/contracts/targets";
import type { Scope } from "@vitrine/contracts/scopes";
import { Webhook } from "standardwebhooks";
import { type Sink, startSink } from "./testing/sink.ts";
import { startNotifier, type TargetInput, type TestNotifier, webhookOf } from "./testing/start-notifier.ts";

const secretOf = (fill: number) => `whsec_${Buffer.alloc(32, fill).toString("base64")}`;
const hidden = "T000-B000-this-is-the-secret";
const password = "mail-password-nobody-sees";

let notifier: TestNotifier;
let sink: Sink;
let now = Date.parse("2026-11-21T10:00:00Z");

beforeEach(async () => {
  sink = startSink();
  notifier = await startNotifier({ now: () => now });
});

afterEach(async () => {
  await notifier[Symbol.asyncDispose]();
  await sink.stop();
});

async function create(target: unknown): Promise<{ readonly status: number; readonly target: Target }> {
  const response = await notifier.call("POST", "/targets", target);
  return { status: response.status, target: (await response.json()) as Target };
}

const inputs: readonly TargetInput[] = [
  { name: "hook", channel: "webhook", settings: { url: `https://hooks.test/${hidden}`, secret: secretOf(9) } },
  { name: "chat", channel: "slack", settings: { url: `https://hooks.slack.test/services/${hidden}` } },
  { name: "room", channel: "discord", settings: { url: `https://discord.test/api/webhooks/1/${hidden}` } },
  {
    name: "mail",
    channel: "mail",
    settings: { host: "mail.test", user: "vitrine", password, from: "a@example.org", to: "ops@example.org" },
  },
];

describe("a target", () => {
  test("keeps its secrets: no answer, no log line and no row has them in the clear", async () => {
    for (const input of inputs) expect((await create(input)).status).toBe(201);
    const { items } = await notifier.read<{ items: readonly Target[] }>("/targets");
    expect(items.map(({ destination }) => destination).toSorted()).toEqual([
      "https://discord.test",
      "https://hooks.slack.test",
      "https://hooks.test",
      "ops@example.org by mail.test",
    ]);
    for (const { id } of items) await notifier.call("PATCH", `/targets/${id}`, { enabled: false });
    await notifier.call("PUT", `/targets/${items[1]?.id}/secret`, { secret: secretOf(9) });
    const answers = await Promise.all(
      ["/targets", ...items.map(({ id }) => `/targets/${id}`), "/deliveries"].map(async (path) =>
        (await notifier.call("GET", path)).text(),
      ),
    );
    const rows = await notifier.database.query<{ text: string }>("select t::text as text from targets t");
    const stored = rows.map(({ text }) => text).join("\n");
    const raw = await notifier.database.query<{ settings: Buffer }>("select settings from targets");
    const everything = [
      ...answers,
      stored,
      JSON.stringify(notifier.lines),
      ...raw.map(({ settings }) => settings.toString("latin1")),
    ].join("\n");
    for (const one of [hidden, secretOf(9), password]) expect(everything).not.toContain(one);
  });

  test("is one of a name, and may be renamed, changed in part and removed", async () => {
    const { target } = await create(inputs[0]);
    expect((await create(inputs[0])).status).toBe(409);
    const other = await create(inputs[1]);
    expect((await notifier.call("PATCH", `/targets/${other.target.id}`, { name: "hook" })).status).toBe(409);
    const changed = await notifier.call("PATCH", `/targets/${target.id}`, { name: "renamed", tiers: ["info"] });
    expect(await changed.json()).toMatchObject({
      ...target,
      name: "renamed",
      tiers: ["info"],
      updatedAt: expect.any(String),
    });
    expect((await notifier.call("DELETE", `/targets/${target.id}`)).status).toBe(204);
    for (const [method, path] of [
      ["GET", ""],
      ["DELETE", ""],
      ["PATCH", ""],
      ["POST", "/test"],
    ] as const)
      expect(
        (await notifier.call(method, `/targets/${target.id}${path}`, method === "PATCH" ? {} : undefined)).status,
      ).toBe(404);
  });

  test("takes settings of its own channel only, and says which field is wrong without saying what stood there", async () => {
    const { target } = await create(inputs[3]);
    const response = await notifier.call("PATCH", `/targets/${target.id}`, {
      settings: { url: `https://x/${hidden}` },
    });
    expect(response.status).toBe(400);
    const text = await response.text();
    expect(text).toContain("settings.host");
    expect(text).not.toContain(hidden);
    for (const wrong of [
      { ...inputs[0], settings: { url: "ftp://hooks.test/x", secret: secretOf(1) } },
      { ...inputs[0], settings: { url: "https://u:p@hooks.test/x", secret: secretOf(1) } },
      { ...inputs[0], settings: { url: "https://hooks.test/x", secret: "whsec_short" } },
      { ...inputs[3], settings: { host: "mail.test", from: "a@example.org\r\nBcc: x@y.z", to: "b@example.org" } },
      { ...inputs[3], settings: { host: "mail.test", from: "a@example.org", to: "b@example.org, c@example.org" } },
      { ...inputs[1], name: "No Name" },
      { ...inputs[1], matchers: { "not a label": "x" } },
    ])
      expect((await create(wrong)).status).toBe(400);
  });

  test("is for administrators; who may read alerts reads history and messages, and changes nothing", async () => {
    const { target } = await create({ ...inputs[0], settings: { url: sink.url, secret: secretOf(1) } });
    const asReader = (method: string, path: string, body?: unknown) =>
      notifier.call(method, path, body, "alerts:read" satisfies Scope).then(({ status }) => status);
    for (const path of ["/alerts", "/deliveries"]) expect(await asReader("GET", path)).toBe(200);
    expect(await asReader("GET", "/targets")).toBe(403);
    expect(await asReader("GET", `/targets/${target.id}`)).toBe(403);
    expect(await asReader("POST", `/targets/${target.id}/test`)).toBe(403);
    expect(await asReader("POST", "/deliveries/replay", {})).toBe(403);
  });

  test("is tested by one message that says so, stands in no history, and tells what went wrong", async () => {
    const { target } = await create({ ...inputs[0], settings: { url: sink.url, secret: secretOf(1) } });
    const press = async () => (await notifier.call("POST", `/targets/${target.id}/test`)).json();
    expect(await press()).toEqual({ delivered: true, failure: null, status: 200 });
    expect(sink.received[0]?.body).toContain('"type":"test"');
    sink.answer = () => new Response("", { status: 500 });
    expect(await press()).toEqual({ delivered: false, failure: "server_error", status: 500 });
    expect((await notifier.read<{ items: unknown[] }>("/deliveries")).items).toEqual([]);
    expect((await notifier.read<{ items: unknown[] }>("/alerts")).items).toEqual([]);
  });

  test("does not lead into our own network", async () => {
    for (const url of [
      "https://169.254.169.254/latest/meta-data",
      "https://[::1]/x",
      "https://10.0.0.1/",
      "http://[::ffff:10.0.0.1]/",
    ]) {
      const { target } = await create({ name: `t-${crypto.randomUUID()}`, channel: "slack", settings: { url } });
      const answer = await notifier.call("POST", `/targets/${target.id}/test`);
      expect(await answer.json()).toEqual({ delivered: false, failure: "address_refused", status: null });
    }
  });
});

describe("the signing secret of a webhook", () => {
  const verifies = (secret: string) => {
    const last = sink.received.at(-1);
    const headers = Object.fromEntries(last?.headers ?? []);
    const at = new Date(Number(headers["webhook-timestamp"]) * 1_000);
    const signature = new Webhook(secret).sign(headers["webhook-id"] ?? "", at, last?.body ?? "");
    return headers["webhook-signature"]?.split(" ").includes(signature) === true;
  };

  test("is rotated without a gap: both sign for as long as was asked for, then the new one alone", async () => {
    const { target } = await create({ ...inputs[0], settings: { url: sink.url, secret: secretOf(1) } });
    const rotation = { secret: secretOf(2), overlapHours: 2 };
    expect((await notifier.call("PUT", `/targets/${target.id}/secret`, rotation)).status).toBe(200);
    await notifier.call("POST", `/targets/${target.id}/test`);
    expect([verifies(secretOf(1)), verifies(secretOf(2))]).toEqual([true, true]);
    now += 2 * 3_600_000;
    await notifier.call("POST", `/targets/${target.id}/test`);
    expect([verifies(secretOf(1)), verifies(secretOf(2))]).toEqual([false, true]);
  });

  test("is nothing other channels have", async () => {
    const { target } = await create(inputs[1]);
    expect((await notifier.call("PUT", `/targets/${target.id}/secret`, { secret: secretOf(2) })).status).toBe(400);
  });
});

describe("targets of a file", () => {
  const preset = (fill: number) =>
    newTarget.parse({ name: "preset", channel: "webhook", settings: { url: sink.url, secret: secretOf(fill) } });

  test("are made at the start, changed by the file alone, and told nothing once they have left it", async () => {
    await Promise.all([notifier.targets.putPresets([preset(1)]), notifier.targets.putPresets([preset(1)])]);
    const [target] = await notifier.targets.list();
    expect(target).toMatchObject({ name: "preset", preset: true, enabled: true });
    expect((await notifier.call("PATCH", `/targets/${target?.id}`, { enabled: false })).status).toBe(409);
    expect((await notifier.call("DELETE", `/targets/${target?.id}`)).status).toBe(409);
    await notifier.targets.putPresets([]);
    expect(await notifier.targets.list()).toEqual([
      expect.objectContaining({ id: target?.id, preset: false, enabled: false }),
    ]);
    await notifier.tell(webhookOf({ startsAt: now }));
    await notifier.dispatcher.drain();
    expect(sink.received).toHaveLength(0);
    expect((await notifier.call("DELETE", `/targets/${target?.id}`)).status).toBe(204);
  });

  test("sign with the old secret, too, for a day after the file has another", async () => {
    await notifier.targets.putPresets([preset(1)]);
    const [target] = await notifier.targets.list();
    await notifier.targets.putPresets([preset(2)]);
    await notifier.targets.putPresets([preset(2)]);
    const signatures = async () => {
      await notifier.call("POST", `/targets/${target?.id}/test`);
      return sink.received.at(-1)?.headers.get("webhook-signature")?.split(" ").length;
    };
    expect(await signatures()).toBe(2);
    now += 86_400_000;
    expect(await signatures()).toBe(1);
  });
});
