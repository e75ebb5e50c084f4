import { type Alertmanager, createAlertmanager } from "./alertmanager.ts";
import type { Ask } from "./ask.ts";
import { createJaeger, type Jaeger } from "./jaeger.ts";
import { createLoki, type Loki } from "./loki.ts";
import { createPrometheus, type Prometheus } from "./prometheus.ts";

/** Everything the console knows is asked of these, each time it is wanted. */
export interface Engines {
  readonly prometheus: Prometheus;
  readonly loki: Loki;
  readonly jaeger: Jaeger;
  readonly alertmanager: Alertmanager;
}

export function createEngines(ask: Ask): Engines {
  return {
    prometheus: createPrometheus(ask),
    loki: createLoki(ask),
    jaeger: createJaeger(ask),
    alertmanager: createAlertmanager(ask),
  };
}
