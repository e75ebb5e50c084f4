import { createServer } from "node:net";
import { engines } from "./engines/engines.ts";
import { defaultEnginePorts } from "./engines/ports.ts";
import type { Environment } from "./engines/cache.ts";
import { holderOfPort, isListenedOn } from "./port-holder.ts";
import type { ProcessName } from "./process-names.ts";
import { codeOf, SetupError } from "./setup-error.ts";

const defaultPorts = {
  auth: 8081,
  orders: 8082,
  inventory: 8083,
  console: 8084,
  generator: 8086,
  ...defaultEnginePorts,
} as const;

export type PortName = keyof typeof defaultPorts;

export type Ports = Readonly<Record<PortName, number>>;

export const portNames = Object.keys(defaultPorts) as readonly PortName[];

/** `collectorOtlp` is set by `COLLECTOR_OTLP_PORT`. */
export function portVariable(name: PortName): string {
  return `${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}_PORT`;
}

const offsetVariable = "PORT_OFFSET";

/**
 * Reads every port from its variable. `PORT_OFFSET` moves all that have no variable of their own, so that two
 * checkouts run side by side.
 *
 * @throws {SetupError} naming every variable that is wrong
 */
export function readPorts(env: Environment): Ports {
  const faults: string[] = [];
  const offset = readInteger(env, offsetVariable, { min: 0, max: 20_000 }, faults) ?? 0;
  const read = (name: PortName): number =>
    readInteger(env, portVariable(name), { min: 1, max: 65_535 }, faults) ?? defaultPorts[name] + offset;
  const ports = Object.fromEntries(portNames.map((name) => [name, read(name)])) as Ports;
  for (const [index, name] of portNames.entries()) {
    const twin = portNames.slice(0, index).find((other) => ports[other] === ports[name]);
    if (twin !== undefined)
      faults.push(`${portVariable(twin)} and ${portVariable(name)} are both ${ports[name]}: change one`);
  }
  if (faults.length > 0) throw new SetupError(faults.join("\n"));
  return ports;
}

function readInteger(
  env: Environment,
  variable: string,
  limits: { readonly min: number; readonly max: number },
  faults: string[],
): number | undefined {
  const text = env[variable]?.trim();
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= limits.min && value <= limits.max) return value;
  faults.push(`${variable} is "${text}": give a number from ${limits.min} to ${limits.max}`);
  return undefined;
}

/** The ports a process listens on. */
export function portsOf(process: ProcessName): readonly PortName[] {
  if (process === "gateway") return ["gateway", "otlp"];
  const own = portNames.find((name) => name === process);
  return engines.find(({ name }) => name === process)?.ports ?? (own === undefined ? [] : [own]);
}

/**
 * @param patienceMs how long a port is waited for that nobody listens on: systems lend any number above 32767 or so to
 *   outgoing connections, most of which are short
 * @throws {SetupError} naming each port in use, the variable that changes it and, where it can be told, who holds it
 */
export async function checkPorts(ports: Ports, processes: readonly ProcessName[], patienceMs = 5_000): Promise<void> {
  const needed = processes.flatMap((owner) => portsOf(owner).map((name) => ({ owner, name, port: ports[name] })));
  const reasons = await Promise.all(needed.map(({ port }) => whyTaken(port, patienceMs)));
  const taken = needed.flatMap(({ owner, name, port }, index) => {
    const why = reasons[index];
    if (why === undefined) return [];
    return [`Port ${port}, which ${owner} needs, ${why}: end that, or set ${portVariable(name)} to another port.`];
  });
  if (taken.length === 0) return;
  const mend =
    taken.length > 2 ? [`${offsetVariable}=100 moves all of them at once, for a second checkout beside a first.`] : [];
  throw new SetupError([...taken, ...mend].join("\n"));
}

async function whyTaken(port: number, patienceMs: number): Promise<string | undefined> {
  const startedAt = performance.now();
  for (;;) {
    const code = await refusalOf(port);
    if (code === undefined) return undefined;
    if (code !== "EADDRINUSE") return `cannot be listened on (${code})`;
    if ((await isListenedOn(port)) !== false) break;
    if (performance.now() - startedAt > patienceMs) return "is lent to an outgoing connection of another program";
    await Bun.sleep(50);
  }
  const holder = await holderOfPort(port);
  return `is in use${holder === undefined ? "" : ` by process ${holder.pid} (${holder.command})`}`;
}

/** The code of the system error when nobody can listen there now; undefined when the port is free. */
function refusalOf(port: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const server = createServer();
  server.once("error", (error) => resolve(codeOf(error) ?? error.message));
  server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(undefined)));
  return promise;
}
