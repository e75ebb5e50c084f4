import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { buildDocument } from "@vitrine/kit/openapi";
import { createFuzz, type Fuzz } from "@vitrine/kit/testing/fuzz";
import { judgeAnswer, type Listed, listOperations, listRoutes, makeRequest } from "@vitrine/kit/testing/openapi";
import { notifierDocument } from "./openapi.ts";
import { startSink, type Sink } from "./testing/sink.ts";
import { alertmanagerToken, startNotifier, type TestNotifier, webhookOf } from "./testing/start-notifier.ts";

const document = buildDocument(notifierDocument("http://localhost:8080"));
const cases = listOperations(document);
const seed = 20_261_121;
const requestsEach = 60;
const secret = `whsec_${Buffer.alloc(24, 1).toString("base64")}`;

let notifier: TestNotifier;
let sink: Sink;

beforeAll(async () => {
  sink = startSink();
  notifier = await startNotifier({ timeoutMs: { http: 500, mail: 500 } });
});

afterAll(async () => {
  await notifier[Symbol.asyncDispose]();
  await sink.stop();
});

/** What is there for a request to find: an alert, a dead letter and a target, made anew since requests remove them. */
async function things() {
  await notifier.database.query("delete from targets");
  await notifier.database.query("delete from alerts");
  const target = await notifier.addTarget({ name: "sink", channel: "webhook", settings: { url: sink.url, secret } });
  await notifier.tell(webhookOf({ startsAt: Date.now() }));
  await notifier.database.query("update deliveries set state = 'dead', ended_at = now()");
  const [alert] = await notifier.database.query<{ id: string }>("select id from alerts");
  const [delivery] = await notifier.database.query<{ id: string }>("select id from deliveries");
  return { alerts: alert?.id ?? "", deliveries: delivery?.id ?? "", targets: target.id };
}

const isAlertmanager = ({ path }: Listed) => path.endsWith("/alertmanager");

/** Makes a body that its schema allows into one that means something. */
function amend({ path, method }: Listed, body: Record<string, unknown>): void {
  if (isAlertmanager({ path } as Listed)) Object.assign(body, webhookOf({ startsAt: 1_000_000 }));
  if (path.endsWith("/targets") && method === "POST")
    Object.assign(body, { name: `t-${crypto.randomUUID()}`, channel: "webhook", settings: { url: sink.url, secret } });
  if (path.endsWith("/secret")) body["secret"] = secret;
  if (method === "PATCH") for (const name of ["settings", "matchers", "quietHours", "tiers"]) delete body[name];
  if (path.endsWith("/targets")) for (const name of ["matchers", "quietHours", "tiers"]) delete body[name];
  if (path.endsWith("/replay")) delete body["target"];
}

async function send(one: Listed, fuzz: Fuzz, fit: boolean, token: string | undefined) {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const there: Readonly<Record<string, string>> = fit && token !== undefined ? await things() : {};
  const id = there[one.path.split("/")[3] ?? ""];
  const request = makeRequest(one, fuzz, {
    fit,
    headers,
    params: id === undefined ? {} : { id },
    amend: (body) => {
      if (fit) amend(one, body);
    },
  });
  const response = await notifier.app.request(request);
  expect(await judgeAnswer(document, one, response.clone())).toBeUndefined();
  return response.status;
}

test("the document names every route there is, and none there is not", () => {
  expect(listRoutes(notifier.app)).toEqual(cases.map(([name]) => name).toSorted());
});

describe(`requests made from the document (seed ${seed})`, () => {
  test.each(cases)("%s keeps what it says for any input", async (name, one) => {
    const fuzz = createFuzz(seed + name.length * 7_919);
    const statuses = new Set<number>();
    for (let count = 0; count < requestsEach; count += 1) {
      const token = isAlertmanager(one) ? alertmanagerToken : await notifier.issuer.sign("alerts:read alerts:admin");
      statuses.add(await send(one, fuzz, count % 3 === 0, token));
    }
    const successes = Object.keys(one.operation.responses)
      .map(Number)
      .filter((status) => status < 300);
    if (!name.includes("runbooks")) expect(successes.some((status) => statuses.has(status))).toBe(true);
  });

  test.each(cases.filter(([, { operation }]) => operation.security.length > 0))(
    "%s answers nobody without a token, nor one without its scope",
    async (name, one) => {
      const fuzz = createFuzz(seed + name.length);
      expect(await send(one, fuzz, true, undefined)).toBe(401);
      const other = await notifier.issuer.sign("orders:read telemetry:admin");
      expect(await send(one, fuzz, true, other)).toBe(isAlertmanager(one) ? 401 : 403);
    },
  );
});
