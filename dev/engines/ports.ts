/** Where the engines listen, each on 127.0.0.1, and below them what is no engine: what they ask, or tell of alerts. */
export interface EnginePorts {
  readonly collectorOtlp: number;
  readonly collectorHealth: number;
  readonly collectorMetrics: number;
  readonly prometheus: number;
  readonly loki: number;
  readonly lokiGrpc: number;
  readonly alertmanager: number;
  readonly jaeger: number;
  readonly jaegerOtlp: number;
  readonly jaegerGrpc: number;
  readonly jaegerMetrics: number;
  readonly postgres: number;
  readonly gateway: number;
  readonly otlp: number;
  readonly notifier: number;
}

export const defaultEnginePorts: EnginePorts = Object.freeze({
  collectorOtlp: 14318,
  collectorHealth: 13133,
  collectorMetrics: 8888,
  prometheus: 9090,
  loki: 3100,
  lokiGrpc: 9096,
  alertmanager: 9093,
  jaeger: 16686,
  jaegerOtlp: 24318,
  jaegerGrpc: 16685,
  jaegerMetrics: 8889,
  postgres: 54320,
  gateway: 8080,
  otlp: 4318,
  notifier: 8085,
});
