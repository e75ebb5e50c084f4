import { annotations, dashboardLink, loki, orNone, orZero, prometheus, requestOfLine, sized } from "./common.ts";
import type { Dashboard, Link } from "./model.ts";

const people = '{service_name="gateway"} | action="http.request" | user!=""';
const authentication: Link = dashboardLink("Authentication", "vitrine-authentication");
const portfolio: Link = dashboardLink("Portfolio", "vitrine-portfolio");
const registrations: Link = {
  to: "logs",
  title: "Registrations",
  expr: '{service_name="auth"} | action="user_created"',
  quiet: true,
};

export const users: Dashboard = {
  uid: "vitrine-users",
  title: "User analytics",
  description: "The people: how many there are, how many come, what they do and whether it works for them.",
  topic: "business",
  variables: [],
  annotations,
  rows: [
    {
      title: "People",
      panels: [
        {
          kind: "stat",
          title: "Active customers",
          description: "Customers who ordered or moved money within five minutes, an hour, a day.",
          ...sized("third", 6),
          unit: "short",
          decimals: 0,
          queries: [prometheus("{{window}}", "max by (window) (customers_active)")],
          links: [portfolio],
        },
        {
          kind: "stat",
          title: "Signed in",
          description: "Sessions that are not over.",
          ...sized("sixth", 6),
          unit: "short",
          trend: true,
          queries: [prometheus("sessions", "max(auth_sessions_active)")],
          links: [authentication],
        },
        {
          kind: "stat",
          title: "New",
          description: "People who registered over the range.",
          ...sized("sixth", 6),
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
          links: [registrations],
        },
        {
          kind: "stat",
          title: "Seen",
          description:
            "Different people who asked for anything over the range, counted in the logs: no metric has a person's id.",
          ...sized("sixth", 6),
          unit: "short",
          decimals: 0,
          queries: [loki("people", `count(sum by (user) (count_over_time(${people} [$__auto])))`)],
          links: [authentication],
        },
        {
          kind: "stat",
          title: "Turned away",
          description: "Share of people's requests that were answered 4xx or 5xx, over the range.",
          ...sized("sixth", 6),
          unit: "percentunit",
          decimals: 1,
          queries: [
            prometheus(
              "refused or failed",
              'sum(increase(gateway_request_duration_seconds_count{client_class="person", outcome!="ok"}[$__range]) or vector(0)) / sum(increase(gateway_request_duration_seconds_count{client_class="person"}[$__range]))',
            ),
          ],
          links: [dashboardLink("Access control", "vitrine-access-control")],
        },
      ],
    },
    {
      title: "What they do",
      panels: [
        {
          kind: "timeseries",
          title: "Requests of people",
          description: "Per second, by what became of them.",
          ...sized("third"),
          unit: "reqps",
          min: 0,
          stacked: true,
          queries: [
            prometheus(
              "{{outcome}}",
              'sum by (outcome) (rate(gateway_request_duration_seconds_count{client_class="person"}[$__rate_interval]))',
            ),
          ],
          links: [{ to: "logs", title: "Requests", expr: people }],
        },
        {
          kind: "timeseries",
          title: "How long people wait",
          description: "p50 and p95 of people's requests at the door.",
          ...sized("third"),
          unit: "s",
          min: 0,
          queries: [0.5, 0.95].map((share) =>
            prometheus(
              `p${share * 100}`,
              `histogram_quantile(${share}, sum by (le) (rate(gateway_request_duration_seconds_bucket{client_class="person"}[$__rate_interval])))`,
            ),
          ),
          links: [dashboardLink("API performance", "vitrine-api-performance", { service: "gateway" })],
        },
        {
          kind: "bars",
          title: "What is asked for",
          description: "People's requests over the range, by route.",
          ...sized("third"),
          unit: "short",
          decimals: 0,
          queries: [
            prometheus(
              "{{http_route}}",
              'topk(8, sum by (http_route) (increase(gateway_request_duration_seconds_count{client_class="person"}[$__range])))',
            ),
          ],
          links: [
            dashboardLink("This route", "vitrine-api-performance", {
              service: "gateway",
              route: "${label.http_route}",
            }),
          ],
        },
        {
          kind: "timeseries",
          title: "Active customers over time",
          description: "Customers who ordered or moved money within each window.",
          ...sized("third"),
          unit: "short",
          min: 0,
          queries: [prometheus("{{window}}", "max by (window) (customers_active)")],
          links: [portfolio],
        },
        {
          kind: "timeseries",
          title: "Sign-ins",
          description: "Per second, by outcome. A failure now and then is a typing mistake.",
          ...sized("third"),
          unit: "ops",
          min: 0,
          queries: [
            prometheus(
              "{{auth_outcome}}",
              orNone(
                'sum by (auth_outcome) (rate(auth_attempts_total{auth_method="password"}[$__rate_interval]))',
                "auth_outcome",
              ),
            ),
          ],
          links: [authentication],
        },
        {
          kind: "timeseries",
          title: "As the generator sees it",
          description: "What simulated customers wanted and got, per second: the other side of the same requests.",
          ...sized("third"),
          unit: "reqps",
          min: 0,
          queries: [
            prometheus(
              "{{action}} {{outcome}}",
              "sum by (action, outcome) (rate(generator_requests_total[$__rate_interval]))",
            ),
          ],
          links: [{ to: "logs", title: "Generator", expr: '{service_name="generator"}' }],
        },
        {
          kind: "logs",
          title: "Comings and goings",
          description: "People who registered, signed in and out; a line opens its request.",
          ...sized("whole", 9),
          queries: [loki("", '{service_name="auth"} | action=~"user_.+|session_.+|authn_login_success"')],
          links: [registrations, requestOfLine],
        },
      ],
    },
  ],
};
