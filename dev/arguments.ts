import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { messageOf, UsageError } from "./setup-error.ts";

/** Words and options of a command; `--json` and `--help` are known everywhere. @throws {UsageError} for what is not */
export function readArguments<O extends ParseArgsOptionsConfig>(args: readonly string[], options: O) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...options,
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (cause) {
    throw new UsageError(`${messageOf(cause).replace(/\. To specify a positional.*$/s, "")}. See --help.`, { cause });
  }
}
