import {
  annotations,
  anyIsBad,
  dashboardLink,
  loki,
  orNone,
  orZero,
  prometheus,
  requestOfLine,
  sized,
} from "./common.ts";
import { atLeast, atMost, type Dashboard, type Link, type Variable } from "./model.ts";

const method: Variable = {
  kind: "label",
  name: "method",
  title: "Method",
  label: "auth_method",
  of: "auth_attempts_total",
};
const chosen = 'auth_method=~"$method"';

const loginRoute: Link = dashboardLink("API performance", "vitrine-api-performance", { service: "auth" });
const attempts: Link = {
  to: "logs",
  title: "Attempts",
  expr: '{service_name="auth"} | action=~"authn_.+"',
};
const secondFactors: Link = {
  to: "logs",
  title: "Second factors",
  expr: '{service_name="auth"} | action="authn_second_factor"',
  quiet: true,
};

export const authentication: Dashboard = {
  uid: "vitrine-authentication",
  title: "Authentication analytics",
  description:
    "How people and services prove who they are: how often, by what means, how well, and what keeps them from it.",
  topic: "security",
  variables: [method],
  annotations,
  rows: [
    {
      title: "Now",
      panels: [
        {
          kind: "stat",
          title: "Success",
          description:
            "Share of sign-ins by password that succeeded over the range, all of none; the objective is 98 % over a week.",
          ...sized("sixth", 5),
          unit: "percentunit",
          decimals: 1,
          thresholds: atLeast(0.9, 0.98),
          queries: [
            prometheus(
              "succeeded",
              'sum(increase(auth_attempts_total{auth_method="password", auth_outcome="success"}[$__range])) / (sum(increase(auth_attempts_total{auth_method="password"}[$__range])) > 0) or vector(1)',
            ),
          ],
          links: [dashboardLink("Objectives", "vitrine-slo", { slo: "login" })],
        },
        {
          kind: "stat",
          title: "Sessions",
          description: "Sessions of people that are not over.",
          ...sized("sixth", 5),
          unit: "short",
          trend: true,
          queries: [prometheus("open", "max(auth_sessions_active)")],
          links: [dashboardLink("Users", "vitrine-users")],
        },
        {
          kind: "stat",
          title: "Time to sign in",
          description:
            "p95 of the route, over the range; 0 if nobody did. Passwords are hashed slowly on purpose: far below 50 ms would be wrong.",
          ...sized("sixth", 5),
          unit: "s",
          thresholds: atMost(0.5, 1.5),
          queries: [
            prometheus(
              "p95",
              orZero(
                'histogram_quantile(0.95, sum by (le) (increase(http_server_request_duration_seconds_bucket{service_name="auth", http_route="/api/auth/login"}[$__range]))) >= 0',
              ),
            ),
          ],
          links: [loginRoute],
        },
        {
          kind: "stat",
          title: "Second factors that failed",
          description: "Share over the range. Who gets this far knows the password.",
          ...sized("sixth", 5),
          unit: "percentunit",
          thresholds: atMost(0.2, 0.4),
          queries: [
            prometheus(
              "failed",
              orZero(
                'sum(increase(twofa_attempts_total{auth_outcome="failure"}[$__range])) / (sum(increase(twofa_attempts_total[$__range])) > 0)',
              ),
            ),
          ],
          links: [secondFactors],
        },
        {
          kind: "stat",
          title: "Refresh tokens used twice",
          description: "Over the range; each ended its session.",
          ...sized("sixth", 5),
          unit: "none",
          decimals: 0,
          thresholds: anyIsBad,
          queries: [prometheus("reused", orZero("sum(increase(auth_token_reuse_total[$__range]))"))],
          links: [dashboardLink("Security", "vitrine-security")],
        },
        {
          kind: "stat",
          title: "New people",
          description: "Registrations that succeeded over the range.",
          ...sized("sixth", 5),
          unit: "short",
          decimals: 0,
          queries: [
            prometheus(
              "registered",
              orZero(
                'sum(increase(auth_attempts_total{auth_method="registration", auth_outcome="success"}[$__range]))',
              ),
            ),
          ],
          links: [dashboardLink("Users", "vitrine-users")],
        },
      ],
    },
    {
      title: "By means",
      panels: [
        {
          kind: "timeseries",
          title: "Proofs that held",
          description:
            "Per second, by method: people by password, services by their secret, sessions by their refresh token.",
          ...sized("half"),
          unit: "ops",
          min: 0,
          stacked: true,
          queries: [
            prometheus(
              "{{auth_method}}",
              `sum by (auth_method) (rate(auth_attempts_total{auth_outcome="success", ${chosen}}[$__rate_interval]))`,
            ),
          ],
          links: [attempts],
        },
        {
          kind: "timeseries",
          title: "Proofs that did not",
          description: "Per second, by method and reason.",
          ...sized("half"),
          unit: "ops",
          min: 0,
          stacked: true,
          queries: [
            prometheus(
              "{{auth_method}}: {{auth_failure_reason}}",
              orNone(
                `sum by (auth_method, auth_failure_reason) (rate(auth_attempts_total{auth_outcome="failure", ${chosen}}[$__rate_interval]))`,
                "auth_method",
                "auth_failure_reason",
              ),
            ),
          ],
          links: [attempts],
        },
        {
          kind: "timeseries",
          title: "Sessions over time",
          description:
            "Sessions of people that are not over. They end by signing out, by time, or by being taken back.",
          ...sized("third"),
          unit: "short",
          min: 0,
          queries: [prometheus("open", "max(auth_sessions_active)")],
          links: [attempts],
        },
        {
          kind: "timeseries",
          title: "Second factors",
          description: "Codes tried per second, by kind and outcome.",
          ...sized("third"),
          unit: "ops",
          min: 0,
          queries: [
            prometheus(
              "{{auth_method}} {{auth_outcome}}",
              orNone(
                "sum by (auth_method, auth_outcome) (rate(twofa_attempts_total[$__rate_interval]))",
                "auth_method",
              ),
            ),
          ],
          links: [secondFactors],
        },
        {
          kind: "bars",
          title: "Changes to accounts",
          description: "Over the range: passwords changed, second factors set up or removed.",
          ...sized("third"),
          unit: "short",
          decimals: 0,
          queries: [
            prometheus(
              "password {{auth_outcome}}",
              orNone("sum by (auth_outcome) (increase(auth_password_changes_total[$__range]))", "auth_outcome"),
            ),
            prometheus(
              "second factor {{change}}",
              orNone("sum by (change) (increase(twofa_changes_total[$__range]))", "change"),
            ),
          ],
          links: [secondFactors],
        },
        {
          kind: "logs",
          title: "Attempts",
          description:
            "Every attempt to prove an identity, and what looked wrong about some; a line opens its request.",
          ...sized("whole", 9),
          queries: [loki("", '{service_name="auth"} | action=~"authn_.+"')],
          links: [requestOfLine],
        },
      ],
    },
  ],
};
