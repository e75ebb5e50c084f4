import type { ProcessRow } from "./stack.ts";
import type { Ports } from "./ports.ts";

export interface LinksOptions {
  readonly rows: readonly ProcessRow[];
  readonly ports: Ports;
  readonly headline: string;
  readonly dataDir: string;
  readonly logsDir: string;
  readonly secretsDir: string;
  /** Whether the visitor whose password everyone knows may sign in. */
  readonly demo: boolean;
  readonly color: boolean;
}

interface Link {
  readonly title: string;
  readonly process: string;
  readonly address: (ports: Ports) => string;
}

const door = (ports: Ports, path: string): string => `http://localhost:${ports.gateway}${path}`;

const links: readonly Link[] = [
  { title: "Console", process: "console", address: (ports) => door(ports, "/") },
  { title: "APIs", process: "gateway", address: (ports) => door(ports, "/api/orders/docs") },
  { title: "OTLP/HTTP", process: "collector", address: (ports) => `http://localhost:${ports.otlp}` },
  { title: "Prometheus", process: "prometheus", address: (ports) => door(ports, "/prometheus/api/v1/query?query=up") },
  { title: "Loki", process: "loki", address: (ports) => door(ports, "/loki/api/v1/labels") },
  { title: "Jaeger", process: "jaeger", address: (ports) => door(ports, "/jaeger/api/v3/services") },
  { title: "Alertmanager", process: "alertmanager", address: (ports) => door(ports, "/alertmanager/api/v2/alerts") },
];

/** The table printed when services are ready, and again when every engine has joined. */
export function linksTable(options: LinksOptions): string {
  const { rows, ports } = options;
  const table = links.flatMap((link) => {
    const row = rows.find(({ name }) => name === link.process);
    return row === undefined ? [] : [[link.title, row.status, link.address(ports)] as const];
  });
  const linked = new Set(links.map((link) => link.process));
  const others = rows.filter((row) => !linked.has(row.name));
  const titleWidth = Math.max(...links.map(({ title }) => title.length));
  const statusWidth = Math.max(...table.map(([, status]) => status.length));
  const lines = [
    "",
    `  ${bold(options, options.headline)}`,
    ...(table.length === 0 ? [] : [""]),
    ...table.map(
      ([title, status, address]) =>
        `  ${title.padEnd(titleWidth)}  ${paint(options, status, status.padEnd(statusWidth))}  ${address}`,
    ),
    ...(others.length === 0
      ? []
      : ["", `  ${others.map(({ name, status }) => `${name} ${paint(options, status, status)}`).join(" · ")}`]),
    "",
    ...(rows.some(({ name }) => name === "gateway")
      ? [`  ${"token".padEnd(titleWidth)}  bun run token [--scopes a,b] [--user NAME]`]
      : []),
    ...(rows.some(({ name }) => name === "console") ? people(options) : []).map(
      (person, index) => `  ${(index === 0 ? "sign in" : "").padEnd(titleWidth)}  ${person}`,
    ),
    `  ${"data".padEnd(titleWidth)}  ${options.dataDir}`,
    `  ${"logs".padEnd(titleWidth)}  ${options.logsDir}`,
    `  ${"stop".padEnd(titleWidth)}  Ctrl-C`,
    "",
  ];
  return lines.join("\n");
}

/** Who may sign in from the start. */
function people({ demo, secretsDir }: LinksOptions): readonly string[] {
  const admin = `admin, password in ${secretsDir}/admin-password, for everything`;
  return demo ? ["vip, password 1234, to look around", admin] : [admin];
}

function bold({ color }: LinksOptions, text: string): string {
  return color ? `\u001B[1m${text}\u001B[0m` : text;
}

function paint({ color }: LinksOptions, status: string, text: string): string {
  if (!color) return text;
  if (status === "ready") return `\u001B[32m${text}\u001B[0m`;
  return status.startsWith("failed") ? `\u001B[31m${text}\u001B[0m` : `\u001B[33m${text}\u001B[0m`;
}
