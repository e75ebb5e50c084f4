import type { Environment } from "./engines/cache.ts";
import type { Layout } from "./layout.ts";
import { type Ports, readPorts } from "./ports.ts";
import { livingRunner, readState } from "./state.ts";

/** The ports of the runner that works in this checkout, whatever this environment says; without one, what it says. */
export function runningPorts(layout: Layout, env: Environment): Ports {
  const state = readState(layout);
  return { ...readPorts(env), ...(livingRunner(state) === undefined ? {} : state?.ports) };
}
