import { inTurns } from "./in-turns.ts";

/** One line of a log, whatever wrote it. */
export interface ParsedLine {
  /** Milliseconds since the epoch, where the line tells its time. */
  readonly timeMs: number | undefined;
  readonly level: string;
  readonly message: string;
  readonly service: string | undefined;
  /** What was done: the route of a request, or an action. */
  readonly action: string | undefined;
  readonly durationMs: number | undefined;
  readonly address: string | undefined;
  readonly requestId: string | undefined;
  /** Of an answer; 0 where there is none. */
  readonly status: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** Text of a log file: JSON lines as our services and most others write them, or plain lines. */
export async function parseText(text: string): Promise<readonly ParsedLine[]> {
  const lines: ParsedLine[] = [];
  await inTurns(text.split(/\r?\n/), (line) => {
    if (line.trim() !== "") lines.push(parseLine(line));
  });
  return lines;
}

export function parseLine(line: string): ParsedLine {
  if (line.startsWith("{")) {
    try {
      const parsed: unknown = JSON.parse(line);
      if (typeof parsed === "object" && parsed !== null) return fromFields(parsed as Fields, line);
    } catch {
      // Cut off, or no JSON after all: a line of text like any other.
    }
  }
  return fromText(line);
}

const names = {
  time: ["timestamp", "time", "ts", "@timestamp", "date"],
  level: ["level", "severity", "severity_text", "detected_level", "lvl"],
  message: ["message", "msg", "body", "event"],
  service: ["service", "service_name", "service.name", "logger", "name"],
  action: ["action", "route", "http.route", "operation"],
  duration: ["duration_ms", "durationMs", "elapsed_ms", "took_ms", "responseTime", "latency_ms"],
  address: ["client_address", "client.address", "remote_addr", "remoteAddress", "ip", "address"],
  requestId: ["request_id", "requestId", "reqId", "req_id"],
  status: ["status", "status_code", "statusCode", "http.response.status_code"],
} as const;

export function fromFields(fields: Fields, whole: string): ParsedLine {
  const { extra } = fields;
  const inner: Fields = typeof extra === "object" && extra !== null ? (extra as Fields) : {};
  const look = (kind: keyof typeof names): unknown => {
    for (const name of names[kind]) {
      const value = inner[name] ?? fields[`extra_${name}`] ?? fields[name];
      if (value !== undefined && value !== null) return value;
    }
    return undefined;
  };
  const route = text(inner["route"] ?? fields["extra_route"]);
  const method = text(inner["method"] ?? fields["extra_method"]);
  return {
    timeMs: toTime(look("time")),
    level: toLevel(look("level")),
    message: text(look("message")) ?? whole,
    service: text(look("service")),
    action: route === undefined ? text(look("action")) : [method, route].filter(Boolean).join(" "),
    durationMs: toNumber(look("duration")),
    address: text(look("address")),
    requestId: text(look("requestId")),
    status: toNumber(look("status")) ?? 0,
  };
}

const isoTime = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?/;
/** As Apache and nginx write it. */
const webTime = /\[(\d\d)\/(\w{3})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})\]/;
const levelWord = /\b(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|ERR|CRIT(?:ICAL)?|FATAL|PANIC|ALERT|EMERG)\b/i;
const addressForm = /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])/;
const durationForm = /(?<![\w.])(\d+(?:\.\d+)?) ?(ms|s|µs|us)\b/;
/** What follows the path begins with a blank: were it free to begin anywhere, a long line would be tried at every place. */
const requestForm = /"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) ([^\s"]+)(?: [^"]*)?" (\d{3})/;

function fromText(line: string): ParsedLine {
  const [, method, path = "", status] = requestForm.exec(line) ?? [];
  const [, amount, unit] = durationForm.exec(line) ?? [];
  return {
    timeMs: textTime(line),
    level: status === undefined ? toLevel(levelWord.exec(line)?.[1]) : levelOfStatus(Number(status)),
    message: line,
    service: undefined,
    action: method === undefined ? undefined : `${method} ${path.split("?")[0] ?? path}`,
    durationMs: amount === undefined ? undefined : Number(amount) * (unit === "s" ? 1_000 : unit === "ms" ? 1 : 0.001),
    address: addressForm.exec(line)?.[0],
    requestId: undefined,
    status: Number(status ?? 0),
  };
}

function levelOfStatus(status: number): string {
  return status >= 500 ? "error" : status >= 400 ? "warn" : "info";
}

function textTime(line: string): number | undefined {
  const iso = isoTime.exec(line)?.[0];
  if (iso !== undefined) {
    const normal = iso.replace(" ", "T").replace(",", ".");
    return toTime(/(?:Z|[+-]\d\d:?\d\d)$/.test(normal) ? normal : `${normal}Z`);
  }
  const [, day, month, year, clock, zone] = webTime.exec(line) ?? [];
  return day === undefined ? undefined : toTime(`${day} ${month} ${year} ${clock} ${zone}`);
}

function text(value: unknown): string | undefined {
  if (typeof value === "string") return value === "" || value === "null" ? undefined : value;
  return typeof value === "number" ? String(value) : undefined;
}

function toNumber(value: unknown): number | undefined {
  if (value === undefined || value === "" || value === null) return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** ISO 8601, or a number of seconds, milliseconds, microseconds or nanoseconds since the epoch. */
function toTime(value: unknown): number | undefined {
  if (typeof value === "number" || (typeof value === "string" && /^\d{9,19}(?:\.\d+)?$/.test(value))) {
    let number = Number(value);
    // JSON writes no infinity, but 1e400 is one.
    if (!Number.isFinite(number)) return undefined;
    while (number > 1e14) number /= 1_000;
    return number < 1e11 ? number * 1_000 : number;
  }
  if (typeof value !== "string") return undefined;
  const parsed = Date.parse(value);
  return Number.isNaN(parsed) ? undefined : parsed;
}

/** pino's numbers and everybody's words, in the five words of ours. */
function toLevel(value: unknown): string {
  if (typeof value === "number" || (typeof value === "string" && /^\d\d$/.test(value))) {
    const number = Number(value);
    return number >= 60 ? "fatal" : number >= 50 ? "error" : number >= 40 ? "warn" : number >= 30 ? "info" : "debug";
  }
  const word = typeof value === "string" ? value.toLowerCase() : "";
  if (/^(?:fatal|panic|crit|alert|emerg)/.test(word)) return "fatal";
  if (word.startsWith("err")) return "error";
  if (word.startsWith("warn")) return "warn";
  if (word === "debug" || word === "trace") return "debug";
  return word === "info" || word === "notice" ? "info" : "unknown";
}
