import { join } from "node:path";
import type { Environment } from "./engines/cache.ts";
import { askReady } from "./ready.ts";
import { type Service, type ServiceContext, serviceEnvironment } from "./services.ts";
import { SetupError } from "./setup-error.ts";
import type { ProcessSpec } from "./supervised.ts";

export interface ServiceSpecOptions {
  readonly context: ServiceContext;
  readonly env: Environment;
  /** The Bun that runs this, so that services run on the same. */
  readonly bun: string;
  readonly onLine: (line: string) => void;
}

/** A service as a supervised process. `--no-orphans` ends it when the runner is killed and cannot. */
export function serviceSpec(service: Service, { context, env, bun, onLine }: ServiceSpecOptions): ProcessSpec {
  const folder = join(context.layout.repoRoot, "services", service.name);
  const main = join(folder, "src", "main.ts");
  return {
    name: service.name,
    kind: "service",
    onLine,
    launch: async () => {
      if (!(await Bun.file(main).exists())) throw new SetupError(`${main} does not exist`);
      return {
        argv: [bun, "--no-orphans", "--preload", "@vitrine/kit/telemetry/preload", main],
        cwd: folder,
        env: serviceEnvironment(service, context, env),
      };
    },
    ready: () => askReady(`http://127.0.0.1:${context.ports[service.name]}/health/ready`),
  };
}
