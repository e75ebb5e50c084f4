import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { renderAlertmanagerConfig } from "./alertmanager-config.ts";
import { type EngineRunOptions, renderedAlertmanagerConfig, renderedPrometheusConfig } from "./command.ts";
import type { Engine } from "./engines.ts";
import { renderPrometheusConfig } from "./prometheus-config.ts";

/** Makes the data folder and what the engine reads from it. Run before every start: ports may have changed. */
export async function prepareEngine(engine: Engine, options: EngineRunOptions): Promise<void> {
  const { dataDir, ports, secretsDir } = options;
  await mkdir(dataDir, { recursive: true });
  const folder = join(options.repoRoot, engine.folder);
  if (engine.name === "prometheus") {
    const source = await Bun.file(join(folder, "prometheus.yml")).text();
    await replace(renderedPrometheusConfig(dataDir), renderPrometheusConfig(source, { ports, folder }));
  }
  if (engine.name === "alertmanager") {
    const source = await Bun.file(join(folder, "alertmanager.yml")).text();
    await replace(renderedAlertmanagerConfig(dataDir), renderAlertmanagerConfig(source, { ports, secretsDir }));
  }
}

async function replace(target: string, text: string): Promise<void> {
  await Bun.write(`${target}.draft`, text);
  await rename(`${target}.draft`, target);
}
