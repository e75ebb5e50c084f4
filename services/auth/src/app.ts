import { type AppEnv, createBaseApp } from "@vitrine/kit/http";
import type { Readiness } from "@vitrine/kit/lifecycle";
import { docsRoutes } from "@vitrine/kit/openapi/routes";
import type { Hono } from "hono";
import { authDocument } from "./openapi/document.ts";
import { type AuditRouteDeps, auditRoutes } from "./routes/audit.ts";
import { type FeedRouteDeps, feedRoutes } from "./routes/feed.ts";
import { type IngestKeyRouteDeps, ingestKeyRoutes } from "./routes/ingest-keys.ts";
import { type PeopleRouteDeps, peopleRoutes } from "./routes/people.ts";
import { proofRoutes, secondFactorRoutes } from "./routes/second-factor.ts";
import { cookieRoutes, type SessionRouteDeps, sessionRoutes } from "./routes/sessions.ts";
import { type SigningKeyRouteDeps, signingKeyRoutes } from "./routes/signing-keys.ts";
import { type TokenRouteDeps, tokenRoutes } from "./routes/token.ts";
import { type UserRouteDeps, userRoutes } from "./routes/users.ts";
import { type VerifyRouteDeps, verifyRoutes } from "./routes/verify.ts";
import { recordViolations, type ViolationDeps } from "./routes/violations.ts";
import { type WellKnownDeps, wellKnownRoutes } from "./routes/well-known.ts";

export interface AppDeps
  extends
    PeopleRouteDeps,
    SessionRouteDeps,
    ViolationDeps,
    TokenRouteDeps,
    WellKnownDeps,
    FeedRouteDeps,
    IngestKeyRouteDeps,
    SigningKeyRouteDeps,
    UserRouteDeps,
    AuditRouteDeps,
    VerifyRouteDeps {
  readonly readiness: Readiness;
}

export function createApp(deps: AppDeps): Hono<AppEnv> {
  const { logger, readiness, newId } = deps;
  const app = createBaseApp({ service: "auth", logger, readiness, newId, quietPaths: ["/api/auth/feed"] });
  app.use("/api/auth/*", recordViolations(deps));
  app.route("/api/auth", docsRoutes(authDocument(deps.issuer)));
  app.route("/api/auth/feed", feedRoutes(deps));
  app.route("/api/auth/verify", verifyRoutes(deps));
  app.route("/api/auth/audit", auditRoutes(deps));
  app.route("/api/auth/users", userRoutes(deps));
  app.route("/api/auth/signing-keys", signingKeyRoutes(deps));
  app.route("/api/auth/ingest-keys", ingestKeyRoutes(deps));
  app.route("/api/auth", peopleRoutes(deps));
  app.route("/api/auth", sessionRoutes(deps));
  app.route("/api/auth", proofRoutes(deps));
  app.route("/api/auth/second-factor", secondFactorRoutes(deps));
  app.route("/api/auth", cookieRoutes(deps));
  app.route("/oauth", tokenRoutes(deps));
  app.route("/.well-known", wellKnownRoutes(deps));
  return app;
}
