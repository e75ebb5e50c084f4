import type { Layout } from "./layout.ts";
import type { Output } from "./output.ts";
import type { Ports } from "./ports.ts";
import { bootId, startTicksOf } from "./process-identity.ts";
import type { Stack } from "./stack.ts";
import { appendEvent, removeState, type RunnerEvent, writeState } from "./state.ts";
import { type Clock, describeExit, type ProcessReport, type ProcessSpec } from "./supervised.ts";

export interface RecorderOptions {
  readonly layout: Layout;
  readonly ports: Ports;
  readonly world: { readonly pid: number; readonly clock: Clock };
  readonly output: Output;
  readonly logFile: (name: string) => string;
}

/** Tells people what happens to processes, and keeps state and events for the doctor and for the next start. */
export interface Recorder {
  readonly report: (spec: ProcessSpec, report: ProcessReport) => void;
  event(event: Omit<RunnerEvent, "at">): void;
  /** From now on every change of this stack is recorded. */
  follow(stack: Stack): void;
  /** Everything has been stopped in order: there is no state any more. */
  close(): void;
}

export function createRecorder({ layout, ports, world, output, logFile }: RecorderOptions): Recorder {
  let followed: Stack | undefined;
  const startedAt = new Date(world.clock.now()).toISOString();
  const runner = {
    runnerPid: world.pid,
    runnerStartTicks: startTicksOf(world.pid) ?? 0,
    bootId: bootId(),
    startedAt,
    ports: { ...ports },
  };
  const save = (): void => {
    if (followed !== undefined) writeState(layout, { ...runner, processes: [...followed.records] });
  };
  const event = (entry: Omit<RunnerEvent, "at">): void => {
    appendEvent(layout, { at: new Date(world.clock.now()).toISOString(), ...entry });
  };
  const tell = ({ name }: ProcessSpec, report: ProcessReport): void => {
    switch (report.kind) {
      case "state":
        return;
      case "ready":
        event({ event: "ready", process: name });
        output.say(`${name} is ready after ${(report.tookMs / 1000).toFixed(1)} s`);
        return;
      case "slow":
        output.say(`${name} is not ready yet; it waits for ${report.waitsFor}. See ${logFile(name)}`, "warn");
        return;
      case "crashed":
        event({ event: "crashed", process: name, ...report.exit, restarts: report.crashes });
        output.showWithheld(name);
        output.say(
          `${name} ${describeExit(report.exit)}${report.againInMs === 0 ? "" : `; it starts again in ${report.againInMs / 1000} s`}`,
          "error",
        );
        return;
      case "gave_up":
        event({ event: "gave_up", process: name, detail: report.detail });
        output.showWithheld(name);
        output.say(
          `${name} is left down: ${report.detail}. Read ${logFile(name)}, mend it, and save a file of it or start anew; the others go on.`,
          "error",
        );
        return;
      case "killed":
        output.say(`${name} did not end within ${report.graceMs / 1000} s and was killed`, "warn");
        return;
      default:
        report satisfies never;
    }
  };
  return {
    report: (spec, report) => {
      save();
      tell(spec, report);
    },
    event,
    follow: (stack) => {
      followed = stack;
      save();
    },
    close: () => {
      followed = undefined;
      removeState(layout);
    },
  };
}
