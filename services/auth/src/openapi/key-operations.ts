import { feedAnswer, feedQuery, ingestKeyId, keyUsage } from "@vitrine/contracts/feed";
import { createdIngestKey, ingestKeyPage, newIngestKey } from "@vitrine/contracts/ingest-keys";
import { keyRotation, signingKeyList } from "@vitrine/contracts/signing-keys";
import { pageQuery } from "@vitrine/kit/http/page";
import { z } from "zod";
import type { Operation } from "@vitrine/kit/openapi/operation";

const keys = "Keys";
const gateways = "For gateways";
const mayAdminister = { by: "token", scopes: ["keys:admin"] } as const;
const mayFollow = { by: "token", scopes: ["feed:read"] } as const;
const mayRotate = { by: "token", scopes: ["signing-keys:admin"] } as const;

export const keyOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/api/auth/ingest-keys",
    tag: keys,
    summary: "Make an ingest key; the key itself is in this answer and nowhere else. A session needs a fresh proof",
    access: mayAdminister,
    json: newIngestKey,
    answers: { 201: { description: "The key.", body: createdIngestKey } },
    refusals: [409],
  },
  {
    method: "get",
    path: "/api/auth/ingest-keys",
    tag: keys,
    summary: "Ingest keys by name, without the keys themselves",
    access: mayAdminister,
    query: pageQuery(z.string()),
    answers: { 200: { description: "A page of keys.", body: ingestKeyPage } },
  },
  {
    method: "delete",
    path: "/api/auth/ingest-keys/{id}",
    tag: keys,
    summary: "Revoke an ingest key everywhere, within a second",
    access: mayAdminister,
    params: z.strictObject({ id: ingestKeyId }),
    answers: { 204: { description: "It is good for nothing any more." } },
    refusals: [404],
  },
  {
    method: "get",
    path: "/api/auth/signing-keys",
    tag: keys,
    summary: "Keys that sign tokens, and their times",
    access: mayRotate,
    answers: { 200: { description: "Newest first.", body: signingKeyList } },
  },
  {
    method: "post",
    path: "/api/auth/signing-keys",
    tag: keys,
    summary: "Rotate the signing key. A session needs a fresh proof",
    access: mayRotate,
    json: keyRotation,
    answers: {
      200: { description: "A planned rotation is under way already.", body: signingKeyList },
      201: { description: "The next key is published.", body: signingKeyList },
    },
  },
  {
    method: "get",
    path: "/api/auth/feed",
    tag: gateways,
    summary: "Revocations and ingest keys: everything live, or what is new, waiting for it",
    access: mayFollow,
    query: feedQuery,
    answers: { 200: { description: "News, or none within the time.", body: feedAnswer } },
  },
  {
    method: "post",
    path: "/api/auth/feed/used",
    tag: gateways,
    summary: "Tell which ingest keys were used",
    access: mayFollow,
    json: keyUsage,
    answers: { 204: { description: "Noted." } },
  },
  {
    method: "get",
    path: "/api/auth/verify",
    tag: gateways,
    summary: "Forward authentication for nginx, Traefik and Caddy",
    access: { by: "cookie_or_token" },
    query: z.object({
      scope: z
        .string()
        .optional()
        .describe("Scopes of which all are needed; given more than once, one of them will do."),
    }),
    answers: {
      200: {
        description: "The token, ingest key or session is good.",
        headers: {
          "X-Auth-Subject": "Person, client or holder of the key",
          "X-Auth-Client": "OAuth client, or key:name",
          "X-Auth-Scope": "Scopes, separated by spaces",
          "X-Auth-Role": "Role of a person",
          "X-Auth-Service": "Service telemetry is stamped with",
          "X-Auth-Service-Prefix": "What the names of services begin with that an ingest key may speak for",
          "X-Auth-Token-Id": "Id of the token, key or session",
          "X-Auth-Actor": "Client that acts for the subject",
        },
      },
    },
    refusals: [400],
  },
];
