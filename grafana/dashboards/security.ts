import {
  annotations,
  anyIsBad,
  dashboardLink,
  loki,
  orNone,
  orZero,
  pageLink,
  prometheus,
  requestOfLine,
  sized,
} from "./common.ts";
import { atMost, type Dashboard, type Link } from "./model.ts";

const authentication: Link = dashboardLink("Authentication", "vitrine-authentication");
const access: Link = dashboardLink("Access control", "vitrine-access-control");
const forged = 'reason=~"bad_signature|unknown_key|wrong_issuer|wrong_audience|wrong_type|malformed_token"';
const securityLines =
  '{service_name=~".+"} | action=~"(authn|authz|session|user|excess)_.+|gateway.refused|auth.audit_chain_broken"';

function eventsOf(pattern: string): Link {
  return {
    to: "logs",
    title: "The events",
    expr: `{service_name=~"auth|gateway"} | action=~"${pattern}"`,
    quiet: true,
  };
}

export const security: Dashboard = {
  uid: "vitrine-security",
  title: "Security overview",
  description: "Who tries to get in that should not, what they try, and whether the record of it is whole.",
  topic: "security",
  variables: [],
  annotations,
  rows: [
    {
      title: "Attacks",
      panels: [
        {
          kind: "stat",
          title: "Failed proofs of identity",
          description:
            "Passwords, secrets, codes that were wrong, over the range. People mistype: look at the share below.",
          ...sized("sixth", 5),
          unit: "short",
          decimals: 0,
          queries: [
            prometheus("failed", orZero('sum(increase(auth_attempts_total{auth_outcome="failure"}[$__range]))')),
          ],
          links: [authentication, eventsOf("authn_login_fail.*")],
        },
        {
          kind: "stat",
          title: "Forged tokens",
          description:
            "Tokens auth never issued: wrong signature, key, issuer, audience, type or form, over the range.",
          ...sized("sixth", 5),
          unit: "short",
          decimals: 0,
          thresholds: atMost(1, 20),
          queries: [prometheus("refused", orZero(`sum(increase(gateway_refusals_total{${forged}}[$__range]))`))],
          links: [access, eventsOf("gateway.refused")],
        },
        {
          kind: "stat",
          title: "Suspicious sign-ins",
          description: "Sign-ins that look like somebody else's, and guessing over many accounts, over the range.",
          ...sized("sixth", 5),
          unit: "short",
          decimals: 0,
          thresholds: atMost(1, 20),
          queries: [
            prometheus("suspicions", orZero('sum(increase(auth_suspicions_total{reason!="new_origin"}[$__range]))')),
          ],
          links: [
            authentication,
            eventsOf("authn_(impossible_travel|login_successafterfail|many_accounts|login_fail_max)"),
          ],
        },
        {
          kind: "stat",
          title: "Stolen sessions",
          description: "Refresh tokens that were used twice, over the range: one of the two holders stole it.",
          ...sized("sixth", 5),
          unit: "none",
          decimals: 0,
          thresholds: anyIsBad,
          queries: [prometheus("reused", orZero("sum(increase(auth_token_reuse_total[$__range]))"))],
          links: [authentication, eventsOf("authn_token_reuse")],
        },
        {
          kind: "stat",
          title: "Audit log",
          description: "Whether every row of the audit log still follows from the one before it.",
          ...sized("sixth", 5),
          unit: "none",
          words: { 0: { text: "broken", state: "critical" }, 1: { text: "whole", state: "good" } },
          queries: [prometheus("audit log", "min(auth_audit_chain_intact)")],
          links: [eventsOf("auth.audit_chain_.+"), pageLink("Audit log", "/audit")],
        },
        {
          kind: "stat",
          title: "Events lost",
          description: "Log bytes auth and the gateway gave up over the range: security events that nobody will find.",
          ...sized("sixth", 5),
          unit: "bytes",
          thresholds: anyIsBad,
          queries: [
            prometheus(
              "lost",
              orZero(
                'sum(increase(telemetry_export_dropped_bytes_total{signal="logs", service_name=~"auth|gateway"}[$__range]))',
              ),
            ),
          ],
          links: [dashboardLink("Telemetry clients", "vitrine-telemetry-clients", { service: "auth" })],
        },
      ],
    },
    {
      title: "Over time",
      panels: [
        {
          kind: "timeseries",
          title: "Security events",
          description: "Everything of that kind that was written down, per second, by what happened.",
          ...sized("half"),
          unit: "cps",
          min: 0,
          stacked: true,
          queries: [prometheus("{{action}}", "sum by (action) (rate(security_events_total[$__rate_interval]))")],
          links: [
            { to: "logs", title: "The events", expr: '{service_name=~".+"} | action="${label.action}"', quiet: true },
          ],
        },
        {
          kind: "timeseries",
          title: "Refused at the door",
          description: "Requests the gateway refused per second, by reason.",
          ...sized("half"),
          unit: "reqps",
          min: 0,
          stacked: true,
          queries: [
            prometheus(
              "{{reason}}",
              orNone("sum by (reason) (rate(gateway_refusals_total[$__rate_interval]))", "reason"),
            ),
          ],
          links: [access, eventsOf("gateway.refused")],
        },
        {
          kind: "timeseries",
          title: "Sign-ins that failed",
          description:
            "Share of attempts by password that were wrong, over five minutes. Above a half, and many, is guessing.",
          ...sized("third"),
          unit: "percentunit",
          min: 0,
          max: 1,
          thresholds: atMost(0.3, 0.5),
          queries: [
            prometheus(
              "failed",
              orZero(
                'sum(auth_method:auth_failures:increase5m{auth_method="password"}) / (sum(auth_method:auth_attempts:increase5m{auth_method="password"}) > 0)',
              ),
            ),
          ],
          links: [authentication],
        },
        {
          kind: "timeseries",
          title: "Slowed down",
          description: "Attempts refused per second because they came too fast, by what limits them.",
          ...sized("third"),
          unit: "ops",
          min: 0,
          queries: [
            prometheus("{{limit}}", orNone("sum by (limit) (rate(auth_throttled_total[$__rate_interval]))", "limit")),
          ],
          links: [authentication, eventsOf("excess_rate_limit_exceeded")],
        },
        {
          kind: "timeseries",
          title: "Asked for too much",
          description: "Requests of valid identities for more than they may have, per second, at auth and at the door.",
          ...sized("third"),
          unit: "ops",
          min: 0,
          queries: [
            prometheus(
              "auth: {{reason}}",
              orNone("sum by (reason) (rate(auth_authorization_violations_total[$__rate_interval]))", "reason"),
            ),
            prometheus(
              "door: {{client_id}}",
              orNone(
                'sum by (client_id) (rate(gateway_refusals_total{reason="insufficient_scope"}[$__rate_interval]))',
                "client_id",
              ),
            ),
          ],
          links: [access, eventsOf("authz_fail")],
        },
        {
          kind: "logs",
          title: "What happened",
          description: "Security events of every service; a line opens its request.",
          ...sized("whole", 10),
          queries: [loki("", securityLines)],
          links: [requestOfLine],
        },
      ],
    },
  ],
};
