import { credentials, registration, tokenResponse, user } from "@vitrine/contracts/auth";
import { cookieSession, passwordChange, refreshRequest, sessionList } from "@vitrine/contracts/people";
import { z } from "zod";
import type { Operation } from "@vitrine/kit/openapi/operation";

const tag = "People and sessions";

export const peopleOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/api/auth/register",
    tag,
    summary: "Become a viewer",
    access: { by: "anybody" },
    json: registration,
    answers: { 201: { description: "The person exists.", body: user } },
    refusals: [409],
  },
  {
    method: "post",
    path: "/api/auth/login",
    tag,
    summary: "Sign in, with tokens in the answer or a session cookie",
    access: { by: "anybody" },
    json: credentials,
    answers: { 200: { description: "Signed in.", body: z.union([tokenResponse, cookieSession]) } },
    refusals: [401, 403],
  },
  {
    method: "post",
    path: "/api/auth/refresh",
    tag,
    summary: "Renew a session by its refresh token, which is good for one use",
    access: { by: "anybody" },
    json: refreshRequest,
    answers: { 200: { description: "New tokens.", body: tokenResponse } },
    refusals: [401],
  },
  {
    method: "get",
    path: "/api/auth/me",
    tag,
    summary: "Who the token stands for",
    access: { by: "token" },
    answers: { 200: { description: "The person.", body: user } },
    refusals: [403],
  },
  {
    method: "post",
    path: "/api/auth/session/token",
    tag,
    summary: "An access token for the browser that holds the session cookie",
    access: { by: "cookie" },
    answers: { 200: { description: "A token.", body: tokenResponse } },
  },
  {
    method: "post",
    path: "/api/auth/logout",
    tag,
    summary: "End this session",
    access: { by: "cookie_or_token" },
    answers: { 204: { description: "The session is over, and its cookie cleared." } },
  },
  {
    method: "get",
    path: "/api/auth/sessions",
    tag,
    summary: "One's own sessions",
    access: { by: "token" },
    answers: { 200: { description: "Sessions that live.", body: sessionList } },
    refusals: [403],
  },
  {
    method: "delete",
    path: "/api/auth/sessions",
    tag,
    summary: "End one's own sessions, or all but this one",
    access: { by: "token" },
    query: z.strictObject({
      keep: z.enum(["current"]).optional().describe("Without it this session ends as well."),
    }),
    answers: { 204: { description: "The sessions are over." } },
    refusals: [403],
  },
  {
    method: "delete",
    path: "/api/auth/sessions/{id}",
    tag,
    summary: "End one of one's own sessions",
    access: { by: "token" },
    params: z.strictObject({
      id: z
        .string()
        .regex(/^[\w-]{1,64}$/)
        .describe("Id of the session."),
    }),
    answers: { 204: { description: "The session is over." } },
    refusals: [403, 404],
  },
  {
    method: "post",
    path: "/api/auth/password",
    tag,
    summary: "Change one's own password",
    access: { by: "token" },
    json: passwordChange,
    answers: { 204: { description: "The new password counts." } },
    refusals: [403],
  },
];
