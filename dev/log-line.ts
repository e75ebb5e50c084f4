/** A line a process wrote, as far as it could be understood. */
export interface LogLine {
  /** `HH:MM:SS.mmm` of this machine's zone. */
  readonly time?: string;
  readonly level?: LogLevel;
  readonly action?: string;
  readonly message: string;
  readonly requestId?: string;
  /** Part of a request and nothing amiss: whoever wants it asks for that request's id. */
  readonly routine: boolean;
}

const levels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

export type LogLevel = (typeof levels)[number];

/** Understands the JSON lines of services and collector, logfmt of the other engines, and PostgreSQL's own. */
export function parseLogLine(text: string): LogLine {
  const json = text.startsWith("{") ? parseObject(text) : undefined;
  if (json !== undefined) return fromJson(json, text);
  const level = toLevel(
    /(?:^|\s)level=(\w+)/.exec(text)?.[1] ?? /^\S+\t(\w+)\t/.exec(text)?.[1] ?? postgresLevel.exec(text)?.[1],
  );
  return { ...(level === undefined ? {} : { level }), message: text, routine: false };
}

const postgresLevel = /\] (DEBUG\d|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|STATEMENT|DETAIL|HINT|CONTEXT): {2}/;

function fromJson(line: Readonly<Record<string, unknown>>, text: string): LogLine {
  const message = textOf(line["message"]) ?? textOf(line["msg"]) ?? text;
  const at = textOf(line["timestamp"]);
  const level = toLevel(textOf(line["level"]));
  const action = textOf(line["action"]);
  const requestId = textOf(line["request_id"]);
  const duration = line["duration_ms"];
  const error = parseError(line["err"]);
  return {
    ...(at === undefined ? {} : { time: clockTime(at) }),
    ...(level === undefined ? {} : { level }),
    ...(action === undefined ? {} : { action }),
    message: `${message}${typeof duration === "number" ? ` ${duration} ms` : ""}${error === undefined ? "" : `: ${error}`}`,
    ...(requestId === undefined ? {} : { requestId }),
    routine: requestId !== undefined && (level === "info" || level === "debug" || level === "trace"),
  };
}

/** The error and its causes without their frames, which are in the log file: one line per event. */
function parseError(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return undefined;
  const stack = "stack" in value ? textOf(value.stack) : undefined;
  const told = stack?.split("\n").filter((line) => line.trim() !== "" && !/^\s+at /.test(line));
  if (told !== undefined && told.length > 0) return told.map((line) => line.trim()).join(", ");
  return "message" in value ? textOf(value.message) : undefined;
}

/** Words of other systems for the same; undefined for what says nothing about how serious it is. */
function toLevel(word: string | undefined): LogLevel | undefined {
  const lower = word?.toLowerCase();
  switch (lower) {
    case undefined:
      return undefined;
    case "warning":
      return "warn";
    case "panic":
    case "dpanic":
      return "fatal";
    case "log":
    case "notice":
    case "detail":
    case "hint":
    case "context":
    case "statement":
      return "info";
    default:
      return levels.find((level) => level === lower) ?? (lower.startsWith("debug") ? "debug" : undefined);
  }
}

function clockTime(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
