import {
  accessTokenType,
  clientAssertionType,
  grantTypes,
  tokenResponse,
  userNameTokenType,
} from "@vitrine/contracts/auth";
import { introspection, publicKeySet, serverMetadata } from "@vitrine/contracts/oauth";
import { z } from "zod";
import type { Operation } from "@vitrine/kit/openapi/operation";

const oauth = "OAuth 2";
const metadata = "Metadata";
const anybody = { by: "anybody" } as const;

/** How a client proves itself, where not by the header (RFC 6749 §2.3.1, RFC 7523 §2.2). */
const clientForm = {
  client_id: z.string().optional().describe("Id of the client, where not in the header."),
  client_secret: z.string().optional().describe("Its secret, where not in the header."),
  client_assertion_type: z.string().optional().describe(`${clientAssertionType}, with an assertion.`),
  client_assertion: z.string().optional().describe("JWT the client signed, in place of a secret."),
} as const;

const aboutToken = z.object({
  token: z.string().describe("Access token or ingest key."),
  token_type_hint: z.string().optional().describe("Not needed, and not read."),
  ...clientForm,
});

export const oauthOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/oauth/token",
    tag: oauth,
    summary: "Get a token (RFC 6749 §4.4 and §6, RFC 8693)",
    access: { by: "client" },
    form: z.object({
      grant_type: z.string().describe(`One of ${Object.values(grantTypes).join(", ")}.`),
      scope: z.string().optional().describe("Scopes wanted, separated by spaces. Default all that may be had."),
      refresh_token: z.string().optional().describe("The newest one of the session, with refresh_token."),
      subject_token: z.string().optional().describe("Name of the person, with token exchange."),
      subject_token_type: z.string().optional().describe(`${userNameTokenType}, with token exchange.`),
      requested_token_type: z.string().optional().describe(`${accessTokenType}, or nothing.`),
      audience: z.string().optional().describe("This platform, or nothing."),
      ...clientForm,
    }),
    answers: { 200: { description: "A token.", body: tokenResponse } },
  },
  {
    method: "post",
    path: "/oauth/introspect",
    tag: oauth,
    summary: "What a token or ingest key stands for (RFC 7662)",
    access: { by: "client" },
    form: aboutToken,
    answers: { 200: { description: "Its state.", body: introspection } },
  },
  {
    method: "post",
    path: "/oauth/revoke",
    tag: oauth,
    summary:
      "Take back a token of the client's own, or end a session by its refresh token, which needs no client (RFC 7009)",
    access: { by: "client" },
    form: aboutToken.extend({ token: z.string().describe("Access token of the client, or a refresh token.") }),
    answers: { 200: { description: "It is not good any more, or never was the client's." } },
  },
  {
    method: "get",
    path: "/.well-known/jwks.json",
    tag: metadata,
    summary: "Public keys that tokens are verified with (RFC 7517)",
    access: anybody,
    answers: { 200: { description: "The key set.", body: publicKeySet } },
  },
  {
    method: "get",
    path: "/.well-known/oauth-authorization-server",
    tag: metadata,
    summary: "Authorization server metadata (RFC 8414)",
    access: anybody,
    answers: { 200: { description: "The metadata.", body: serverMetadata } },
  },
];
