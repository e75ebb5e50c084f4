import { engines, type EngineName } from "./engines/engines.ts";

export const serviceNames = ["auth", "gateway", "inventory", "orders", "console", "notifier", "generator"] as const;

export type ServiceName = (typeof serviceNames)[number];

export type ProcessName = ServiceName | EngineName | "postgres";

/** Everything the runner can start, as users name it. */
export const processNames: readonly ProcessName[] = [
  ...serviceNames,
  "postgres",
  ...engines.map((engine) => engine.name),
];
