import { ingestScopes } from "@vitrine/contracts/feed";
import {
  createdIngestKey,
  type IngestKey,
  ingestKeyPage,
  type NewIngestKey,
  newIngestKey,
} from "@vitrine/contracts/ingest-keys";
import { signingKeyList } from "@vitrine/contracts/signing-keys";
import { makeIngestKey } from "@vitrine/kit/tokens/ingest-key";
import { readArguments } from "./arguments.ts";
import type { AuthApi } from "./auth-api.ts";
import { SetupError, UsageError } from "./setup-error.ts";
import { formatTable } from "./table.ts";

export const keysUsage = `Usage: bun run keys <command>

  list                                       ingest keys: what they may, when they were last used
  create NAME --scopes a,b --service NAME    make an ingest key; it is printed once
         [--prefix NAME-] [--expires 90d]    --prefix instead of --service: for every service that begins with it
  rotate NAME                                a second key like the newest of this name; revoke the old one afterwards
  revoke ID                                  end a key everywhere, within a second
  generate                                   print a key for INGEST_KEYS, and store nothing
  signing                                    keys that sign tokens
  signing rotate [--compromised]             change the signing key; --compromised ends every token at once

  Scopes: ${ingestScopes.join(", ")}. Any command: --json.
  As the administrator \`admin\` of this checkout, or by VITRINE_TOKEN at VITRINE_URL.`;

export interface KeysWorld {
  readonly api: AuthApi;
  readonly write: (text: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Runs one command. @throws {UsageError} for one that cannot be understood; {SetupError} for one that is refused */
export async function runKeys(args: readonly string[], world: KeysWorld): Promise<void> {
  const { values, positionals } = parse(args);
  const [command = "help", subject, ...rest] = positionals;
  if (values.help || command === "help") return world.write(`${keysUsage}\n`);
  if (rest.length > 0) throw new UsageError(`"${rest[0]}" is one word too many. See --help.`);
  const print = (value: unknown, text: string) => world.write(`${values.json ? JSON.stringify(value) : text}\n`);
  switch (command) {
    case "list": {
      const keys = await listKeys(world.api);
      return print(keys, describeKeys(keys));
    }
    case "create":
      return printMade(await create(world.api, toGrant(need(subject, "create", "NAME"), values, world.now())), print);
    case "rotate":
      return printMade(await create(world.api, await grantOfNewest(world, need(subject, "rotate", "NAME"))), print);
    case "revoke": {
      const id = need(subject, "revoke", "ID");
      await world.api.send("DELETE", `/ingest-keys/${encodeURIComponent(id)}`);
      return print({ id, status: "revoked" }, `${id} is revoked.`);
    }
    case "generate": {
      const { id, key } = makeIngestKey();
      return print({ id, key }, key);
    }
    case "signing":
      return await signing(world.api, subject, values.compromised, print);
    default:
      throw new UsageError(`There is no command "keys ${command}".\n\n${keysUsage}`);
  }
}

type Print = (value: unknown, text: string) => void;

async function listKeys(api: AuthApi): Promise<readonly IngestKey[]> {
  const keys: IngestKey[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await api.call("GET", `/ingest-keys?limit=100${query}`, ingestKeyPage);
    keys.push(...page.items);
    cursor = page.next;
  } while (cursor !== null);
  return keys;
}

function describeKeys(keys: readonly IngestKey[]): string {
  if (keys.length === 0) return "There are no ingest keys.";
  const rows = keys.map(({ id, name, status, scopes, service, servicePrefix, expiresAt, lastUsedAt }) => [
    name,
    id,
    status,
    service ?? `${servicePrefix ?? ""}*`,
    scopes.join(","),
    expiresAt ?? "never",
    lastUsedAt ?? "never",
  ]);
  return formatTable(["NAME", "ID", "STATUS", "SERVICE", "SCOPES", "EXPIRES", "LAST USED"], rows);
}

function create(api: AuthApi, grant: NewIngestKey) {
  return api.call("POST", "/ingest-keys", createdIngestKey, grant);
}

function printMade(made: Awaited<ReturnType<typeof create>>, print: Print): void {
  print(
    made,
    `${made.key}\n\nKey ${made.id} of "${made.name}". It is shown this once and stored nowhere: keep it now.`,
  );
}

/** What the second key of a rotation is made like; its life is as long as that of the first was to be. */
async function grantOfNewest({ api, now }: KeysWorld, name: string): Promise<NewIngestKey> {
  const newest = (await listKeys(api))
    .filter((key) => key.name === name && key.status === "active")
    .toSorted((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt))[0];
  if (newest === undefined)
    throw new SetupError(`There is no active key named "${name}": \`bun run keys list\` shows those there are.`);
  const { scopes, service, servicePrefix, createdAt, expiresAt } = newest;
  const lifeMs = expiresAt === undefined ? undefined : Date.parse(expiresAt) - Date.parse(createdAt);
  return newIngestKey.parse({
    name,
    scopes,
    service,
    servicePrefix,
    expiresAt: lifeMs === undefined ? undefined : new Date(now() + lifeMs).toISOString(),
  });
}

async function signing(api: AuthApi, subject: string | undefined, compromised: boolean, print: Print): Promise<void> {
  if (subject !== undefined && subject !== "rotate")
    throw new UsageError(`There is no command "keys signing ${subject}".`);
  const mode = compromised ? "compromised" : "planned";
  const { items } =
    subject === undefined
      ? await api.call("GET", "/signing-keys", signingKeyList)
      : await api.call("POST", "/signing-keys", signingKeyList, { mode });
  const rows = items.map(({ kid, status, signsFrom, publishedUntil }) => [
    kid,
    status,
    signsFrom,
    publishedUntil ?? "",
  ]);
  print(items, formatTable(["KEY", "STATUS", "SIGNS FROM", "PUBLISHED UNTIL"], rows));
}

function toGrant(name: string, values: ReturnType<typeof parse>["values"], nowMs: number): NewIngestKey {
  const grant = newIngestKey.safeParse({
    name,
    scopes: values.scopes?.split(/[\s,]+/).filter((scope) => scope !== "") ?? [],
    service: values.service,
    servicePrefix: values.prefix,
    expiresAt: values.expires === undefined ? undefined : toTime(values.expires, nowMs),
  });
  if (grant.success) return grant.data;
  throw new UsageError(grant.error.issues.map(({ path, message }) => `${optionOf(path)}: ${message}`).join("\n"));
}

function optionOf(path: readonly PropertyKey[]): string {
  const [field = ""] = path.map(String);
  const options: Readonly<Record<string, string>> = { name: "NAME", servicePrefix: "--prefix", expiresAt: "--expires" };
  return options[field] ?? `--${field}`;
}

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000 };

/** `90d`, `12h` or a time; what is neither is left for the schema to refuse. */
function toTime(text: string, nowMs: number): string {
  const [, count, unit = ""] = /^(\d{1,5})([hd])$/.exec(text) ?? [];
  if (count !== undefined) return new Date(nowMs + Number(count) * (unitMs[unit] ?? 0)).toISOString();
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? text : new Date(atMs).toISOString();
}

function need(value: string | undefined, command: string, what: string): string {
  if (value === undefined) throw new UsageError(`keys ${command} needs ${what}. See --help.`);
  return value;
}

function parse(args: readonly string[]) {
  return readArguments(args, {
    scopes: { type: "string" },
    service: { type: "string" },
    prefix: { type: "string" },
    expires: { type: "string" },
    compromised: { type: "boolean", default: false },
  });
}
