import {
  type BaseConfig,
  baseShape,
  type Env,
  parseEnv,
  port,
  toBaseConfig,
  type TokenConfig,
  tokenShape,
  toTokenConfig,
  url,
} from "@vitrine/kit/config";
import type { UpstreamUrls } from "./app.ts";

export interface Config extends BaseConfig {
  readonly otlpPort: number;
  readonly tokens: TokenConfig;
  readonly upstreams: UpstreamUrls;
}

const shape = {
  ...baseShape,
  ...tokenShape,
  PORT: port(8080),
  OTLP_PORT: port(4318),
  ORDERS_URL: url("http://127.0.0.1:8082"),
  INVENTORY_URL: url("http://127.0.0.1:8083"),
  COLLECTOR_URL: url("http://127.0.0.1:14318"),
  PROMETHEUS_URL: url("http://127.0.0.1:9090"),
  LOKI_URL: url("http://127.0.0.1:3100"),
  JAEGER_URL: url("http://127.0.0.1:16686"),
  ALERTMANAGER_URL: url("http://127.0.0.1:9093"),
};

/** @throws ConfigError naming every variable that is wrong */
export function parseConfig(env: Env): Config {
  const values = parseEnv(env, shape);
  const address = (value: string) => value.replace(/\/+$/, "");
  return {
    ...toBaseConfig(values),
    otlpPort: values.OTLP_PORT,
    tokens: toTokenConfig(values),
    upstreams: {
      auth: address(values.AUTH_URL),
      orders: address(values.ORDERS_URL),
      inventory: address(values.INVENTORY_URL),
      collector: address(values.COLLECTOR_URL),
      prometheus: address(values.PROMETHEUS_URL),
      loki: address(values.LOKI_URL),
      jaeger: address(values.JAEGER_URL),
      alertmanager: address(values.ALERTMANAGER_URL),
    },
  };
}
