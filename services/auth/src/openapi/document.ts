import type { DocumentOptions } from "@vitrine/kit/openapi";
import { auditOperations } from "./audit-operations.ts";
import { keyOperations } from "./key-operations.ts";
import { oauthOperations } from "./oauth-operations.ts";
import { peopleOperations } from "./people-operations.ts";
import { secondFactorOperations } from "./second-factor-operations.ts";
import { userOperations } from "./user-operations.ts";

export function authDocument(issuer: string): DocumentOptions {
  return {
    base: "/api/auth",
    title: "Vitrine auth",
    description: "People, sessions, OAuth clients, ingest keys and the keys that sign tokens.",
    url: issuer,
    operations: [
      ...peopleOperations,
      ...secondFactorOperations,
      ...userOperations,
      ...auditOperations,
      ...keyOperations,
      ...oauthOperations,
    ],
  };
}
