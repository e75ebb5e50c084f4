import { apiPerformance } from "./api-performance.ts";
import { database } from "./database.ts";
import { dependencies } from "./dependencies.ts";
import { infrastructure } from "./infrastructure.ts";
import type { Dashboard } from "./model.ts";
import { orders } from "./orders.ts";
import { request } from "./request.ts";
import { serviceHealth } from "./service-health.ts";
import { slos } from "./slo.ts";
import { telemetryClients } from "./telemetry-clients.ts";
import { telemetryPipeline } from "./telemetry-pipeline.ts";

/** Every dashboard, in the order people are shown them. */
export const dashboards: readonly Dashboard[] = [
  orders,
  serviceHealth,
  apiPerformance,
  dependencies,
  slos,
  request,
  database,
  infrastructure,
  telemetryPipeline,
  telemetryClients,
];
