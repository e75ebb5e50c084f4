import { expect, test } from "bun:test";
import { parseConfig } from "./config.ts";

test("only the database must be given", () => {
  const config = parseConfig({ DATABASE_URL: "postgres://localhost/vitrine" });
  expect(config.http).toEqual({ host: "127.0.0.1", port: 8083 });
  expect(config.tokens.jwksUrl).toBe("http://127.0.0.1:8081/.well-known/jwks.json");
});

test("every wrong variable is named at once", () => {
  expect(() => parseConfig({ PORT: "many", AUTH_URL: "ftp://auth" })).toThrow(/AUTH_URL[^]*PORT[^]*DATABASE_URL/);
});
