import {
  annotations,
  dashboardLink,
  loki,
  orNone,
  orZero,
  pageLink,
  prometheus,
  requestOfLine,
  sized,
} from "./common.ts";
import { atMost, type Dashboard, type Link, type Variable } from "./model.ts";

/** Clients by what they were let in for: the gateway names them on what it measures of telemetry and refusals. */
const client: Variable = {
  kind: "label",
  name: "client",
  title: "Client",
  label: "client_id",
  of: '{__name__=~"gateway_(ingest_requests|refusals)_total"}',
};
const chosen = 'client_id=~"$client"';
const refusedLines: Link = {
  to: "logs",
  title: "Refusals",
  expr: '{service_name="gateway"} | action="gateway.refused"',
  quiet: true,
};
const security: Link = dashboardLink("Security", "vitrine-security");
const changes: Link = {
  to: "logs",
  title: "The changes",
  expr: '{service_name="auth"} | action=~"authz_admin|authz_change|user_.+|authn_token_revoked"',
  quiet: true,
};

export const accessControl: Dashboard = {
  uid: "vitrine-access-control",
  title: "Access control",
  description: "What the gateway let in and what it kept out: by whom, at which route, for which reason.",
  topic: "security",
  variables: [client],
  annotations,
  rows: [
    {
      title: "The door",
      panels: [
        {
          kind: "stat",
          title: "Let in",
          description: "Share of requests that were not refused, over the range.",
          ...sized("sixth", 6),
          unit: "percentunit",
          decimals: 1,
          queries: [
            prometheus(
              "let in",
              '1 - sum(increase(gateway_request_duration_seconds_count{outcome="refused"}[$__range]) or vector(0)) / sum(increase(gateway_request_duration_seconds_count[$__range]))',
            ),
          ],
          links: [security],
        },
        {
          kind: "stat",
          title: "Keys fetched",
          description:
            "Time since the gateway last fetched the keys it verifies tokens with. Above five minutes it lives on old ones.",
          ...sized("sixth", 6),
          unit: "s",
          thresholds: atMost(300, 900),
          queries: [prometheus("age", "max(gateway_jwks_age_seconds)")],
          links: [dashboardLink("Service health", "vitrine-service-health", { service: "auth" })],
        },
        {
          kind: "stat",
          title: "Revocations heard",
          description:
            "Time since the feed of revocations last answered. Above 30 s a token taken back may still be good here.",
          ...sized("sixth", 6),
          unit: "s",
          thresholds: atMost(30, 60),
          queries: [prometheus("age", "max(gateway_feed_age_seconds)")],
          links: [dashboardLink("Service health", "vitrine-service-health", { service: "auth" })],
        },
        {
          kind: "timeseries",
          title: "Requests by kind of caller",
          description: "Per second: services, ingest keys, people, other clients, nobody.",
          ...sized("quarter", 6),
          unit: "reqps",
          min: 0,
          stacked: true,
          queries: [
            prometheus(
              "{{client_class}}",
              "sum by (client_class) (rate(gateway_request_duration_seconds_count[$__rate_interval]))",
            ),
          ],
          links: [dashboardLink("API performance", "vitrine-api-performance", { service: "gateway" })],
        },
        {
          kind: "timeseries",
          title: "Held",
          description: "Requests that hold a place, and those that wait for one. Waiting ones are next to be refused.",
          ...sized("quarter", 6),
          unit: "none",
          min: 0,
          queries: [prometheus("{{state}}", "sum by (state) (gateway_requests_held)")],
          links: [dashboardLink("API performance", "vitrine-api-performance", { service: "gateway" })],
        },
      ],
    },
    {
      title: "Refusals",
      panels: [
        {
          kind: "timeseries",
          title: "By reason",
          description:
            "Requests refused per second. Whoever showed no valid token counts under the gateway's own name.",
          ...sized("half"),
          unit: "reqps",
          min: 0,
          stacked: true,
          queries: [
            prometheus(
              "{{reason}}",
              orNone(`sum by (reason) (rate(gateway_refusals_total{${chosen}}[$__rate_interval]))`, "reason"),
            ),
          ],
          links: [refusedLines, security],
        },
        {
          kind: "timeseries",
          title: "Want of scope",
          description:
            "Clients with a valid token that asked for what it does not allow, per second: a wrong set-up, or a token in other hands.",
          ...sized("half"),
          unit: "reqps",
          min: 0,
          queries: [
            prometheus(
              "{{client_id}} at {{route}}",
              orNone(
                `sum by (client_id, route) (rate(gateway_refusals_total{reason="insufficient_scope", ${chosen}}[$__rate_interval]))`,
                "client_id",
                "route",
              ),
            ),
          ],
          links: [refusedLines, security],
        },
        {
          kind: "table",
          title: "Who was refused where, and why",
          description: "Over the range, most first.",
          ...sized("half", 10),
          unit: "short",
          decimals: 0,
          labels: [
            { name: "client_id", title: "Client" },
            { name: "route", title: "Route" },
            { name: "reason", title: "Reason" },
          ],
          queries: [
            prometheus(
              "Refusals",
              `sort_desc(${orNone(`sum by (client_id, route, reason) (increase(gateway_refusals_total{${chosen}}[$__range]))`, "client_id", "route", "reason")})`,
            ),
          ],
          links: [refusedLines],
        },
        {
          kind: "timeseries",
          title: "At the auth service",
          description: "Tokens it was shown and refused, and requests for more than an identity may have, per second.",
          ...sized("half", 10),
          unit: "ops",
          min: 0,
          queries: [
            prometheus(
              "token {{reason}}",
              orNone("sum by (reason) (rate(auth_token_refusals_total[$__rate_interval]))", "reason"),
            ),
            prometheus(
              "{{reason}}",
              orNone("sum by (reason) (rate(auth_authorization_violations_total[$__rate_interval]))", "reason"),
            ),
          ],
          links: [security],
        },
      ],
    },
    {
      title: "Changes",
      panels: [
        {
          kind: "stat",
          title: "Administrative changes",
          description: "People, roles, keys and sessions changed or taken back, over the range.",
          ...sized("sixth", 9),
          unit: "short",
          decimals: 0,
          queries: [
            prometheus(
              "changes",
              orZero(
                'sum(increase(security_events_total{action=~"authz_admin|authz_change|user_.+|authn_token_revoked"}[$__range]))',
              ),
            ),
          ],
          links: [changes, pageLink("Audit log", "/audit")],
        },
        {
          kind: "logs",
          title: "Rights given and taken",
          description: "Tokens and keys issued and taken back, sessions begun and ended, people and roles changed.",
          width: 20,
          height: 9,
          queries: [loki("", '{service_name="auth"} | action=~"authz_.+|user_.+|session_.+|authn_token_.+"')],
          links: [requestOfLine],
        },
      ],
    },
  ],
};
