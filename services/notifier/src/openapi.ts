import {
  accepted,
  alert,
  alertmanagerWebhook,
  alertPage,
  delivery,
  deliveryPage,
  replayed,
  replayRequest,
} from "@vitrine/contracts/alerts";
import { newTarget, secretRotation, target, targetChange, targetList, testOutcome } from "@vitrine/contracts/targets";
import type { DocumentOptions } from "@vitrine/kit/openapi";
import type { Operation } from "@vitrine/kit/openapi/operation";
import { z } from "zod";
import { alertListQuery, byId } from "./routes/alerts.ts";
import { deliveryListQuery } from "./routes/deliveries.ts";
import { byName } from "./routes/runbooks.ts";

const base = "/api/notifier";
const mayRead = { by: "token", scopes: ["alerts:read", "alerts:admin"] } as const;
const mayAdminister = { by: "token", scopes: ["alerts:admin"] } as const;

const alertOperations: readonly Operation[] = [
  {
    method: "get",
    path: `${base}/alerts`,
    tag: "Alerts",
    summary: "Alerts, those that came last first",
    access: mayRead,
    query: alertListQuery,
    answers: { 200: { description: "A page of alerts.", body: alertPage } },
  },
  {
    method: "get",
    path: `${base}/alerts/{id}`,
    tag: "Alerts",
    summary: "One alert",
    access: mayRead,
    params: byId,
    answers: { 200: { description: "The alert.", body: alert } },
    refusals: [404],
  },
  {
    method: "get",
    path: `${base}/runbooks/{name}`,
    tag: "Alerts",
    summary: "What to do about an alert",
    access: mayRead,
    params: byName,
    answers: { 200: { description: "The runbook, as Markdown.", body: z.string(), mediaType: "text/plain" } },
    refusals: [404],
  },
  {
    method: "post",
    path: `${base}/alertmanager`,
    tag: "Alerts",
    summary: "Alertmanager's webhook, version 4; its bearer token is the secret it shares with the notifier",
    access: { by: "token" },
    json: alertmanagerWebhook,
    answers: { 200: { description: "It is stored.", body: accepted } },
  },
];

const deliveryOperations: readonly Operation[] = [
  {
    method: "get",
    path: `${base}/deliveries`,
    tag: "Deliveries",
    summary: "Messages, the newest first; dead letters are those of the state `dead`",
    access: mayRead,
    query: deliveryListQuery,
    answers: { 200: { description: "A page of messages.", body: deliveryPage } },
  },
  {
    method: "get",
    path: `${base}/deliveries/{id}`,
    tag: "Deliveries",
    summary: "One message",
    access: mayRead,
    params: byId,
    answers: { 200: { description: "The message.", body: delivery } },
    refusals: [404],
  },
  {
    method: "post",
    path: `${base}/deliveries/replay`,
    tag: "Deliveries",
    summary: "Send dead letters again: all of them, or those of one target",
    access: mayAdminister,
    json: replayRequest,
    answers: { 200: { description: "They wait to be sent.", body: replayed } },
  },
  {
    method: "post",
    path: `${base}/deliveries/{id}/replay`,
    tag: "Deliveries",
    summary: "Send one dead letter again, under its old id",
    access: mayAdminister,
    params: byId,
    answers: { 200: { description: "It waits to be sent.", body: replayed } },
    refusals: [404],
  },
  {
    method: "delete",
    path: `${base}/deliveries/{id}`,
    tag: "Deliveries",
    summary: "Discard a dead letter",
    access: mayAdminister,
    params: byId,
    answers: { 204: { description: "It is gone." } },
    refusals: [404],
  },
];

const targetAnswer = (description: string) => ({ description, body: target });

const targetOperations: readonly Operation[] = [
  {
    method: "get",
    path: `${base}/targets`,
    tag: "Targets",
    summary: "Whom alerts are told, without secrets",
    access: mayAdminister,
    answers: { 200: { description: "All targets.", body: targetList } },
  },
  {
    method: "post",
    path: `${base}/targets`,
    tag: "Targets",
    summary: "Make a target",
    access: mayAdminister,
    json: newTarget,
    answers: { 201: targetAnswer("The target.") },
    refusals: [409],
  },
  {
    method: "get",
    path: `${base}/targets/{id}`,
    tag: "Targets",
    summary: "One target",
    access: mayAdminister,
    params: byId,
    answers: { 200: targetAnswer("The target.") },
    refusals: [404],
  },
  {
    method: "patch",
    path: `${base}/targets/{id}`,
    tag: "Targets",
    summary: "Change a target; what is left out stays",
    access: mayAdminister,
    params: byId,
    json: targetChange,
    answers: { 200: targetAnswer("As it is now.") },
    refusals: [404, 409],
  },
  {
    method: "put",
    path: `${base}/targets/{id}/secret`,
    tag: "Targets",
    summary: "Rotate the signing secret of a webhook; both sign for a while",
    access: mayAdminister,
    params: byId,
    json: secretRotation,
    answers: { 200: targetAnswer("The target.") },
    refusals: [404, 409],
  },
  {
    method: "post",
    path: `${base}/targets/{id}/test`,
    tag: "Targets",
    summary: "Send a test message, once, and tell what became of it",
    access: mayAdminister,
    params: byId,
    answers: { 200: { description: "What became of it.", body: testOutcome } },
    refusals: [404],
  },
  {
    method: "delete",
    path: `${base}/targets/{id}`,
    tag: "Targets",
    summary: "Remove a target with its messages",
    access: mayAdminister,
    params: byId,
    answers: { 204: { description: "It is gone." } },
    refusals: [404, 409],
  },
];

export function notifierDocument(url: string): DocumentOptions {
  return {
    base,
    title: "Vitrine notifier",
    description: "Alerts and their history, whom they are told, and whether that worked.",
    url,
    operations: [...alertOperations, ...deliveryOperations, ...targetOperations],
  };
}
