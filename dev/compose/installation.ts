import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Addresses } from "../doctor/hop.ts";
import type { Environment } from "../engines/cache.ts";
import { repositoryRoot } from "../engines/engines.ts";
import { codeOf, SetupError } from "../setup-error.ts";

/** Where compose.yaml looks for the secrets of this checkout. */
export function secretsFolder(env: Environment): string {
  return resolve(repositoryRoot, env["VITRINE_SECRETS_DIR"] || ".vitrine/compose");
}

/** @throws {SetupError} when `bun run secrets` has not made it */
export async function readComposeSecret(env: Environment, name: string): Promise<string> {
  const path = join(secretsFolder(env), name);
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (cause) {
    throw new SetupError(`${path} cannot be read: \`bun run secrets\` makes it, as the user who runs compose.`, {
      cause,
    });
  }
}

/** The gateway's main port takes telemetry too; nothing else of compose is reached from outside. */
export function composeAddresses(env: Environment): Addresses {
  const gateway = publicUrl(env).replace(/\/+$/, "");
  return {
    gateway,
    otlp: gateway,
    collectorHealth: `${gateway}/health/ready`,
    collectorMetrics: `${gateway}/metrics`,
    prometheusReady: `${gateway}/prometheus/api/v1/status/buildinfo`,
    lokiReady: `${gateway}/loki/api/v1/status/buildinfo`,
    jaegerReady: `${gateway}/jaeger/api/v3/services`,
    alertmanagerReady: `${gateway}/alertmanager/api/v2/status`,
  };
}

/** With compose.production.yaml the gateway is known by a domain, and speaks TLS there. */
function publicUrl(env: Environment): string {
  const { VITRINE_PUBLIC_URL: url, VITRINE_DOMAIN: domain, VITRINE_HTTPS_PORT: port } = env;
  if ((url ?? "") !== "" || (domain ?? "") === "") return url || "http://localhost:8080";
  return `https://${domain}${port === undefined || port === "" ? "" : `:${port}`}`;
}

const settings = `# Made once by \`bun run secrets\` and yours from then on; .env.example says what else can be set.
# full, or lite: without Grafana and Jaeger, for which VITRINE_TRACES=none is set too. \`full,demo\` adds customers.
COMPOSE_PROFILES=full
# For links of the console; empty where there is none. Behind the gateway, below its own address.
VITRINE_GRAFANA_URL=http://localhost:8080/grafana
`;

/** Writes the settings compose starts with, unless there are some. @returns whether it did */
export async function writeSettingsOnce(file: string): Promise<boolean> {
  try {
    await writeFile(file, settings, { flag: "wx" });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}
