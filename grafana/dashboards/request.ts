import { annotations, dashboardLink, loki, prometheus, requestOfLine, sized } from "./common.ts";
import type { Dashboard, Variable } from "./model.ts";

const requestId: Variable = {
  kind: "text",
  name: "request_id",
  title: "Request id",
  default: "",
  // Of a request that has ended at the door: all that is told of it is told.
  example: {
    expr: '{service_name="gateway"} | action="http.request" | extra_method="POST" | extra_route="/api/orders/**"',
    field: "request_id",
  },
};

const lines = '{service_name=~".+"} | request_id="$request_id"';

export const request: Dashboard = {
  uid: "vitrine-request",
  title: "Request",
  description:
    "One request by its id: what every service said, which spans it made, how its services did at that time. The console shows the same as one timeline.",
  topic: "services",
  variables: [requestId],
  annotations,
  rows: [
    {
      title: "This request",
      panels: [
        {
          kind: "logs",
          title: "Lines of every service",
          description:
            "Everything that was logged under this id, the newest first. Paste an id above, or take one from below.",
          ...sized("half", 12),
          queries: [loki("", lines)],
          links: [{ to: "page", title: "Request page", path: "/requests/$request_id" }],
        },
        {
          kind: "traces",
          title: "Traces",
          description: "The trace of this request, found by its id on the span of the gateway.",
          ...sized("half", 12),
          queries: [{ datasource: "jaeger", service: "gateway", tags: { "request.id": "$request_id" } }],
          links: [{ to: "page", title: "Request page", path: "/requests/$request_id" }],
        },
        {
          kind: "bars",
          title: "Lines by service",
          description: "Which services took part, and how much they had to say.",
          ...sized("third"),
          unit: "none",
          queries: [loki("{{service_name}}", `sum by (service_name) (count_over_time(${lines} [$__auto]))`)],
          links: [
            {
              to: "logs",
              title: "Its lines",
              expr: '{service_name="${label.service_name}"} | request_id="$request_id"',
            },
          ],
        },
        {
          kind: "bars",
          title: "Time spent, by service",
          description: "What each service measured for its part. The gateway's contains all others.",
          ...sized("third"),
          unit: "s",
          queries: [
            loki(
              "{{service_name}}",
              `max by (service_name) (max_over_time(${lines} | action="http.request" | unwrap duration_ms [$__auto])) / 1000`,
            ),
          ],
          links: [dashboardLink("API performance", "vitrine-api-performance", { service: "${label.service_name}" })],
        },
        {
          kind: "timeseries",
          title: "Services at that time",
          description: "p95 of every service over the range: was it this request, or everybody's?",
          ...sized("third"),
          unit: "s",
          min: 0,
          queries: [prometheus("{{service_name}}", "service:http_request_duration_seconds:p95_5m")],
          links: [dashboardLink("API performance", "vitrine-api-performance", { service: "${label.service_name}" })],
        },
      ],
    },
    {
      title: "Others",
      panels: [
        {
          kind: "logs",
          title: "Requests of late",
          description: "What came through the gateway last; a line opens its request.",
          ...sized("whole", 10),
          queries: [loki("", '{service_name="gateway"} | action="http.request" | request_id!=""')],
          links: [requestOfLine],
        },
      ],
    },
  ],
};
