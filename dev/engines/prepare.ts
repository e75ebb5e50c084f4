import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { renderedPrometheusConfig, type EngineRunOptions } from "./command.ts";
import type { Engine } from "./engines.ts";
import { renderPrometheusConfig } from "./prometheus-config.ts";

/** Makes the data folder and what the engine reads from it. Run before every start: ports may have changed. */
export async function prepareEngine(engine: Engine, options: EngineRunOptions): Promise<void> {
  await mkdir(options.dataDir, { recursive: true });
  if (engine.name !== "prometheus") return;
  const folder = join(options.repoRoot, engine.folder);
  const source = await Bun.file(join(folder, "prometheus.yml")).text();
  const target = renderedPrometheusConfig(options.dataDir);
  await Bun.write(`${target}.draft`, renderPrometheusConfig(source, { ports: options.ports, folder }));
  await rename(`${target}.draft`, target);
}
