import { faults as table, maxFaultSeconds } from "@vitrine/contracts/faults";
import type { Played, ScenarioName, ScenarioRequest } from "@vitrine/contracts/scenarios";
import { metrics } from "@vitrine/contracts/telemetry";
import type { Logger } from "@vitrine/kit/log";
import { observe } from "@vitrine/kit/telemetry";
import { dayFactor, hourAfter } from "./day.ts";
import type { FaultDesk } from "./fault-desk.ts";
import { type Scenario, scenarios } from "./scenarios.ts";

export interface DirectorOptions {
  /** Arrivals per second on the average of a calm day. */
  readonly ratePerSecond: number;
  readonly dayMinutes: number;
  readonly desk: Pick<FaultDesk, "switchOn" | "switchOff">;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Says what is played, and for how long. */
export interface Director {
  /** Null while nothing is played. */
  current(): Played | null;
  /** Everything that was played, the oldest first; the last hundred. */
  played(): readonly Played[];
  play(request: ScenarioRequest): Played;
  /** Ends what is played, at once; resolves when its faults are off, or it was tried. */
  stop(): Promise<void>;
  /** Arrivals per second of a scenario on the average of a day. */
  rateOf(name: ScenarioName): number;
  /** The scenario and its arrivals per second, `atMs` after the plan began. */
  at(atMs: number): { readonly scenario: Scenario; readonly ratePerSecond: number };
}

const defaultSeconds = 600;
/** A fault that may not last as long as what is played is switched on anew when half of its time has passed. */
const renewMs = (maxFaultSeconds * 1_000) / 2;
const maxPlayed = 100;
const maxRate = 1_000;

export function createDirector(options: DirectorOptions): Director {
  const { desk, logger, now } = options;
  const history: Played[] = [];
  let playing: Played | null = null;
  /** Whether the rate was asked for as it is, or follows the day. */
  let steady = false;
  let switching = Promise.resolve();
  let renewAtMs = Infinity;

  function rateOf(name: ScenarioName): number {
    return Math.min(maxRate, options.ratePerSecond * scenarios[name].rate);
  }

  observe(metrics.generatorScenario, (report) => {
    for (const name of Object.keys(scenarios) as ScenarioName[])
      report(current()?.name === name ? 1 : 0, { scenario: name });
  });

  function begin({ name, ratePerSecond, forSeconds }: ScenarioRequest, sinceMs: number): Played {
    end(sinceMs);
    const seconds = forSeconds ?? (name === "calm" ? undefined : defaultSeconds);
    const until = seconds === undefined ? null : toTime(sinceMs + seconds * 1_000);
    steady = ratePerSecond !== undefined;
    playing = { name, ratePerSecond: ratePerSecond ?? rateOf(name), since: toTime(sinceMs), until };
    history.push(playing);
    if (history.length > maxPlayed) history.shift();
    logger.info({ action: "generator.scenario", extra: { ...playing } }, `${name} is played`);
    if (seconds !== undefined) switchOn(name, sinceMs, sinceMs + seconds * 1_000);
    return playing;
  }

  /** The faults of a scenario, until its end or for as long as they may last. */
  function switchOn(name: ScenarioName, atMs: number, endMs: number): void {
    const seconds = Math.ceil((endMs - atMs) / 1_000);
    renewAtMs = seconds > maxFaultSeconds ? atMs + renewMs : Infinity;
    const forSeconds = Math.min(maxFaultSeconds, seconds);
    for (const { name: fault, services = table[fault].services } of scenarios[name].faults)
      enqueue(() => desk.switchOn(fault, { services: [...services], forSeconds }));
  }

  /** What ends leaves its true end in the history, and none of its faults. */
  function end(atMs: number): void {
    if (playing === null) return;
    const { name } = playing;
    history[history.length - 1] = { ...playing, until: toTime(atMs) };
    playing = null;
    renewAtMs = Infinity;
    for (const { name: fault } of scenarios[name].faults) enqueue(() => desk.switchOff(fault));
  }

  /**
   * One switch after the other: what goes off with one scenario and on again with the next has to be on in the end.
   * Where faults are not enabled a scenario goes on without them.
   */
  function enqueue(work: () => Promise<unknown>): void {
    switching = switching
      .then(async () => void (await work()))
      .catch((err: unknown) => logger.warn({ action: "generator.scenario", err }, "a fault could not be switched"));
  }

  /** Looked at often enough that no timer is needed. */
  function current(): Played | null {
    if (playing?.until == null) return playing;
    const [atMs, endMs] = [now(), Date.parse(playing.until)];
    if (atMs >= endMs) begin({ name: "calm" }, endMs);
    else if (atMs >= renewAtMs) switchOn(playing.name, atMs, endMs);
    return playing;
  }

  return {
    current,
    played: () => {
      current();
      return history;
    },
    play: (request) => begin(request, now()),
    stop: () => {
      end(now());
      return switching;
    },
    rateOf,
    at: (atMs) => {
      const { name, ratePerSecond } = current() ?? { name: "calm", ratePerSecond: rateOf("calm") };
      const factor = steady ? 1 : dayFactor(hourAfter(atMs, options.dayMinutes));
      return { scenario: scenarios[name], ratePerSecond: ratePerSecond * factor };
    },
  };
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
