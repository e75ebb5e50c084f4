import { auditCheck, auditCheckQuery, auditPage, auditQuery } from "@vitrine/contracts/people";
import { pageQuery } from "@vitrine/kit/http/page";
import { z } from "zod";
import type { Operation } from "@vitrine/kit/openapi/operation";

const access = { by: "token", scopes: ["users:admin"] } as const;
const tag = "Audit";

export const auditOperations: readonly Operation[] = [
  {
    method: "get",
    path: "/api/auth/audit",
    tag,
    summary: "Security events, newest first, narrowed by whom, what and when",
    access,
    query: pageQuery(z.string()).extend(auditQuery),
    answers: { 200: { description: "A page of events.", body: auditPage } },
  },
  {
    method: "post",
    path: "/api/auth/audit/check",
    tag,
    summary: "Whether any event was altered, removed or put in between",
    access,
    query: auditCheckQuery,
    answers: { 200: { description: "What holds, and the first row that does not.", body: auditCheck } },
  },
];
