import type { LoadRequest, Route } from "../harness/bench.ts";
import { logsPayload } from "./payload.ts";

export const scenarioNames = ["tokens", "small", "large", "refused"] as const;
type ScenarioName = (typeof scenarioNames)[number];

export interface Tokens {
  /** Valid, each of its own. */
  readonly valid: readonly [string, ...string[]];
  /** Forged, expired, for another audience, and no token at all. */
  readonly refused: readonly string[];
}

/** The gates that let everything through cannot refuse. */
const open = ["none", "none-collector"];

/** 16 KiB posts with one token, and the further scenarios that are asked for. @throws RangeError for one there is not */
export function toRoutes(scenarios: readonly string[], tokens: Tokens): readonly Route[] {
  const unknown = scenarios.filter((name) => name !== "all" && !scenarioNames.some((known) => known === name));
  if (unknown.length > 0)
    throw new RangeError(`no such scenario: ${unknown.join(", ")} (there are ${scenarioNames.join(", ")}, all)`);
  const wanted = scenarioNames.filter((name) => scenarios.includes(name) || scenarios.includes("all"));
  return [toRoute("16 KiB", 16_384, [tokens.valid[0]]), ...wanted.map((name) => scenario(name, tokens))];
}

function scenario(name: ScenarioName, tokens: Tokens): Route {
  switch (name) {
    case "tokens":
      return toRoute("16 KiB, 1,000 tokens", 16_384, tokens.valid);
    case "small":
      return toRoute("64 bytes", 64, [tokens.valid[0]]);
    case "large":
      return toRoute("1 MiB", 1_048_576, [tokens.valid[0]]);
    case "refused": {
      const route = toRoute("16 KiB, four of five refused", 16_384, [tokens.valid[0]]);
      const refused = tokens.refused.flatMap((token) =>
        route.requests.map((request) => Object.assign(withToken(request, token), { expect: 401 })),
      );
      return { ...route, requests: [...route.requests, ...refused], without: open };
    }
    default:
      return name satisfies never;
  }
}

function toRoute(name: string, size: number, tokens: readonly string[]): Route {
  const { bytes, records } = logsPayload(size);
  const request = {
    method: "POST",
    path: "/v1/logs",
    headers: { "content-type": "application/x-protobuf" },
    bodyBase64: Buffer.from(bytes).toString("base64"),
  };
  return {
    name,
    requests: tokens.map((token) => withToken(request, token)),
    leaves: { posts: 1, postedBytes: size, records },
  };
}

function withToken(request: LoadRequest, token: string): LoadRequest {
  if (token === "") return { ...request, headers: { "content-type": "application/x-protobuf" } };
  return { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } };
}
