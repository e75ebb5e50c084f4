import { activeFault, faultName, faultNames, faultOverview } from "@vitrine/contracts/faults";
import { played, scenarioName, scenarioNames, scenarioOverview, sentReport } from "@vitrine/contracts/scenarios";
import { z } from "zod";
import { readArguments } from "./arguments.ts";
import type { AuthApi } from "./auth-api.ts";
import { UsageError } from "./setup-error.ts";
import { formatTable } from "./table.ts";

export const faultUsage = `Usage: bun run fault <command>

  list                                       faults there are, and which are on
  NAME on [--for 2m] [--service orders]      switch one on; it goes off by itself
          [--set delayMs=500]                --service and --set may be given more than once
  NAME off                                   switch it off everywhere

  Names: ${faultNames.join(", ")}.
  Any command: --json. As the administrator \`admin\` of this checkout, or by VITRINE_TOKEN at VITRINE_URL.`;

export const scenarioUsage = `Usage: bun run scenario <command>

  list                                       scenarios there are, and which is played
  NAME [--for 10m] [--rate 40]               play one; calm follows. --rate: arrivals per second, steady
  off                                        make no traffic
  report                                     what was sent, by route, status and scenario

  Names: ${scenarioNames.join(", ")}. Any command: --json.`;

export interface FaultWorld {
  readonly api: AuthApi;
  readonly write: (text: string) => void;
}

type Print = (value: unknown, text: string) => void;

/** Runs one command. @throws {UsageError} for one that cannot be understood; {SetupError} for one that is refused */
export async function runFault(args: readonly string[], world: FaultWorld): Promise<void> {
  const { values, positionals } = parse(args);
  const [subject = "help", state, ...rest] = positionals;
  if (values.help || subject === "help") return world.write(`${faultUsage}\n`);
  if (rest.length > 0) throw new UsageError(`"${rest[0] ?? ""}" is one word too many. See --help.`);
  const print: Print = (value, text) => world.write(`${values.json ? JSON.stringify(value) : text}\n`);
  if (subject === "list") return await listFaults(world.api, print);
  const name = faultName.safeParse(subject);
  if (!name.success) throw new UsageError(`There is no fault "${subject}".\n\n${faultUsage}`);
  if (state === "off") {
    await world.api.send("DELETE", `/faults/${name.data}`);
    return print({ name: name.data, active: [] }, `${name.data} is off.`);
  }
  if (state !== "on") throw new UsageError(`Say "fault ${subject} on" or "fault ${subject} off". See --help.`);
  const body = {
    ...(values.for === undefined ? {} : { forSeconds: toSeconds(values.for) }),
    ...(values.service === undefined ? {} : { services: values.service }),
    ...(values.set === undefined ? {} : { parameters: Object.fromEntries(values.set.map(toParameter)) }),
  };
  const { items } = await world.api.call("PUT", `/faults/${name.data}`, onAnswer, body);
  print(items, items.map(({ service, until }) => `${name.data} is on in ${service} until ${until}.`).join("\n"));
}

const onAnswer = z.object({ items: z.array(activeFault) });

async function listFaults(api: AuthApi, print: Print): Promise<void> {
  const overview = await api.call("GET", "/faults", faultOverview);
  const rows = overview.items.map(({ name, services, parameters, active, description }) => [
    name,
    active.length === 0 ? "off" : active.map(({ service, until }) => `${service} until ${until}`).join(", "),
    services.join(","),
    Object.entries(parameters)
      .map(([key, value]) => `${key}=${value}`)
      .join(" "),
    description,
  ]);
  const silent = overview.silent.map(({ service, reason }) => `\n${service}: ${reason}`).join("");
  print(overview, `${formatTable(["NAME", "STATE", "SERVICES", "PARAMETERS", ""], rows)}${silent}`);
}

/** Runs one command. @throws {UsageError} for one that cannot be understood; {SetupError} for one that is refused */
export async function runScenario(args: readonly string[], world: FaultWorld): Promise<void> {
  const { values, positionals } = parse(args);
  const [subject = "help", ...rest] = positionals;
  if (values.help || subject === "help") return world.write(`${scenarioUsage}\n`);
  if (rest.length > 0) throw new UsageError(`"${rest[0] ?? ""}" is one word too many. See --help.`);
  const print: Print = (value, text) => world.write(`${values.json ? JSON.stringify(value) : text}\n`);
  if (subject === "list") return await listScenarios(world.api, print);
  if (subject === "report") return await report(world.api, print);
  if (subject === "off") {
    await world.api.send("DELETE", "/scenarios/current");
    return print({ current: null }, "No traffic is made.");
  }
  const name = scenarioName.safeParse(subject);
  if (!name.success) throw new UsageError(`There is no scenario "${subject}".\n\n${scenarioUsage}`);
  const rate = values.rate === undefined ? {} : { ratePerSecond: toNumber("--rate", values.rate) };
  const forSeconds = values.for === undefined ? {} : { forSeconds: toSeconds(values.for) };
  const now = await world.api.call("PUT", "/scenarios/current", played, { name: name.data, ...rate, ...forSeconds });
  print(
    now,
    `${now.name} is played at ${now.ratePerSecond} arrivals/s${now.until === null ? "" : ` until ${now.until}`}.`,
  );
}

async function listScenarios(api: AuthApi, print: Print): Promise<void> {
  const overview = await api.call("GET", "/scenarios", scenarioOverview);
  const { current } = overview;
  const rows = overview.items.map(({ name, ratePerSecond, description }) => [
    name,
    name === current?.name ? `since ${current.since}` : "",
    String(ratePerSecond),
    description,
  ]);
  print(overview, formatTable(["NAME", "PLAYED", "ARRIVALS/S", ""], rows));
}

async function report(api: AuthApi, print: Print): Promise<void> {
  const sent = await api.call("GET", "/scenarios/report", sentReport);
  const rows = sent.counts
    .toSorted((a, b) => b.count - a.count)
    .map(({ count, method, route, status, scenario }) => [
      String(count),
      method,
      route,
      status === 0 ? "no answer" : String(status),
      scenario,
    ]);
  const head = `${sent.total} requests since ${sent.startedAt}, ${sent.skipped} arrivals sent nothing.`;
  print(sent, `${head}\n\n${formatTable(["COUNT", "METHOD", "ROUTE", "STATUS", "SCENARIO"], rows)}`);
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

function toSeconds(text: string): number {
  const [, count, unit = ""] = /^(\d{1,5})([smh])$/.exec(text) ?? [];
  if (count === undefined) throw new UsageError(`--for: "${text}" is no time such as 30s, 2m or 1h.`);
  return Number(count) * (unitSeconds[unit] ?? 0);
}

function toNumber(what: string, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new UsageError(`${what}: "${text}" is no number.`);
  return value;
}

function toParameter(text: string): [string, number] {
  const [name = "", value = ""] = text.split("=", 2);
  return [name, toNumber(`--set ${name}`, value)];
}

function parse(args: readonly string[]) {
  return readArguments(args, {
    for: { type: "string" },
    service: { type: "string", multiple: true },
    set: { type: "string", multiple: true },
    rate: { type: "string" },
  });
}
