import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { z } from "zod";
import { buildDocument, type OpenApiDocument, type OperationObject } from "../openapi/document.ts";
import { createFuzz, type Fuzz, type Schema } from "../testing/fuzz.ts";
import { clientToken, personToken } from "../testing/person-token.ts";
import { basic, readToken, startAuth, type TestAuth, testSecrets } from "../testing/start-auth.ts";

const document: OpenApiDocument = buildDocument("http://localhost:8080");

interface Listed {
  readonly method: string;
  readonly path: string;
  readonly operation: OperationObject;
}

const listed: readonly Listed[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
);
const cases = listed.map((one): [string, Listed] => [`${one.method} ${one.path}`, one]);

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

function schemaAt(reference: Schema & { readonly $ref?: string }): Schema {
  if (reference.$ref === undefined) return reference;
  const [kind = "", name = ""] = reference.$ref.split("/").slice(-2);
  return document.components[kind]?.[name] as Schema;
}

/** Holds an answer against the document: status, media type and schema. */
async function check({ operation, path, method }: Listed, response: Response): Promise<void> {
  const where = `${method} ${path} answered ${response.status}`;
  const text = await response.text();
  expect(response.status, `${where}: ${text}`).toBeLessThan(500);
  const described = operation.responses[String(response.status)];
  expect(described, `${where}, which is not documented: ${text}`).toBeDefined();
  const mediaType = response.headers.get("content-type")?.split(";")[0] ?? "";
  if (described?.content === undefined) {
    expect(text, where).toBe("");
    return;
  }
  expect(Object.keys(described.content), where).toContain(mediaType);
  const schema = schemaAt(described.content[mediaType]?.schema as Schema);
  const body: unknown = mediaType.endsWith("json") ? JSON.parse(text) : text;
  const judged = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(body);
  expect(judged.error?.message, `${where}: ${text}`).toBeUndefined();
  expect(response.headers.get("x-request-id"), where).not.toBeNull();
}

/** One request; `fit` says whether to keep to the schemas or to leave them. */
function build({ method, path, operation }: Listed, fuzz: Fuzz, fit: boolean, token: string) {
  const make = (schema: unknown): string => String(fit ? fuzz.valid(schema as Schema) : fuzz.wild(schema as Schema));
  const given = operation.parameters.filter(({ required }) => required || fuzz.random() < 0.5);
  const target = given.reduce(
    (text, { name, in: where, schema }) =>
      where === "path" ? text.replace(`{${name}}`, encodeURIComponent(make(schema).toWellFormed()) || "x") : text,
    path,
  );
  const query = new URLSearchParams(
    // A follower that waits is another test's concern.
    given.flatMap(({ name, in: where, schema }) =>
      where === "query" && name !== "wait" ? [[name, make(schema)]] : [],
    ),
  );
  if (!fit && fuzz.random() < 0.2) query.append(fuzz.pick(["cursor", "limit", "access_token", "x"]), fuzz.nastyText());
  const headers = new Headers();
  const scheme = Object.keys(operation.security[0] ?? {})[0];
  if (scheme === "bearer" || operation.security.length > 1) headers.set("authorization", `Bearer ${token}`);
  if (scheme === "client" && fuzz.random() < 0.9) headers.set("authorization", basic("orders", testSecrets.orders));
  if (scheme === "cookie" && fuzz.random() < 0.5) headers.set("cookie", "__Host-vitrine_session=x");
  if (!fit && fuzz.random() < 0.1) headers.set("sec-fetch-site", "cross-site");
  const [mediaType, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const init: RequestInit = { method, headers };
  if (mediaType !== undefined && content !== undefined) {
    headers.set(
      "content-type",
      fit || fuzz.random() < 0.9 ? mediaType : fuzz.pick(["text/plain", "application/xml", "a/b;c"]),
    );
    init.body = encode(
      mediaType,
      fit ? fuzz.valid(content.schema as Schema) : fuzz.wild(content.schema as Schema),
      fuzz,
      fit,
    );
  }
  return new Request(`http://auth.test${target}${query.size === 0 ? "" : `?${query.toString()}`}`, init);
}

function encode(mediaType: string, value: unknown, fuzz: Fuzz, fit: boolean): string {
  if (!fit && fuzz.random() < 0.1) return fuzz.pick(["", "{", "[]", '"', "a=1&a=2", "%", "\u0000"]);
  if (mediaType === "application/json") return JSON.stringify(value);
  const form = new URLSearchParams(
    typeof value === "object" && value !== null
      ? Object.entries(value).map(([name, item]) => [name.toWellFormed(), String(item).toWellFormed()])
      : {},
  );
  if (fuzz.random() < 0.6 && form.has("grant_type")) form.set("grant_type", "client_credentials");
  // Beside the header these are a second way to authenticate, which is refused before anything else.
  if (fit)
    for (const name of ["client_id", "client_secret", "client_assertion", "client_assertion_type"]) form.delete(name);
  return form.toString();
}

describe("the document", () => {
  test("names every route there is, and none there is not", () => {
    const routes = auth.app.routes
      .filter(({ method, path }) => method !== "ALL" && !path.startsWith("/health/") && path !== "/metrics")
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}").replace(/(?<=.)\/$/, "")}`);
    expect([...new Set(routes)].toSorted()).toEqual(cases.map(([name]) => name).toSorted());
  });

  test("is served as it was built for the issuer, with ids that are unique and references that lead somewhere", async () => {
    const served = (await (await auth.app.request("/api/auth/openapi.json")).json()) as OpenApiDocument;
    expect(served).toEqual(JSON.parse(JSON.stringify(buildDocument(auth.config.tokens.issuer))));
    expect(served.openapi).toBe("3.1.0");
    expect(new Set(listed.map(({ operation }) => operation.operationId)).size).toBe(listed.length);
    const references = JSON.stringify(served).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g);
    for (const [, name = ""] of references) expect(Object.keys(served.components["schemas"] ?? {})).toContain(name);
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
