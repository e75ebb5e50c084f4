import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { buildDocument, type OpenApiDocument } from "@vitrine/kit/openapi";
import { createFuzz, type Fuzz } from "@vitrine/kit/testing/fuzz";
import { judgeAnswer, type Listed, listOperations, listRoutes, makeRequest } from "@vitrine/kit/testing/openapi";
import { authDocument } from "../openapi/document.ts";
import { clientToken, personToken } from "../testing/person-token.ts";
import { basic, readToken, startAuth, type TestAuth, testSecrets } from "../testing/start-auth.ts";

const document = buildDocument(authDocument("http://localhost:8080"));
const cases = listOperations(document);
const listed = cases.map(([, one]) => one);

const requestsEach = 60;
let auth: TestAuth;
let nowMs = Date.now();
let follower = "";

beforeAll(async () => {
  auth = await startAuth({
    now: () => nowMs,
    // What passwords cost is not what is looked for here.
    passwordFunction: {
      hash: async (password) => `hash of ${password}`,
      verify: async (password, hash) => hash === `hash of ${password}`,
    },
  });
});

afterAll(async () => {
  await auth[Symbol.asyncDispose]();
});

/** The token of a new administrator's own session. */
async function administrator(): Promise<string> {
  const name = `admin-${crypto.randomUUID()}`;
  const password = "an orchid in the window";
  // What the requests before may have set off in throttling is over by then.
  nowMs += 7_200_000;
  await auth.json("/api/auth/register", { name, password });
  await auth.database.query("update users set role = 'admin' where name = $1", [name]);
  return (await readToken(await auth.json("/api/auth/login", { name, password }))).access_token;
}

async function check(one: Listed, response: Response): Promise<void> {
  // RFC 9110 §15.5.2, RFC 6585 §4.
  if (response.status === 401) expect(response.headers.get("www-authenticate")).toMatch(/^(Bearer|Basic)\b/);
  if (response.status === 429) expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
  expect(await judgeAnswer(document, one, response)).toBeUndefined();
}

/** One request; `fit` says whether to keep to the schemas or to leave them. */
function build(one: Listed, fuzz: Fuzz, fit: boolean, token: string): Request {
  const headers: Record<string, string> = {};
  const { security } = one.operation;
  const scheme = Object.keys(security[0] ?? {})[0];
  if (scheme === "bearer" || security.length > 1) headers["authorization"] = `Bearer ${token}`;
  if (scheme === "client" && fuzz.random() < 0.9) headers["authorization"] = basic("orders", testSecrets.orders);
  if (scheme === "cookie" && fuzz.random() < 0.5) headers["cookie"] = "__Host-vitrine_session=x";
  if (!fit && fuzz.random() < 0.1) headers["sec-fetch-site"] = "cross-site";
  // A follower that waits is another test's concern.
  return makeRequest(one, fuzz, { fit, headers, without: ["wait"], amend: (body) => amend(body, fuzz, fit) });
}

function amend(body: Record<string, unknown>, fuzz: Fuzz, fit: boolean): void {
  if (fuzz.random() < 0.6 && "grant_type" in body) body["grant_type"] = "client_credentials";
  // Beside the header these are a second way to authenticate, which is refused before anything else.
  if (fit)
    for (const name of ["client_id", "client_secret", "client_assertion", "client_assertion_type"]) delete body[name];
}

interface Described {
  readonly description?: string;
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly items?: Described;
  readonly anyOf?: readonly Described[];
}

/** Paths of fields that nothing is said of; a constant says what it is. */
function bareFields(schema: Described): readonly string[] {
  const bare: string[] = [];
  for (const inner of [...(schema.anyOf ?? []), ...(schema.items === undefined ? [] : [schema.items])])
    bare.push(...bareFields(inner));
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    if (field.description === undefined && field.const === undefined) bare.push(name);
    for (const path of bareFields(field)) bare.push(`${name}.${path}`);
  }
  return bare;
}

describe("the document", () => {
  test("names every route there is, and none there is not", () => {
    expect(listRoutes(auth.app)).toEqual(cases.map(([name]) => name).toSorted());
  });

  test("is served as it was built for the issuer, with ids that are unique and references that lead somewhere", async () => {
    const served = (await (await auth.app.request("/api/auth/openapi.json")).json()) as OpenApiDocument;
    expect(served).toEqual(JSON.parse(JSON.stringify(buildDocument(authDocument(auth.config.tokens.issuer)))));
    expect(served.openapi).toBe("3.1.0");
    expect(new Set(listed.map(({ operation }) => operation.operationId)).size).toBe(listed.length);
    const references = JSON.stringify(served).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g);
    for (const [, name = ""] of references) expect(Object.keys(served.components["schemas"] ?? {})).toContain(name);
  });

  test.each(cases.filter(([, { operation }]) => !operation.tags.includes("Description")))(
    "describes every parameter, every answer and every field of every body of %s",
    (name, { operation }) => {
      const { summary, parameters, requestBody, responses } = operation;
      const bare = parameters.filter(({ schema }) => !("description" in schema)).map((one) => `?${one.name}`);
      const bodies = [...(requestBody === undefined ? [] : [requestBody]), ...Object.values(responses)];
      for (const { content = {} } of bodies)
        for (const { schema } of Object.values(content)) bare.push(...bareFields(schema as Described));
      expect(bare, name).toEqual([]);
      for (const text of [summary, ...Object.values(responses).map(({ description }) => description)])
        expect(text.length, name).toBeGreaterThan(5);
    },
  );

  test("says of every operation what the gateway may refuse before it is reached, and in which form", () => {
    for (const { operation } of listed) {
      const refusals = [413, 429, 503].filter((status) => status !== 413 || operation.requestBody !== undefined);
      for (const status of refusals)
        expect(operation.responses[status]?.content, `${operation.operationId} ${status}`).toHaveProperty([
          "application/problem+json",
        ]);
    }
  });

  test("describes every field of what is shared by answers", () => {
    for (const schema of Object.values(document.components["schemas"] ?? {}))
      expect(bareFields(schema as Described)).toEqual([]);
  });

  test("is a page that loads nothing, runs nothing and shows every operation", async () => {
    const response = await auth.app.request("/api/auth/docs");
    const page = await response.text();
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|src=|\son\w+=/i);
    for (const { operation, path } of listed) {
      expect(page).toContain(`id="${operation.operationId}"`);
      expect(page).toContain(path);
    }
  });
});

const seed = 20_261_121;

describe(`requests made from the document (seed ${seed})`, () => {
  test.each(cases)(
    "%s keeps what it says for any input",
    async (name, one) => {
      const fuzz = createFuzz(seed + name.length * 7_919);
      follower = await clientToken(auth, "gateway");
      const follows = JSON.stringify(one.operation.security).includes("feed:read");
      let token = follows ? follower : await administrator();
      const statuses = new Set<number>();
      for (let count = 0; count < requestsEach; count += 1) {
        const response = await auth.app.request(build(one, fuzz, count % 3 === 0, token));
        statuses.add(response.status);
        await check(one, response);
        // What was asked for may have ended the session: go on with another.
        const ended = response.status === 401 || (response.status < 300 && one.method !== "GET");
        if (ended && !follows && one.operation.security.some((need) => "bearer" in need)) token = await administrator();
      }
      const successes = Object.keys(one.operation.responses)
        .map(Number)
        .filter((status) => status < 300);
      // A refresh token, a cookie or an id of somebody's own is nothing that could be guessed.
      const guessable = !/refresh|session\/token|\{id\}|login|\/password|second-factor|step-up/.test(name);
      if (guessable)
        expect(
          successes.some((status) => statuses.has(status)),
          name,
        ).toBe(true);
    },
    60_000,
  );

  test.each(cases.filter(([, { operation }]) => operation.security.length > 0))(
    "%s answers nobody without a proof of identity, or with a bad one",
    async (name, one) => {
      const fuzz = createFuzz(seed + name.length);
      const other = await personToken(auth, "viewer");
      for (const authorization of [
        undefined,
        "Bearer x.y.z",
        `Bearer ${other}x`,
        `Basic ${btoa("orders:wrong")}`,
        "vik_",
      ]) {
        for (const fit of [true, false]) {
          const request = build(one, fuzz, fit, "");
          request.headers.delete("authorization");
          request.headers.delete("cookie");
          if (authorization !== undefined) request.headers.set("authorization", authorization);
          const response = await auth.app.request(request);
          const refusals = "client" in (one.operation.security[0] ?? {}) ? [400, 401] : [401, 403];
          expect(refusals, `${name}: ${await response.clone().text()}`).toContain(response.status);
          await check(one, response);
        }
      }
    },
  );

  test.each(cases.filter(([, { operation }]) => operation.security.some(({ bearer = [] }) => bearer.length > 0)))(
    "%s refuses a token without its scope",
    async (_, one) => {
      const request = build(one, createFuzz(seed), true, await personToken(auth, "viewer"));
      const response = await auth.app.request(request);
      expect(response.status).toBe(403);
      await check(one, response);
    },
  );
});
