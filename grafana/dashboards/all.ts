import { apiPerformance } from "./api-performance.ts";
import { dependencies } from "./dependencies.ts";
import type { Dashboard } from "./model.ts";
import { orders } from "./orders.ts";
import { serviceHealth } from "./service-health.ts";

/** Every dashboard, in the order people are shown them. */
export const dashboards: readonly Dashboard[] = [orders, serviceHealth, apiPerformance, dependencies];
