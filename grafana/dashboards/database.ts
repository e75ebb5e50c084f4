import {
  annotations,
  dashboardLink,
  errorShare,
  logsOfService,
  loki,
  orNone,
  orZero,
  prometheus,
  service,
  sized,
} from "./common.ts";
import { atLeast, atMost, type Dashboard, type Link } from "./model.ts";

const chosen = 'service_name=~"$service"';

const slowQueries: Link = {
  to: "logs",
  title: "Slow queries",
  expr: '{service_name=~"$service"} | action="db.slow_query"',
  quiet: true,
};
const costlyStatements: Link = { to: "logs", title: "Costly statements", expr: '{service_name="postgres"}' };
const health: Link = dashboardLink("Service health", "vitrine-service-health");

export const database: Dashboard = {
  uid: "vitrine-database",
  title: "Database",
  description: "PostgreSQL from both sides: what services wait for, and what the server does meanwhile.",
  topic: "platform",
  variables: [service],
  annotations,
  rows: [
    {
      title: "As services see it",
      panels: [
        {
          kind: "timeseries",
          title: "Calls",
          description: "Database calls per second of each service, over five minutes.",
          ...sized("third"),
          unit: "ops",
          min: 0,
          queries: [prometheus("{{service_name}}", `service:db_operations:rate5m{${chosen}}`)],
          links: [logsOfService],
        },
        {
          kind: "timeseries",
          title: "Duration p95",
          description: "One call in twenty took longer. Waiting for a connection is not in it: that is beside.",
          ...sized("third"),
          unit: "s",
          min: 0,
          thresholds: atMost(0.1, 0.5),
          queries: [prometheus("{{service_name}}", `service:db_operation_duration_seconds:p95_5m{${chosen}}`)],
          links: [slowQueries, logsOfService],
        },
        {
          kind: "timeseries",
          title: "Failed calls",
          description: "Share of calls that ended in an error, over five minutes.",
          ...sized("third"),
          unit: "percentunit",
          min: 0,
          thresholds: errorShare,
          queries: [prometheus("{{service_name}}", `service:db_errors:ratio_rate5m{${chosen}}`)],
          links: [logsOfService],
        },
        {
          kind: "timeseries",
          title: "Connections in use",
          description: "Share of each service's pool. At 100 % requests queue for a connection.",
          ...sized("third"),
          unit: "percentunit",
          min: 0,
          max: 1,
          thresholds: atMost(0.8, 1),
          queries: [prometheus("{{service_name}}", `service:db_pool_used:ratio{${chosen}}`)],
          links: [logsOfService],
        },
        {
          kind: "timeseries",
          title: "Requests waiting for a connection",
          description: "The fewest there were within a minute: above zero somebody always waits.",
          ...sized("third"),
          unit: "none",
          min: 0,
          thresholds: atMost(1, 5),
          queries: [prometheus("{{service_name}}", `service:db_pool_waiting:min1m{${chosen}}`)],
          links: [logsOfService],
        },
        {
          kind: "timeseries",
          title: "Slow queries",
          description: "Queries above 500 ms, per second. Their texts are in the logs, without values.",
          ...sized("third"),
          unit: "ops",
          min: 0,
          queries: [
            prometheus(
              "{{service_name}}",
              orNone(
                `sum by (service_name) (rate(db_slow_queries_total{${chosen}}[$__rate_interval]))`,
                "service_name",
              ),
            ),
          ],
          links: [slowQueries],
        },
      ],
    },
    {
      title: "The server",
      panels: [
        {
          kind: "stat",
          title: "Connections",
          description: "Of those the server allows, all services together.",
          ...sized("sixth", 6),
          unit: "percentunit",
          trend: true,
          thresholds: atMost(0.7, 0.9),
          queries: [prometheus("in use", "sum(postgresql_backends) / max(postgresql_connection_max)")],
          links: [health],
        },
        {
          kind: "stat",
          title: "Found in memory",
          description: "Share of blocks that were in the buffer cache. Below 95 % the working set outgrew it.",
          ...sized("sixth", 6),
          unit: "percentunit",
          decimals: 1,
          thresholds: atLeast(0.9, 0.95),
          queries: [
            prometheus(
              "hits",
              "sum(increase(postgresql_blks_hit_total[$__range])) / (sum(increase(postgresql_blks_hit_total[$__range])) + sum(increase(postgresql_blks_read_total[$__range])))",
            ),
          ],
          links: [health],
        },
        {
          kind: "stat",
          title: "Deadlocks",
          description: "Transactions that waited for each other and one was ended, over the range.",
          ...sized("sixth", 6),
          unit: "none",
          decimals: 0,
          thresholds: atMost(0.5, 5),
          queries: [prometheus("deadlocks", orZero("sum(increase(postgresql_deadlocks_total[$__range]))"))],
          links: [health],
        },
        {
          kind: "timeseries",
          title: "Transactions",
          description: "Per second. Rollbacks are what services gave up, or what broke off.",
          ...sized("quarter", 6),
          unit: "ops",
          min: 0,
          queries: [
            prometheus("committed", "sum(rate(postgresql_commits_total[$__rate_interval]))"),
            prometheus("rolled back", "sum(rate(postgresql_rollbacks_total[$__rate_interval]))"),
          ],
          links: [health],
        },
        {
          kind: "timeseries",
          title: "Locks held",
          description: "By mode. Exclusive ones keep others waiting; share locks are everyday.",
          ...sized("quarter", 6),
          unit: "none",
          min: 0,
          stacked: true,
          queries: [prometheus("{{mode}}", "sum by (mode) (postgresql_database_locks)")],
          links: [costlyStatements],
        },
      ],
    },
    {
      title: "Tables and statements",
      panels: [
        {
          kind: "table",
          title: "Tables",
          description:
            "Dead rows are what updates and deletes left behind: a growing share is bloat that vacuum does not keep up with. Many sequential scans of a large table miss an index.",
          ...sized("whole", 12),
          unit: "short",
          labels: [{ name: "postgresql_table_name", title: "Table" }],
          queries: [
            prometheus("Rows", 'sum by (postgresql_table_name) (postgresql_rows{state="live"})'),
            prometheus(
              "Dead",
              'sum by (postgresql_table_name) (postgresql_rows{state="dead"}) / (sum by (postgresql_table_name) (postgresql_rows) > 0)',
              { unit: "percentunit" },
            ),
            prometheus("Size", "sum by (postgresql_table_name) (postgresql_table_size_bytes)", { unit: "bytes" }),
            prometheus(
              "Changed",
              "sum by (postgresql_table_name) (rate(postgresql_operations_total[$__rate_interval]))",
              { unit: "ops" },
            ),
            prometheus(
              "Whole scans",
              "sum by (postgresql_table_name) (increase(postgresql_sequential_scans_total[$__range]))",
            ),
            prometheus(
              "Vacuums",
              "sum by (postgresql_table_name) (increase(postgresql_table_vacuum_count_total[$__range]))",
            ),
          ],
          links: [costlyStatements],
        },
        {
          kind: "logs",
          title: "Costly and waiting statements",
          description:
            "Once a minute the ten that took most of the server's time, and whatever was caught running long or waiting for a lock.",
          ...sized("whole", 10),
          queries: [loki("", '{service_name="postgres"} | action=~"db.top_query|db.query_sample"')],
          links: [slowQueries],
        },
      ],
    },
  ],
};
