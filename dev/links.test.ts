import { describe, expect, test } from "bun:test";
import { type LinksOptions, linksTable } from "./links.ts";
import { readPorts } from "./ports.ts";
import type { ProcessRow } from "./stack.ts";

const row = (name: string, status = "ready"): ProcessRow => ({ name, kind: "service", state: "ready", status });

function table(rows: readonly ProcessRow[], options: Partial<LinksOptions> = {}): readonly string[] {
  return linksTable({
    rows,
    ports: readPorts({ GATEWAY_PORT: "9999" }),
    headline: "Everything is ready after 2.0 s",
    dataDir: "/checkout/.vitrine/data",
    logsDir: "/checkout/.vitrine/logs",
    secretsDir: "/checkout/.vitrine/secrets",
    demo: true,
    color: false,
    ...options,
  }).split("\n");
}

describe("the table of links", () => {
  test("shows how each is, and where it is reached through the gateway", () => {
    const lines = table([row("gateway"), row("loki", "building 42%"), row("jaeger", "failed: no Go")]);
    expect(lines).toContain("  APIs          ready          http://localhost:9999/api/orders/docs");
    expect(lines).toContain("  Loki          building 42%   http://localhost:9999/loki/api/v1/labels");
    expect(lines).toContain("  Jaeger        failed: no Go  http://localhost:9999/jaeger/api/v3/services");
  });

  test("names the processes that have no link of their own", () => {
    expect(table([row("gateway"), row("auth"), row("orders", "starting")])).toContain("  auth ready · orders starting");
  });

  test("leaves out what was not asked for", () => {
    const text = table([row("auth")]).join("\n");
    expect(text).not.toContain("http://");
    expect(text).not.toContain("bun run token");
  });

  test("says who may sign in where there is a page to sign in at", () => {
    const text = table([row("gateway"), row("console")]).join("\n");
    expect(text).toMatch(/sign in +vip, password 1234/);
    expect(text).toContain("/checkout/.vitrine/secrets/admin-password");
    expect(table([row("gateway"), row("auth")]).join("\n")).not.toContain("password");
    const withoutDemo = table([row("gateway"), row("console")], { demo: false }).join("\n");
    expect(withoutDemo).toMatch(/sign in +admin, password in/);
    expect(withoutDemo).not.toContain("vip");
  });

  test("has colours only where they are wanted", () => {
    expect(table([row("gateway")]).join("\n")).not.toContain("\u001B");
    expect(table([row("gateway")], { color: true }).join("\n")).toContain("\u001B[32mready");
  });
});
