import { bootId, isAlive, type ProcessIdentity, signalGroup, signalProcess } from "./process-identity.ts";
import type { RecordedProcess, RunnerState } from "./state.ts";
import type { Clock } from "./supervised.ts";

const graceMs = 5_000;
const pollMs = 20;

/**
 * Ends what a killed runner left behind. Only a process that still has the recorded start time is touched: its pid may
 * have been given to a stranger since.
 */
export async function endLeftovers(
  state: RunnerState | undefined,
  clock: Clock,
  onEnded: (process: RecordedProcess) => void,
): Promise<void> {
  // Ticks count from boot: after another boot they prove nothing.
  if (state === undefined || state.bootId !== bootId()) return;
  await Promise.all(
    state.processes.map(async (process) => {
      const { pid, startTicks } = process;
      if (pid === null || startTicks === null || !isAlive({ pid, startTicks })) return;
      await end({ pid, startTicks }, process.kind === "database" ? "SIGINT" : "SIGTERM", clock);
      onEnded(process);
    }),
  );
}

async function end(process: ProcessIdentity, signal: NodeJS.Signals, clock: Clock): Promise<void> {
  signalProcess(process.pid, signal);
  const deadline = clock.now() + graceMs;
  while (isAlive(process)) {
    if (clock.now() > deadline) signalGroup(process.pid, "SIGKILL");
    await clock.sleep(pollMs);
  }
}
