import { ingestKeyGrant, speaksForOne, speaksForOneFault } from "@vitrine/contracts/ingest-keys";
import { parseIngestKey } from "@vitrine/kit/tokens/ingest-key";
import { z } from "zod";
import type { PresetIngestKey } from "./ingest-keys.ts";

const entry = z.strictObject({ ...ingestKeyGrant, key: z.string() }).refine(speaksForOne, speaksForOneFault);

const maxPerName = 2;

export interface PresetIngestKeys {
  readonly keys: readonly PresetIngestKey[];
  /** Every fault by entry and field; keys are never repeated in it. */
  readonly faults: readonly string[];
}

/** Reads the ingest keys a deployment starts with: a JSON array of `{name, key, scopes, service | servicePrefix}`. */
export function readPresetIngestKeys(text: string): PresetIngestKeys {
  const faults: string[] = [];
  const keys: PresetIngestKey[] = [];
  for (const [index, value] of parseArray(text, faults).entries()) {
    const fault = (field: string, message: string) => faults.push(`entry ${index + 1}, ${field}: ${message}`);
    const parsed = entry.safeParse(value);
    if (!parsed.success) {
      for (const issue of parsed.error.issues) fault(issue.path.join(".") || "entry", issue.message);
      continue;
    }
    const { key, ...grant } = parsed.data;
    const known = parseIngestKey(key);
    if (known === undefined) fault("key", "is not an ingest key: make one by `bun run keys generate`");
    else if (keys.some(({ id }) => id === known.id)) fault("key", "is used twice");
    else if (keys.filter((other) => other.grant.name === grant.name).length >= maxPerName)
      fault("name", `has more than ${maxPerName} keys`);
    else keys.push({ ...known, grant });
  }
  return { keys, faults };
}

function parseArray(text: string, faults: string[]): readonly unknown[] {
  try {
    const document: unknown = JSON.parse(text);
    if (Array.isArray(document)) return document;
  } catch {
    // What the parser says may repeat a key; that it is not JSON says enough.
  }
  faults.push("must be a JSON array of ingest keys");
  return [];
}
