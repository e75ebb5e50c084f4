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

const services: Link = dashboardLink("Service health", "vitrine-service-health");
const pipeline: Link = dashboardLink("Telemetry pipeline", "vitrine-telemetry-pipeline");
const health: Link = dashboardLink("Service health", "vitrine-service-health", { service: "notifier" });
const deliveries: Link = {
  to: "logs",
  title: "Notifier",
  expr: '{service_name="notifier"}',
};

export const alerting: Dashboard = {
  uid: "vitrine-alerting",
  title: "Alerts and notifications",
  description:
    "What is firing, and whether those who must know it were told: from the rule to the message that was delivered.",
  topic: "platform",
  variables: [],
  annotations,
  rows: [
    {
      title: "Now",
      panels: [
        {
          kind: "stat",
          title: "Critical",
          description: "Alerts firing that get somebody up.",
          ...sized("sixth", 6),
          unit: "none",
          thresholds: anyIsBad,
          queries: [prometheus("firing", orZero('count(ALERTS{alertstate="firing", severity="critical"})'))],
          links: [services, pageLink("All alerts", "/alerts")],
        },
        {
          kind: "stat",
          title: "Warnings",
          description: "Alerts firing that wait for business hours.",
          ...sized("sixth", 6),
          unit: "none",
          thresholds: atMost(1, 10),
          queries: [prometheus("firing", orZero('count(ALERTS{alertstate="firing", severity="warning"})'))],
          links: [services],
        },
        {
          kind: "stat",
          title: "Pending",
          description: "Alerts whose condition holds, but not for long enough yet.",
          ...sized("sixth", 6),
          unit: "none",
          queries: [prometheus("pending", orZero('count(ALERTS{alertstate="pending"})'))],
          links: [services],
        },
        {
          kind: "stat",
          title: "Not delivered",
          description: "Messages that are due, held by quiet hours, or given up. Those given up can be sent again.",
          ...sized("third", 6),
          unit: "none",
          queries: [prometheus("{{state}}", orNone("max by (state) (notifier_messages)", "state"))],
          links: [services, deliveries],
        },
        {
          kind: "stat",
          title: "Waiting longest",
          description: "How long the oldest message has been due: its target does not answer.",
          ...sized("sixth", 6),
          unit: "s",
          thresholds: atMost(60, 600),
          queries: [prometheus("oldest", orZero("max(notifier_oldest_due_age_seconds)"))],
          links: [services, deliveries],
        },
      ],
    },
    {
      title: "On the way",
      panels: [
        {
          kind: "timeseries",
          title: "Alerts firing",
          description: "By name, the watchdog included: its line must never end.",
          ...sized("half"),
          unit: "none",
          min: 0,
          stacked: true,
          queries: [prometheus("{{alertname}}", 'count by (alertname) (ALERTS{alertstate="firing"})')],
          links: [services],
        },
        {
          kind: "timeseries",
          title: "Told by Alertmanager",
          description: "Alerts that began or ended, per second, as the notifier heard of them.",
          ...sized("half"),
          unit: "ops",
          min: 0,
          queries: [
            prometheus(
              "{{tier}} {{status}}",
              orNone("sum by (tier, status) (rate(notifier_alerts_total[$__rate_interval]))", "tier"),
            ),
          ],
          links: [services, health],
        },
        {
          kind: "timeseries",
          title: "Attempts to deliver",
          description:
            "Per second, by channel and outcome. What is retried will come; what is dead will not by itself.",
          ...sized("third"),
          unit: "ops",
          min: 0,
          queries: [
            prometheus(
              "{{channel}} {{outcome}}",
              orNone("sum by (channel, outcome) (rate(notifier_attempts_total[$__rate_interval]))", "channel"),
            ),
          ],
          links: [deliveries, health, pageLink("Targets and dead letters", "/notifications")],
        },
        {
          kind: "timeseries",
          title: "Time to deliver",
          description: "From when a message was due until it was delivered, p95 of five minutes, by channel.",
          ...sized("third"),
          unit: "s",
          min: 0,
          thresholds: atMost(10, 60),
          queries: [
            prometheus(
              "{{channel}}",
              orNone(
                "histogram_quantile(0.95, sum by (channel, le) (increase(notifier_delivery_delay_seconds_bucket[5m]))) >= 0",
                "channel",
              ),
            ),
          ],
          links: [deliveries],
        },
        {
          kind: "timeseries",
          title: "Between the engines",
          description:
            "Notifications Prometheus could not hand to Alertmanager, and Alertmanager to the notifier, per second.",
          ...sized("third"),
          unit: "ops",
          min: 0,
          queries: [
            prometheus("Prometheus", orZero("sum(rate(prometheus_notifications_dropped_total[$__rate_interval]))")),
            prometheus("Alertmanager", orZero("sum(rate(alertmanager_notifications_failed_total[$__rate_interval]))")),
          ],
          links: [pipeline],
        },
        {
          kind: "logs",
          title: "What the notifier says",
          description: "Alerts taken, messages delivered, tried again and given up; a line opens its request.",
          ...sized("whole", 9),
          queries: [loki("", '{service_name="notifier"}')],
          links: [requestOfLine],
        },
      ],
    },
  ],
};
