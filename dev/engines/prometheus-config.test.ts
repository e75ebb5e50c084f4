import { expect, test } from "bun:test";
import { join } from "node:path";
import { repositoryRoot } from "./engines.ts";
import { defaultEnginePorts } from "./ports.ts";
import { renderPrometheusConfig } from "./prometheus-config.ts";

const folder = join(repositoryRoot, "prometheus");
const committed = await Bun.file(join(folder, "prometheus.yml")).text();

test("every target of the committed config becomes a loopback address with the given port", () => {
  const rendered = renderPrometheusConfig(committed, { ports: { ...defaultEnginePorts, loki: 13100 }, folder });
  const targets = rendered.match(/[\w.]+:\d{4,5}\b/g) ?? [];
  expect(targets).toContain("127.0.0.1:13100");
  expect(targets.filter((target) => !target.startsWith("127.0.0.1:"))).toEqual([]);
});

test("rule files are found from any folder, and all else stays as committed", () => {
  const rendered = Bun.YAML.parse(renderPrometheusConfig(committed, { ports: defaultEnginePorts, folder }));
  const source = Bun.YAML.parse(committed);
  expect(rendered).toMatchObject({ rule_files: [join(folder, "rules/*.rules.yaml")] });
  const { rule_files: _1, scrape_configs: _2, alerting: _3, ...rest } = source as Record<string, unknown>;
  expect(rendered).toMatchObject(rest);
});

test("a target without a loopback address is an error that names it", () => {
  const unknown = committed.replace("loki:3100", "tempo:3200");
  expect(() => renderPrometheusConfig(unknown, { ports: defaultEnginePorts, folder })).toThrow("tempo:3200");
});
