import { thresholdNames } from "@vitrine/contracts/telemetry";
import type { EngineData } from "./engine-data.ts";

/** What services of ours answer to the pages of a house under test; hostile wherever data comes from outside. */

const at = (agoMs: number): string => new Date(Date.now() - agoMs).toISOString();
const hour = 3_600_000;
const uuid = "01a1fd4b-013c-7278-8fd1-1830b1369e1e";

type Answer = (data: EngineData | undefined, url: URL) => unknown;

const page = (items: readonly unknown[]) => ({ items, next: null });

const answers: Readonly<Record<string, Answer>> = {
  "/api/auth/users": (data) =>
    page(
      (data === undefined ? [] : [data.mark, "berta", "vip"]).map((name, index) => ({
        id: `${index + 1}`,
        name,
        role: (["viewer", "admin", "viewer"] as const)[index],
        demo: name === "vip",
        disabled: index === 0,
        createdAt: at(30 * hour),
      })),
    ),
  "/api/auth/ingest-keys": (data) =>
    page(data === undefined ? [] : [keyOf(data, "active"), keyOf(data, "expired"), keyOf(data, "revoked")]),
  "/api/auth/audit": (data) =>
    page(
      data === undefined
        ? []
        : Array.from({ length: 30 }, (_, index) => ({
            seq: 1_000 - index,
            at: at(index * 60_000),
            event: index % 7 === 0 ? "authn_login_fail" : "authn_login_success",
            outcome: index % 7 === 0 ? "failure" : "success",
            action: "login",
            actor: data.mark,
            actorKnownAs: index % 3 === 0 ? null : { kind: index % 3 === 1 ? "person" : "client", name: data.mark },
            target: index % 2 === 0 ? null : `target of ${data.mark}`,
            targetKnownAs: index % 4 === 1 ? { kind: "ingest_key", name: data.mark } : null,
            reason: index % 7 === 0 ? data.mark : null,
            requestId: data.requestId,
            address: "203.0.113.0",
            userAgent: data.mark,
            sessionId: null,
            clientId: null,
          })),
    ),
  "/api/notifier/alerts": (data) => page(data === undefined ? [] : [alertOf(data, true), alertOf(data, false)]),
  "/api/notifier/targets": (data) => ({ items: data === undefined ? [] : [targetOf(data)] }),
  "/api/notifier/deliveries": (data, url) =>
    page(data === undefined ? [] : [deliveryOf(data, url.searchParams.get("state") === "dead" ? "dead" : "delivered")]),
  "/api/faults": (data) => ({
    items: [
      {
        name: "slow_sql",
        description: "Statements sleep in PostgreSQL.",
        services: ["orders", "inventory"],
        parameters: { delayMs: 700, ratio: 0.5 },
        active:
          data === undefined
            ? []
            : [{ name: "slow_sql", service: "orders", parameters: {}, since: at(0), until: at(-60_000) }],
      },
      { name: "inventory_down", description: "503.", services: ["inventory"], parameters: {}, active: [] },
    ],
    silent: data === undefined ? [] : [{ service: "inventory", reason: data.mark }],
  }),
  "/api/scenarios": (data) => ({
    items: [{ name: "calm", description: data?.mark ?? "As every day.", ratePerSecond: 2 }],
    current: data === undefined ? null : { name: "sale", ratePerSecond: 20, since: at(0), until: at(-60_000) },
  }),
};

function keyOf({ mark }: EngineData, status: "active" | "expired" | "revoked") {
  return {
    id: `0123456789-${status}`,
    name: mark,
    clientId: `key:${mark}`,
    scopes: ["logs:write", "traces:write"],
    ...(status === "expired" ? { servicePrefix: "partner-" } : { service: "partner-shop" }),
    status,
    preset: false,
    createdBy: "anna",
    createdAt: at(50 * hour),
    ...(status === "active" ? { lastUsedAt: at(60_000) } : {}),
  };
}

function alertOf({ mark }: EngineData, firing: boolean) {
  return {
    id: uuid,
    fingerprint: "0123456789abcdef",
    name: firing ? "HighErrorRate" : mark,
    tier: "critical",
    status: firing ? "firing" : "resolved",
    summary: mark,
    description: mark,
    labels: { service_name: mark },
    annotations: {},
    startedAt: at(hour),
    endedAt: firing ? null : at(hour / 2),
    receivedAt: at(hour),
    lastReceivedAt: at(30_000),
    links: { runbook: null, dashboard: null, console: "http://localhost/", silence: "http://localhost/" },
  };
}

function targetOf({ mark }: EngineData) {
  return {
    id: uuid,
    name: "on-call",
    channel: "webhook",
    destination: mark,
    enabled: true,
    tiers: ["critical", "warning"],
    matchers: {},
    sendResolved: true,
    quietHours: null,
    preset: false,
    createdAt: at(hour),
    updatedAt: at(hour),
  };
}

function deliveryOf({ mark }: EngineData, state: "dead" | "delivered") {
  return {
    id: uuid,
    target: { id: uuid, name: "on-call", channel: "webhook" },
    state,
    tier: "critical",
    alerts: [{ alertId: uuid, name: mark, status: "firing", reminder: false }],
    attempts: 9,
    createdAt: at(hour),
    dueAt: at(hour),
    nextAttemptAt: null,
    endedAt: at(hour / 2),
    failure: state === "dead" ? "timeout" : null,
    failureStatus: null,
  };
}

/** As a service of ours would; nothing for what it is not asked by pages. */
export function answerAsService(request: Request, data: EngineData | undefined): Response | undefined {
  const url = new URL(request.url);
  if (url.pathname.startsWith("/api/notifier/runbooks/"))
    return new Response(
      `# Name\n\n## What it means\n\nMore than \`5 %\` fail. ${data?.mark ?? ""}\n\n- Look at \`service_name\`.\n- Then at [TokenForgeryWave](TokenForgeryWave.md), and [logs](../logs.md).\n`,
      { headers: { "content-type": "text/plain" } },
    );
  const answer = answers[url.pathname];
  return answer === undefined ? undefined : Response.json(answer(data, url));
}

/** What is measured of each threshold. */
export function measuredOf({ mark }: EngineData): readonly unknown[] {
  return thresholdNames.map((threshold, index) => ({
    metric: { threshold, service_name: mark },
    value: [Date.now() / 1_000, String(index * 0.3)],
  }));
}
