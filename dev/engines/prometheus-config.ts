import { resolve } from "node:path";
import { z } from "zod";
import { EngineError } from "./error.ts";
import type { EnginePorts } from "./ports.ts";

const staticConfigs = z.array(z.looseObject({ targets: z.array(z.string()) }));

const configSchema = z.looseObject({
  rule_files: z.array(z.string()),
  alerting: z.looseObject({
    alertmanagers: z.array(z.looseObject({ static_configs: staticConfigs })),
  }),
  scrape_configs: z.array(z.looseObject({ job_name: z.string(), static_configs: staticConfigs })),
});

/** Where a desk finds what the committed config calls by its compose name. */
function loopbackAddresses(ports: EnginePorts): ReadonlyMap<string, string> {
  return new Map([
    ["collector:8888", `127.0.0.1:${ports.collectorMetrics}`],
    ["prometheus:9090", `127.0.0.1:${ports.prometheus}`],
    ["loki:3100", `127.0.0.1:${ports.loki}`],
    ["alertmanager:9093", `127.0.0.1:${ports.alertmanager}`],
    ["jaeger:8888", `127.0.0.1:${ports.jaegerMetrics}`],
  ]);
}

/**
 * The committed prometheus.yml for use on loopback: every target mapped, rule files by absolute path.
 *
 * @throws {EngineError} `unknown_target` for a target without a loopback address, which would silently stay down.
 */
export function renderPrometheusConfig(
  source: string,
  options: { readonly ports: EnginePorts; readonly folder: string },
): string {
  const config = configSchema.parse(Bun.YAML.parse(source));
  const addresses = loopbackAddresses(options.ports);
  config.rule_files = config.rule_files.map((file) => resolve(options.folder, file));
  for (const section of [...config.alerting.alertmanagers, ...config.scrape_configs]) {
    for (const group of section.static_configs) {
      group.targets = group.targets.map((target) => loopbackOf(target, addresses));
    }
  }
  return Bun.YAML.stringify(config, null, 2);
}

function loopbackOf(target: string, addresses: ReadonlyMap<string, string>): string {
  const address = addresses.get(target);
  if (address !== undefined) return address;
  const known = [...addresses.keys()].join(", ");
  throw new EngineError(
    "unknown_target",
    `prometheus.yml names the target ${target}, which has no loopback address; known: ${known}`,
  );
}
