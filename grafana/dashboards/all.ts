import type { Dashboard } from "./model.ts";
import { orders } from "./orders.ts";

/** Every dashboard, in the order people are shown them. */
export const dashboards: readonly Dashboard[] = [orders];
