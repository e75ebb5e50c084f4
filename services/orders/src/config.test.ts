import { expect, test } from "bun:test";
import { parseConfig } from "./config.ts";

test("only the database and the client must be given", () => {
  const config = parseConfig({
    DATABASE_URL: "postgres://localhost/vitrine",
    CLIENT_ID: "orders",
    CLIENT_SECRET: "a-test-secret",
  });
  expect(config.http).toEqual({ host: "127.0.0.1", port: 8082 });
  expect(config.tokens.jwksUrl).toBe("http://127.0.0.1:8081/.well-known/jwks.json");
});

test("every wrong variable is named at once", () => {
  expect(() => parseConfig({ PORT: "many", AUTH_URL: "ftp://auth" })).toThrow(
    /AUTH_URL[^]*CLIENT_ID[^]*CLIENT_SECRET[^]*PORT[^]*DATABASE_URL/,
  );
});
