import { type Scope, scopes } from "@vitrine/contracts/scopes";
import { apiBody, uploadBody } from "./bodies.ts";
import type { Method, Route } from "./route.ts";

/** What every token has one of: the upstream asks for what it needs beyond that. */
const anyScope = scopes as unknown as readonly [Scope, ...Scope[]];

const login = "/login";

const page = {
  methods: ["GET"],
  access: ["telemetry:read"],
  upstream: "console",
  forward: "keep",
  body: "none",
  session: true,
  page: { login },
  rate: "api",
  timeoutMs: 15_000,
  telemetry: "traced",
  errors: "problem",
} as const satisfies Partial<Route>;

/** Every page has a row: what is listed nowhere does not exist. */
const pages = [
  "/",
  "/account",
  "/alerts",
  "/analysis",
  "/audit",
  "/clients",
  "/dashboards",
  "/dashboards/*",
  "/faults",
  "/logs",
  "/notifications",
  "/pipeline",
  "/requests",
  "/requests/*",
  "/thresholds",
  "/users",
] as const;

const open = {
  methods: ["GET"],
  access: "public",
  upstream: "console",
  forward: "keep",
  body: "none",
  rate: "open",
  timeoutMs: 15_000,
  errors: "problem",
} as const satisfies Partial<Route>;

const { page: _, ...signedIn } = page;

const apiRow = { ...signedIn, path: "/api/console/**", body: apiBody } as const;

/** What of auth is asked by pages, with the session's cookie; the rest proves itself by what it sends. */
function authRow(path: string, methods: readonly Method[]): Route {
  return {
    path,
    methods,
    access: anyScope,
    upstream: "auth",
    forward: "keep",
    body: methods.every((method) => method === "GET") ? "none" : apiBody,
    session: true,
    rate: "api",
    timeoutMs: 15_000,
    telemetry: "traced",
    errors: "problem",
  };
}

function pageRow(path: string): Route {
  return { ...page, path };
}

export const consoleRows: readonly Route[] = [
  ...pages.map(pageRow),
  { ...open, path: login, telemetry: "traced" },
  { ...open, path: "/assets/*", telemetry: "quiet" },
  // What the API is, is no secret.
  { ...open, path: "/api/console/openapi.json", telemetry: "traced" },
  { ...open, path: "/api/console/docs", telemetry: "traced" },
  { ...apiRow, methods: ["GET"], body: "none" },
  { ...apiRow, methods: ["POST", "PUT", "PATCH", "DELETE"] },
  // A stream as long as one exchange may be; the browser then opens another.
  { ...apiRow, path: "/api/console/live/*", methods: ["GET"], body: "none", timeoutMs: 240_000 },
  { ...apiRow, path: "/api/console/logs/analyze", methods: ["POST"], body: uploadBody, timeoutMs: 60_000 },

  authRow("/api/auth/me", ["GET"]),
  authRow("/api/auth/password", ["POST"]),
  authRow("/api/auth/step-up", ["POST"]),
  authRow("/api/auth/sessions", ["GET", "DELETE"]),
  authRow("/api/auth/sessions/*", ["DELETE"]),
  authRow("/api/auth/second-factor", ["GET", "POST", "DELETE"]),
  authRow("/api/auth/second-factor/*", ["POST"]),
  authRow("/api/auth/users/**", ["GET", "POST", "PATCH", "DELETE"]),
  authRow("/api/auth/audit/**", ["GET", "POST"]),
  authRow("/api/auth/ingest-keys/**", ["GET", "POST", "DELETE"]),
  authRow("/api/auth/signing-keys/**", ["GET", "POST"]),
];
