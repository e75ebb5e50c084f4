import { accessControl } from "./access-control.ts";
import { alerting } from "./alerting.ts";
import { apiPerformance } from "./api-performance.ts";
import { authentication } from "./authentication.ts";
import { cost } from "./cost.ts";
import { database } from "./database.ts";
import { dependencies } from "./dependencies.ts";
import { infrastructure } from "./infrastructure.ts";
import type { Dashboard } from "./model.ts";
import { orders } from "./orders.ts";
import { portfolio } from "./portfolio.ts";
import { request } from "./request.ts";
import { security } from "./security.ts";
import { serviceHealth } from "./service-health.ts";
import { slos } from "./slo.ts";
import { telemetryClients } from "./telemetry-clients.ts";
import { telemetryPipeline } from "./telemetry-pipeline.ts";
import { trading } from "./trading.ts";
import { users } from "./users.ts";

/** Every dashboard, in the order people are shown them. */
export const dashboards: readonly Dashboard[] = [
  orders,
  trading,
  users,
  portfolio,
  serviceHealth,
  apiPerformance,
  dependencies,
  slos,
  request,
  security,
  authentication,
  accessControl,
  database,
  infrastructure,
  telemetryPipeline,
  telemetryClients,
  alerting,
  cost,
];
