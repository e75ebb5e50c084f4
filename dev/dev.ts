import { rmSync } from "node:fs";
import { chmod, mkdir } from "node:fs/promises";
import { engines } from "./engines/engines.ts";
import { containerName, parseTraceSampling, type TraceSampling } from "./engines/command.ts";
import { defaultRetention, parseRetentionHours } from "./engines/retention.ts";
import { databaseSpec } from "./database.ts";
import { joinEngines, removeContainer } from "./engine-joining.ts";
import { launchersOf, watchLaunchers } from "./launchers.ts";
import type { Environment } from "./engines/cache.ts";
import { type Layout, layoutOf, logFileOf } from "./layout.ts";
import { endLeftovers } from "./leftovers.ts";
import { linksTable } from "./links.ts";
import { openLogFiles } from "./log-file.ts";
import type { DevOptions } from "./options.ts";
import { createOutput, type Output } from "./output.ts";
import { checkPorts, type Ports, readPorts } from "./ports.ts";
import { spawnGroup } from "./process-group.ts";
import { startTicksOf } from "./process-identity.ts";
import { type ProcessName, processNames } from "./process-names.ts";
import { showProgress } from "./progress.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import { createReloader } from "./reload.ts";
import { acquireRunnerLock } from "./runner-lock.ts";
import { ensureSecrets, writeDerived } from "./secrets.ts";
import { serviceSpec } from "./service-spec.ts";
import { services } from "./services.ts";
import { codeOf, SetupError } from "./setup-error.ts";
import { Stack } from "./stack.ts";
import { type ProcessKind, readState } from "./state.ts";
import type { Clock } from "./supervised.ts";
import { watchSources } from "./watch.ts";

/** What the runner takes from the process it is. */
export interface World {
  readonly env: Environment;
  readonly pid: number;
  readonly uid: number;
  readonly bun: string;
  readonly write: (text: string) => void;
  readonly color: boolean;
  readonly clock: Clock;
  /** Aborted when the runner is to stop; the reason is text for people. */
  readonly stop: AbortController;
  /** Aborted when it is to stop without grace. */
  readonly kill: AbortSignal;
}

interface Run {
  readonly world: World;
  readonly options: DevOptions;
  readonly layout: Layout;
  readonly ports: Ports;
  readonly retention: string;
  readonly traces: TraceSampling;
  readonly chosen: ReadonlySet<ProcessName>;
  readonly output: Output;
  readonly stack: Stack;
  readonly recorder: Recorder;
  readonly onLine: (name: string, kind: ProcessKind, line: string) => void;
  readonly startedAtMs: number;
}

/** Runs the system until it is told to stop. @throws {SetupError} when it cannot be started at all */
export async function runDev(options: DevOptions, world: World): Promise<void> {
  const startedAtMs = world.clock.now();
  const ports = readPorts(world.env);
  const retention = world.env["VITRINE_RETENTION"] || defaultRetention;
  parseRetentionHours(retention);
  const traces = parseTraceSampling(world.env["VITRINE_TRACES"]);
  const layout = layoutOf(world.env);
  const chosen = chooseProcesses(options);
  const traffic = options.traffic && chosen.has("generator");
  const output = createOutput({ write: world.write, color: world.color, requests: !traffic });
  await makeFolder(layout);
  using owned = new DisposableStack();
  owned.use(acquireRunnerLock(layout, { pid: world.pid, startTicks: startTicksOf(world.pid) ?? 0 }));
  await clearUp(layout, world, output);
  if (options.reset) forget(layout, output);
  await ensureSecrets(layout);
  await writeDerived(layout, ports);
  await checkPorts(ports, [...chosen]);

  const recorder = createRecorder({ layout, ports, world, output, logFile: (name) => logFileOf(layout, name) });
  const stack = new Stack({ spawn: spawnGroup, clock: world.clock, report: recorder.report });
  recorder.follow(stack);
  const logs = owned.use(openLogFiles((name) => logFileOf(layout, name)));
  const onLine = (name: string, kind: ProcessKind, line: string): void => {
    logs.append(name, line);
    output.line(name, kind, line, stack.isReady(name));
  };
  const run = {
    world,
    options,
    layout,
    ports,
    retention,
    traces,
    chosen,
    output,
    stack,
    recorder,
    onLine,
    startedAtMs,
  };
  await keepRunning(run);
}

async function keepRunning(run: Run): Promise<void> {
  const { world, stack, output, recorder } = run;
  using owned = new DisposableStack();
  const onGone = (): void => world.stop.abort("the command that started it is gone");
  owned.use(watchLaunchers(launchersOf(world.pid), onGone));
  owned.use(watchChanges(run));
  const stopped = untilAborted(world.stop.signal);
  world.kill.addEventListener("abort", () => stack.kill(), { once: true });
  try {
    startDatabaseAndServices(run);
    const engines = joinChosenEngines(run);
    const show = (headline: string): void => showLinks(run, headline);
    const { clock } = world;
    await Promise.race([
      showProgress({ stack, clock, startedAtMs: run.startedAtMs, engines, stop: world.stop.signal, show }),
      stopped,
    ]);
    await stopped;
    output.say(`stopping: ${String(world.stop.signal.reason)}`);
  } finally {
    await stack.stop();
    recorder.close();
  }
  output.say("stopped; data is kept");
}

function startDatabaseAndServices({ chosen, layout, ports, world, options, stack, onLine }: Run): void {
  if (chosen.has("postgres"))
    stack.add(
      databaseSpec({
        layout,
        port: ports.postgres,
        runnerUid: world.uid,
        onLine: (line) => onLine("postgres", "database", line),
      }),
    );
  const context = { layout, ports, traffic: options.traffic, demo: options.demo };
  for (const service of services.filter(({ name }) => chosen.has(name))) {
    const spec = serviceSpec(service, {
      context,
      env: world.env,
      bun: world.bun,
      onLine: (line) => onLine(service.name, "service", line),
    });
    stack.add(spec, { after: service.after });
  }
}

async function joinChosenEngines(run: Run): Promise<void> {
  const { chosen, options, layout, ports, retention, traces, world, stack, output, recorder, onLine } = run;
  const wanted = engines.filter(({ name }) => chosen.has(name));
  await joinEngines(wanted, {
    mode: options.engines,
    layout,
    ports,
    retention,
    traces,
    env: world.env,
    stack,
    output,
    signal: world.stop.signal,
    onLine: (name, line) => onLine(name, "engine", line),
    onFailed: (engine, detail) => recorder.event({ event: "not_provided", process: engine.name, detail }),
  });
  await stack.settled(wanted.map(({ name }) => name));
}

function showLinks({ output, stack, ports, layout, options, world }: Run, headline: string): void {
  output.block(
    linksTable({
      rows: stack.rows,
      ports,
      headline,
      dataDir: layout.data,
      logsDir: layout.logs,
      secretsDir: layout.secrets,
      demo: options.demo,
      color: world.color,
    }),
  );
}

function watchChanges({ layout, stack, output, recorder, world }: Run): Disposable {
  const reload = createReloader({ stack, output, event: (event) => recorder.event(event) });
  try {
    return watchSources({
      repoRoot: layout.repoRoot,
      onChange: (targets, paths) => {
        if (!world.stop.signal.aborted) reload(targets, paths);
      },
    });
  } catch (error) {
    output.say(`Changes will not be noticed: the sources cannot be watched (${codeOf(error) ?? "unknown"}).`, "warn");
    return { [Symbol.dispose]: () => undefined };
  }
}

/** With a service that keeps data comes the database; nothing else is added to what was asked for. */
export function chooseProcesses({ only }: DevOptions): ReadonlySet<ProcessName> {
  if (only === undefined) return new Set(processNames);
  const needsDatabase = services.some((service) => service.hasDatabase && only.includes(service.name));
  return new Set(needsDatabase ? ["postgres", ...only] : only);
}

async function makeFolder({ root }: Layout): Promise<void> {
  try {
    await mkdir(root, { recursive: true });
    await chmod(root, 0o755);
  } catch (cause) {
    throw new SetupError(
      `${root} cannot be used (${codeOf(cause) ?? "unknown"}): it may belong to another user. Start as that user, or remove it.`,
      { cause },
    );
  }
}

async function clearUp(layout: Layout, { clock, env }: World, output: Output): Promise<void> {
  const ended: string[] = [];
  const state = readState(layout);
  await endLeftovers(state, clock, ({ name }) => ended.push(name));
  if (state !== undefined && Bun.which("docker", { PATH: env["PATH"] ?? "" }) !== null) {
    const clients = engines.filter(({ name }) => ended.includes(name));
    await Promise.all(clients.map((engine) => removeContainer(containerName(engine, state.ports), env)));
  }
  if (ended.length > 0) output.say(`ended what a killed runner left behind: ${ended.join(", ")}`, "warn");
}

function forget({ data, secrets }: Layout, output: Output): void {
  try {
    for (const folder of [data, secrets]) rmSync(folder, { recursive: true, force: true });
  } catch (cause) {
    throw new SetupError(`${data} cannot be removed (${codeOf(cause) ?? "unknown"}): do it as the user who made it.`, {
      cause,
    });
  }
  output.say(`forgot ${data} and ${secrets}`);
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
