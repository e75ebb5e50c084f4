import { type NewTarget, newTarget } from "@vitrine/contracts/targets";
import { z } from "zod";

export interface PresetTargets {
  readonly targets: readonly NewTarget[];
  readonly faults: readonly string[];
}

/**
 * Reads targets given as JSON: an array of what the API takes. Faults name the entry and the field and never say what
 * stood there.
 */
export function readPresetTargets(source: string): PresetTargets {
  let entries: unknown;
  try {
    entries = JSON.parse(source);
  } catch {
    return { targets: [], faults: ["is not JSON"] };
  }
  const list = z.array(z.unknown()).max(100).safeParse(entries);
  if (!list.success) return { targets: [], faults: ["is not a JSON array of at most 100 targets"] };
  const targets: NewTarget[] = [];
  const faults: string[] = [];
  const names = new Set<string>();
  for (const [index, entry] of list.data.entries()) {
    const parsed = newTarget.safeParse(entry);
    if (!parsed.success) {
      for (const { path, message } of parsed.error.issues) faults.push(`[${index}] ${path.join(".")}: ${message}`);
    } else if (names.has(parsed.data.name)) {
      faults.push(`[${index}] name: another target has it`);
    } else {
      names.add(parsed.data.name);
      targets.push(parsed.data);
    }
  }
  return { targets, faults };
}
