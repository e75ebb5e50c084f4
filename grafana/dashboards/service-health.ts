import {
  annotations,
  dashboardLink,
  errorShare,
  healthOfService,
  logsOfService,
  loki,
  orNone,
  performanceOfService,
  prometheus,
  requestOfLine,
  service,
  sized,
  waiting,
} from "./common.ts";
import { atMost, type Dashboard } from "./model.ts";

const chosen = 'service_name=~"$service"';

export const serviceHealth: Dashboard = {
  uid: "vitrine-service-health",
  title: "Service health",
  description: "Is every service there, ready and answering: heartbeat, errors, durations, and what it says of itself.",
  topic: "services",
  variables: [service],
  annotations,
  rows: [
    {
      title: "There and ready",
      panels: [
        {
          kind: "stat",
          title: "Services",
          description:
            "Every process sends a heartbeat every few seconds: ready, or alive but not ready. Of the last 30 s.",
          ...sized("half", 5),
          unit: "none",
          words: { 0: { text: "not ready", state: "critical" }, 1: { text: "ready", state: "good" } },
          queries: [prometheus("{{service_name}}", `min by (service_name) (last_over_time(app_up{${chosen}}[30s]))`)],
          links: [healthOfService, logsOfService],
        },
        {
          kind: "stat",
          title: "Engines",
          description: "Whether the last scrape of an engine succeeded.",
          ...sized("third", 5),
          unit: "none",
          words: { 0: { text: "down", state: "critical" }, 1: { text: "up", state: "good" } },
          queries: [prometheus("{{job}}", "min by (job) (up)")],
          links: [{ to: "dashboard", title: "Telemetry pipeline", uid: "vitrine-telemetry-pipeline" }],
        },
        {
          kind: "stat",
          title: "Processes ended",
          description:
            "Processes that sent a heartbeat in the range and do not any more: restarts, roll-outs, crashes.",
          ...sized("sixth", 5),
          unit: "none",
          thresholds: atMost(1, 4),
          queries: [
            prometheus(
              "ended",
              `count(last_over_time(app_up{${chosen}}[$__range])) - count(last_over_time(app_up{${chosen}}[30s]))`,
            ),
          ],
          links: [
            {
              to: "logs",
              title: "Starts and stops",
              expr: '{service_name=~"$service"} | action=~"service[.].+"',
              quiet: true,
            },
          ],
        },
      ],
    },
    {
      title: "Rate, errors, duration",
      panels: [
        {
          kind: "timeseries",
          title: "Requests",
          description: "Requests answered per second, over five minutes.",
          ...sized("third"),
          unit: "reqps",
          min: 0,
          queries: [prometheus("{{service_name}}", `service:http_requests:rate5m{${chosen}}`)],
          links: [performanceOfService, logsOfService],
        },
        {
          kind: "timeseries",
          title: "Failed requests",
          description: "Share of answers that were 5xx, over five minutes. Above 5 % somebody is called.",
          ...sized("third"),
          unit: "percentunit",
          min: 0,
          thresholds: errorShare,
          queries: [prometheus("{{service_name}}", `service:http_errors:ratio_rate5m{${chosen}}`)],
          links: [
            performanceOfService,
            {
              to: "logs",
              title: "Errors in the logs",
              expr: '{service_name="${label.service_name}"} | detected_level=~"error|fatal"',
              quiet: true,
            },
          ],
        },
        {
          kind: "timeseries",
          title: "Duration p95",
          description: "One request in twenty took longer, over five minutes. The objective is 200 ms.",
          ...sized("third"),
          unit: "s",
          min: 0,
          thresholds: waiting,
          queries: [prometheus("{{service_name}}", `service:http_request_duration_seconds:p95_5m{${chosen}}`)],
          links: [performanceOfService, logsOfService],
        },
      ],
    },
    {
      title: "Inside",
      panels: [
        {
          kind: "timeseries",
          title: "Requests in flight",
          description:
            "Requests a service is working on. A line that only climbs is a service that waits for something.",
          ...sized("third"),
          unit: "none",
          min: 0,
          queries: [prometheus("{{service_name}}", `sum by (service_name) (http_server_active_requests{${chosen}})`)],
          links: [performanceOfService],
        },
        {
          kind: "timeseries",
          title: "Log lines by level",
          description:
            "Lines per second of the services chosen. Warnings are refusals that were expected, errors were not.",
          ...sized("third"),
          unit: "cps",
          min: 0,
          queries: [
            loki("{{detected_level}}", `sum by (detected_level) (rate({${chosen}} | detected_level!="" [$__auto]))`),
          ],
          links: [
            {
              to: "logs",
              title: "Lines",
              expr: '{service_name=~"$service"} | detected_level="${label.detected_level}"',
            },
          ],
        },
        {
          kind: "bars",
          title: "Alerts firing",
          description: "By service. The watchdog, which always fires, is left out.",
          ...sized("third"),
          unit: "none",
          thresholds: atMost(1, 5),
          queries: [
            prometheus(
              "{{alertname}} {{service_name}}",
              orNone(
                'count by (alertname, service_name) (ALERTS{alertstate="firing", alertname!="Watchdog"})',
                "alertname",
              ),
            ),
          ],
          links: [dashboardLink("Alerts", "vitrine-alerting")],
        },
        {
          kind: "logs",
          title: "What services say",
          description: "All but the lines of answered requests, the newest first; a line opens its request.",
          ...sized("whole", 10),
          queries: [loki("", `{${chosen}} | action!="http.request"`)],
          links: [
            {
              to: "logs",
              title: "Warnings and errors",
              expr: '{service_name=~"$service"} | detected_level=~"warn|error|fatal"',
              quiet: true,
            },
            requestOfLine,
          ],
        },
      ],
    },
  ],
};
