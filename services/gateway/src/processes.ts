import type { ServiceParts } from "@vitrine/kit/service";
import type { Subprocess } from "bun";
import type { Config } from "./config.ts";

/** Starts one more process of the gateway, on the same ports. */
export type StartProcess = () => Pick<Subprocess, "pid" | "exited" | "kill">;

const firstRestartMs = 200;
const maxRestartMs = 10_000;
/** A process that lived this long did not end because it cannot start. */
const steadyMs = 30_000;

/**
 * Keeps several processes on the same ports; the kernel spreads connections over them. One that ends is started again,
 * later each time while it does not last. Told to stop, each finishes what it has begun, and this one waits for them;
 * killed, it takes them along (`main.ts`).
 */
export function superviseProcesses(
  { config, logger, lifecycle }: ServiceParts<Pick<Config, "processes">>,
  start: StartProcess,
): void {
  const running = new Set<ReturnType<StartProcess>>();
  const { stopping } = lifecycle;
  stopping.addEventListener("abort", () => {
    for (const child of running) child.kill("SIGTERM");
  });
  for (let n = 0; n < config.processes; n += 1) void keep(firstRestartMs);

  async function keep(restartMs: number): Promise<void> {
    const startedAt = performance.now();
    const child = start();
    running.add(child);
    const code = await child.exited;
    running.delete(child);
    if (stopping.aborted) return;
    const waitMs = performance.now() - startedAt >= steadyMs ? firstRestartMs : restartMs;
    logger.error(
      { action: "gateway.process_ended", extra: { ended_pid: child.pid, exit_code: code, restart_ms: waitMs } },
      "a process of the gateway ended and is started again",
    );
    const timer = setTimeout(() => void keep(Math.min(waitMs * 2, maxRestartMs)), waitMs);
    stopping.addEventListener("abort", () => clearTimeout(timer), { once: true });
  }
}
