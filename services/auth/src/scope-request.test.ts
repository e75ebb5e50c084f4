import { expect, test } from "bun:test";
import type { Scope } from "@vitrine/contracts/scopes";
import { grantScopes } from "./scope-request.ts";

const allowed: readonly Scope[] = ["telemetry:write", "inventory:read"];

test.each([
  [undefined, allowed],
  ["", allowed],
  ["inventory:read", ["inventory:read"]],
  ["inventory:read  telemetry:write", ["inventory:read", "telemetry:write"]],
  ["inventory:read inventory:read", ["inventory:read"]],
])("asking for %p grants %p", (requested, granted) => {
  expect(grantScopes(requested, allowed)).toEqual(granted as readonly Scope[]);
});

test.each(["inventory:write", "nothing:known", "inventory:read users:admin", "INVENTORY:READ"])(
  "asking for %p is refused as a whole",
  (requested) => {
    expect(() => grantScopes(requested, allowed)).toThrow(expect.objectContaining({ code: "invalid_scope" }));
  },
);
