import { describe, expect, test } from "bun:test";
import { caught } from "./engines/testing.ts";
import { requestToken, type TokenRequest } from "./token.ts";

interface Sent {
  readonly url: string;
  readonly authorization: string;
  readonly form: Record<string, string>;
}

function ask(answer: () => Response, options: Partial<TokenRequest> = {}) {
  const sent: Sent[] = [];
  const token = requestToken({
    gatewayUrl: "http://127.0.0.1:8080",
    clientSecret: "s3cret",
    scopes: undefined,
    user: undefined,
    fetch: (url, init) => {
      const headers = new Headers(init.headers);
      const form = Object.fromEntries(new URLSearchParams(typeof init.body === "string" ? init.body : ""));
      sent.push({ url, authorization: headers.get("authorization") ?? "", form });
      return Promise.resolve(answer());
    },
    ...options,
  });
  return { token, sent };
}

const granted = (): Response =>
  Response.json({ access_token: "abc", token_type: "Bearer", expires_in: 900, scope: "orders:read" });

describe("bun run token", () => {
  test("asks as the client cli, for all it may have", async () => {
    const { token, sent } = ask(granted);
    expect(await token).toBe("abc");
    expect(sent).toEqual([
      {
        url: "http://127.0.0.1:8080/oauth/token",
        authorization: `Basic ${btoa("cli:s3cret")}`,
        form: { grant_type: "client_credentials" },
      },
    ]);
  });

  test("asks for fewer scopes", async () => {
    const { token, sent } = ask(granted, { scopes: ["orders:read", "telemetry:read"] });
    await token;
    expect(sent[0]?.form["scope"]).toBe("orders:read telemetry:read");
  });

  test("acts for a person by token exchange", async () => {
    const { token, sent } = ask(granted, { user: "vip" });
    await token;
    expect(sent[0]?.form).toEqual({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token: "vip",
      subject_token_type: "urn:vitrine:params:oauth:token-type:username",
    });
  });

  test.each([
    ["invalid_client", 401, {}, "start `bun run dev` anew"],
    ["invalid_grant", 400, { user: "nobody" }, 'no person named "nobody"'],
    ["invalid_scope", 400, { user: "vip" }, '"vip" may not have these scopes'],
    ["invalid_scope", 400, {}, "The client `cli` may not have these scopes"],
    ["temporarily_unavailable", 503, {}, "auth.log"],
  ] as const)("%s (%d) is told with its mend", async (error, status, options, words) => {
    const { token } = ask(() => Response.json({ error, error_description: "why" }, { status }), options);
    const fault = await caught(token);
    expect(fault).toMatchObject({ name: "SetupError" });
    expect(String(fault)).toContain(words);
  });

  test("nothing at the port means that it is not running", async () => {
    const { token } = ask(granted, { fetch: () => Promise.reject(new TypeError("refused")) });
    expect(String(await caught(token))).toContain("start it with `bun run dev`");
  });

  test("an answer that is no token is not printed", async () => {
    const { token } = ask(() => new Response("<html>another program</html>"));
    expect(String(await caught(token))).toContain("answered something that is no token");
  });

  test("a gateway that is still starting is told as such", async () => {
    const { token } = ask(() => Response.json({ code: "unavailable" }, { status: 503 }));
    expect(String(await caught(token))).toContain("it is still starting");
  });

  test("the secret is in no message", async () => {
    for (const status of [400, 401, 500, 503]) {
      const { token } = ask(() => new Response("s", { status }));
      expect(String(await caught(token))).not.toContain("s3cret");
    }
  });
});
