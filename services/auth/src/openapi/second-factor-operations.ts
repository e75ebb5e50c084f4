import { tokenResponse } from "@vitrine/contracts/auth";
import {
  backupCodes,
  codeRequest,
  cookieSession,
  enrolment,
  secondFactorSignIn,
  secondFactorState,
  stepUp,
} from "@vitrine/contracts/people";
import { z } from "zod";
import type { Operation } from "@vitrine/kit/openapi/operation";

const tag = "Second factor";
const path = "/api/auth/second-factor";
const access = { by: "token" } as const;

export const secondFactorOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/api/auth/login/totp",
    tag,
    summary: "Meet the challenge of a sign-in with a code of the app or a backup code",
    access: { by: "anybody" },
    json: secondFactorSignIn,
    answers: { 200: { description: "Signed in.", body: z.union([tokenResponse, cookieSession]) } },
    refusals: [401, 403],
  },
  {
    method: "post",
    path: "/api/auth/step-up",
    tag,
    summary: "Prove anew who holds the session: what changes a sign-in needs it within five minutes",
    access,
    json: stepUp,
    answers: { 204: { description: "Proven, for five minutes." } },
    refusals: [403],
  },
  {
    method: "get",
    path,
    tag,
    summary: "Whether a second factor is active",
    access,
    answers: { 200: { description: "The state.", body: secondFactorState } },
    refusals: [403],
  },
  {
    method: "post",
    path,
    tag,
    summary: "Begin to set up a second factor: seed, address and picture, shown once",
    access,
    answers: { 201: { description: "It waits for its first code.", body: enrolment } },
    refusals: [403, 409],
  },
  {
    method: "post",
    path: `${path}/confirm`,
    tag,
    summary: "Make it active by a first code; answers with backup codes, shown once",
    access,
    json: codeRequest,
    answers: { 200: { description: "It is active.", body: backupCodes } },
    refusals: [403, 404],
  },
  {
    method: "post",
    path: `${path}/backup-codes`,
    tag,
    summary: "Make new backup codes; the old ones are void",
    access,
    answers: { 200: { description: "The codes, shown once.", body: backupCodes } },
    refusals: [403, 404],
  },
  {
    method: "delete",
    path,
    tag,
    summary: "Remove the second factor",
    access,
    answers: { 204: { description: "Signing in asks for the password alone." } },
    refusals: [403, 404],
  },
];
