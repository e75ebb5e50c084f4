import { activeFault, faultList, faultRequest } from "@vitrine/contracts/faults";
import type { Operation } from "../openapi/operation.ts";
import { faultParams as params } from "./http.ts";

/** The routes of `faultRoutes` as its callers see them. @param path where they are mounted */
export function faultOperations(path: string): readonly Operation[] {
  const common = { tag: "Faults", access: { by: "token", scopes: ["faults:admin"] }, refusals: [404] } as const;
  return [
    {
      ...common,
      method: "get",
      path,
      summary: "Faults that are on; 404 where fault injection is not enabled",
      answers: { 200: { description: "What is on, and until when.", body: faultList } },
    },
    {
      ...common,
      method: "put",
      path: `${path}/{name}`,
      summary: "Switch a fault on, for two minutes unless told otherwise; it goes off by itself",
      params,
      json: faultRequest,
      answers: { 200: { description: "It is on.", body: activeFault } },
    },
    {
      ...common,
      method: "delete",
      path: `${path}/{name}`,
      summary: "Switch a fault off",
      params,
      answers: { 204: { description: "It is off." } },
    },
  ];
}
