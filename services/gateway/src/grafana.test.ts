import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Gateway, startGateway } from "./testing/harness.ts";

let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.stop());

const forged = { "x-webauth-user": "admin", "x-webauth-role": "Admin", "x-webauth-groups": "all", cookie: "grafana=1" };

describe("Grafana", () => {
  test.each([
    ["telemetry:read", "Viewer"],
    ["telemetry:read telemetry:admin", "Admin"],
  ])("is told who asks, by the token alone: %s is %s", async (scope, role) => {
    const headers = { ...(await gateway.bearer(scope, { sub: "anna" })), ...forged };
    const answer = await fetch(`${gateway.url}/grafana/api/search?query=x`, { headers });
    expect(answer.status).toBe(200);
    const seen = gateway.seen.at(-1);
    expect([seen?.upstream, seen?.path, seen?.query]).toEqual(["grafana", "/grafana/api/search", "?query=x"]);
    expect([seen?.headers.get("x-webauth-user"), seen?.headers.get("x-webauth-role")]).toEqual(["anna", role]);
    for (const name of ["authorization", "cookie", "x-webauth-groups"]) expect(seen?.headers.has(name)).toBe(false);
  });

  test.each(["a\nb", "a\r\nx-webauth-role: Admin", " admin ", "ü", "名前", "a\0b", "\ud800"])(
    "is not asked for %j, whom a header would not carry as it is",
    async (sub) => {
      const before = gateway.seen.length;
      const headers = await gateway.bearer("telemetry:read", { sub });
      expect((await fetch(`${gateway.url}/grafana/api/search`, { headers })).status).toBe(401);
      expect(gateway.seen.length).toBe(before);
      expect(gateway.refusals.at(-1)).toMatchObject({ reason: "missing_claim", route: "/grafana/api/search" });
    },
  );

  test("nobody else is told by these headers", async () => {
    const headers = { ...(await gateway.bearer("telemetry:read orders:read")), ...forged };
    await fetch(`${gateway.url}/prometheus/api/v1/labels`, { headers });
    await fetch(`${gateway.url}/api/orders`, { headers });
    for (const { headers: sent } of gateway.seen.slice(-2)) expect(sent.has("x-webauth-user")).toBe(false);
  });

  test("its pages send who has no session to the login page; its API is refused without telemetry:read", async () => {
    const page = await fetch(`${gateway.url}/grafana/d/vitrine-orders`, { redirect: "manual" });
    expect([page.status, page.headers.get("location")]).toEqual([303, "/login?return=%2Fgrafana%2Fd%2Fvitrine-orders"]);
    expect((await fetch(`${gateway.url}/grafana/api/search`)).status).toBe(401);
    const headers = await gateway.bearer("orders:read");
    expect((await fetch(`${gateway.url}/grafana/api/search`, { headers })).status).toBe(403);
  });

  test.each([
    ["POST", "/grafana/api/datasources/proxy/uid/loki/ingester/shutdown"],
    ["GET", "/grafana/api/datasources/proxy/uid/loki/ingester/shutdown"],
    ["POST", "/grafana/api/datasources/uid/prometheus/resources/api/v1/admin/tsdb/delete_series"],
    ["POST", "/grafana/api/alertmanager/alertmanager/api/v2/silences"],
    ["POST", "/grafana/api/dashboards/db"],
    ["POST", "/grafana/api/admin/users"],
    ["PUT", "/grafana/api/user/password"],
    ["GET", "/grafana/login"],
    ["GET", "/grafana/metrics"],
  ])("%s %s is not there, whoever asks", async (method, path) => {
    const before = gateway.seen.length;
    const headers = await gateway.bearer("telemetry:read telemetry:admin");
    const answer = await fetch(gateway.url + path, { method, headers, ...(method === "GET" ? {} : { body: "{}" }) });
    expect([404, 405]).toContain(answer.status);
    expect(gateway.seen.length).toBe(before);
  });

  test("its pages keep the policy Grafana gives them, with the nonce of their scripts", async () => {
    const policy = "script-src 'self' 'nonce-abc'";
    gateway.answer = () =>
      new Response("<html>", { headers: { "content-type": "text/html", "content-security-policy": policy } });
    const headers = await gateway.bearer("telemetry:read");
    const answer = await fetch(`${gateway.url}/grafana/d/vitrine-orders/orders`, { headers });
    gateway.answer = undefined;
    expect(answer.headers.get("content-security-policy")).toBe(policy);
  });
});
