import type { AccessClaims } from "@vitrine/contracts/auth";
import { expect, test } from "bun:test";
import { clientClass, createClientLabels } from "./client-class.ts";

const claims: AccessClaims = {
  iss: "i",
  sub: "s",
  aud: "a",
  exp: 1,
  iat: 0,
  jti: "j",
  scope: "",
  client_id: "c",
};

test.each([
  ["anonymous", undefined],
  ["client", claims],
  ["service", { ...claims, service: "orders" }],
  ["key", { ...claims, client_id: "key:shop", service: "shop" }],
  ["person", { ...claims, role: "viewer" }],
] as const)("a client can be told to be: %s", (name, known) => expect(clientClass(known)).toBe(name));

test("clients past the cap share one label, and those known keep theirs", () => {
  const label = createClientLabels(2);
  expect(["a", "b", "c", "a", "d", "b"].map((id) => label(id))).toEqual(["a", "b", "_other", "a", "_other", "b"]);
});
