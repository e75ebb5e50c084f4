import { engineMemory, engineProcessors } from "./engines.ts";
import {
  annotations,
  dashboardLink,
  healthOfService,
  logsOfService,
  orZero,
  prometheus,
  service,
  sized,
} from "./common.ts";
import { atMost, type Dashboard, type Link } from "./model.ts";

const chosen = 'service_name=~"$service"';
const pipeline: Link = dashboardLink("Telemetry pipeline", "vitrine-telemetry-pipeline");
const cost: Link = dashboardLink("Cost", "vitrine-cost");

export const infrastructure: Dashboard = {
  uid: "vitrine-infrastructure",
  title: "Infrastructure",
  description: "The machine, and what each service and engine takes of it.",
  topic: "platform",
  variables: [service],
  annotations,
  rows: [
    {
      title: "The machine",
      panels: [
        {
          kind: "stat",
          title: "Processors",
          description: "Busy share of all processors, over five minutes.",
          ...sized("sixth", 6),
          unit: "percentunit",
          trend: true,
          thresholds: atMost(0.7, 0.9),
          queries: [prometheus("busy", "host:cpu_busy:ratio_rate5m")],
          links: [cost],
        },
        {
          kind: "stat",
          title: "Memory",
          description: "Memory in use without caches.",
          ...sized("sixth", 6),
          unit: "percentunit",
          trend: true,
          thresholds: atMost(0.8, 0.9),
          queries: [prometheus("used", "host:memory_used:ratio")],
          links: [cost],
        },
        {
          kind: "bars",
          title: "Disks",
          description: "Used share of what may be used. At 100 % databases and queues stop.",
          ...sized("third", 6),
          unit: "percentunit",
          min: 0,
          max: 1,
          thresholds: atMost(0.85, 0.95),
          queries: [prometheus("{{device}}", "host:disk_used:ratio")],
          links: [pipeline],
        },
        {
          kind: "timeseries",
          title: "Load",
          description:
            "Processes that run or want to, averaged over one, five and fifteen minutes. Compare with the number of processors.",
          ...sized("third", 6),
          unit: "short",
          min: 0,
          queries: [
            prometheus("1 min", "max(system_cpu_load_average_1m)"),
            prometheus("5 min", "max(system_cpu_load_average_5m)"),
            prometheus("15 min", "max(system_cpu_load_average_15m)"),
            prometheus("processors", "count(sum by (cpu) (rate(system_cpu_time_seconds_total[$__rate_interval])))"),
          ],
          links: [cost],
        },
        {
          kind: "timeseries",
          title: "Disk",
          description: "Bytes read and written per second.",
          ...sized("half", 7),
          unit: "Bps",
          min: 0,
          queries: [
            prometheus("{{direction}}", "sum by (direction) (rate(system_disk_io_bytes_total[$__rate_interval]))"),
          ],
          links: [pipeline],
        },
        {
          kind: "timeseries",
          title: "Network",
          description: "Bytes per second over all interfaces. At a desk nearly all of it is loopback.",
          ...sized("half", 7),
          unit: "Bps",
          min: 0,
          queries: [
            prometheus("{{direction}}", "sum by (direction) (rate(system_network_io_bytes_total[$__rate_interval]))"),
          ],
          links: [pipeline],
        },
      ],
    },
    {
      title: "Services",
      panels: [
        {
          kind: "timeseries",
          title: "Memory of services",
          description:
            "Resident memory of the largest process of each. A line that only climbs is a leak; 512 MiB is called out.",
          ...sized("third"),
          unit: "bytes",
          min: 0,
          thresholds: atMost(268_435_456, 536_870_912),
          queries: [prometheus("{{service_name}}", `max by (service_name) (process_memory_usage_bytes{${chosen}})`)],
          links: [healthOfService, logsOfService],
        },
        {
          kind: "timeseries",
          title: "Processor of services",
          description: "Processors kept busy. A service answers from one thread: near 1 requests wait for each other.",
          ...sized("third"),
          unit: "short",
          min: 0,
          thresholds: atMost(0.7, 0.9),
          queries: [
            prometheus(
              "{{service_name}}",
              `sum by (service_name) (rate(process_cpu_time_seconds_total{${chosen}}[$__rate_interval]))`,
            ),
          ],
          links: [healthOfService, logsOfService],
        },
        {
          kind: "timeseries",
          title: "Processes",
          description: "Processes of each service that sent a heartbeat in the last 30 s.",
          ...sized("third"),
          unit: "none",
          min: 0,
          queries: [prometheus("{{service_name}}", `count by (service_name) (last_over_time(app_up{${chosen}}[30s]))`)],
          links: [healthOfService],
        },
      ],
    },
    {
      title: "Engines",
      panels: [
        {
          kind: "timeseries",
          title: "Memory of engines",
          description: "Resident memory as the engines tell it themselves.",
          ...sized("third"),
          unit: "bytes",
          min: 0,
          queries: [prometheus("{{job}}", engineMemory)],
          links: [pipeline],
        },
        {
          kind: "timeseries",
          title: "Processor of engines",
          description: "Processors kept busy.",
          ...sized("third"),
          unit: "short",
          min: 0,
          queries: [prometheus("{{job}}", engineProcessors)],
          links: [pipeline],
        },
        {
          kind: "timeseries",
          title: "Stored",
          description: "Bytes the database and Prometheus keep on disk.",
          ...sized("third"),
          unit: "bytes",
          min: 0,
          queries: [
            prometheus("PostgreSQL", "sum(postgresql_db_size_bytes)"),
            prometheus(
              "Prometheus",
              `sum(prometheus_tsdb_wal_storage_size_bytes) + ${orZero("sum(prometheus_tsdb_storage_blocks_bytes)")}`,
            ),
          ],
          links: [cost],
        },
      ],
    },
  ],
};
