import { faultList, faultOverview, faultSwitch } from "@vitrine/contracts/faults";
import { played, scenarioOverview, scenarioRequest, sentReport } from "@vitrine/contracts/scenarios";
import { faultParams } from "@vitrine/kit/faults/http";
import type { DocumentOptions } from "@vitrine/kit/openapi";
import type { Operation } from "@vitrine/kit/openapi/operation";

const access = { by: "token", scopes: ["faults:admin"] } as const;

const faultOperations: readonly Operation[] = [
  {
    method: "get",
    path: "/api/faults",
    tag: "Faults",
    summary: "Every fault there is, and where it is on",
    access,
    answers: { 200: { description: "The faults of all services.", body: faultOverview } },
  },
  {
    method: "put",
    path: "/api/faults/{name}",
    tag: "Faults",
    summary: "Switch a fault on in all its services or in some; it goes off by itself",
    access,
    params: faultParams,
    json: faultSwitch,
    answers: { 200: { description: "Where it is on now.", body: faultList } },
    refusals: [404, 502],
  },
  {
    method: "delete",
    path: "/api/faults/{name}",
    tag: "Faults",
    summary: "Switch a fault off everywhere",
    access,
    params: faultParams,
    answers: { 204: { description: "It is off." } },
    refusals: [502],
  },
];

const scenarioOperations: readonly Operation[] = [
  {
    method: "get",
    path: "/api/scenarios",
    tag: "Scenarios",
    summary: "Scenarios there are, and the one that is played",
    access,
    answers: { 200: { description: "The scenarios.", body: scenarioOverview } },
  },
  {
    method: "put",
    path: "/api/scenarios/current",
    tag: "Scenarios",
    summary: "Play a scenario; an ordinary day follows",
    access,
    json: scenarioRequest,
    answers: { 200: { description: "It is played.", body: played } },
  },
  {
    method: "delete",
    path: "/api/scenarios/current",
    tag: "Scenarios",
    summary: "Make no traffic",
    access,
    answers: { 204: { description: "Nothing is played." } },
  },
  {
    method: "get",
    path: "/api/scenarios/report",
    tag: "Scenarios",
    summary: "What was sent since the start, to hold what arrived against",
    access,
    answers: { 200: { description: "Counts by route, status and scenario.", body: sentReport } },
  },
];

/** @param url public address callers use */
export function generatorDocument(url: string): DocumentOptions {
  return {
    base: "/api/scenarios",
    title: "Vitrine generator",
    description: "What simulated customers do, and faults for them to meet.",
    url,
    operations: [...faultOperations, ...scenarioOperations],
  };
}
