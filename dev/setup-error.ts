/** Something only the user can mend; the message says what and how, and no stack is shown. */
export class SetupError extends Error {
  override readonly name = "SetupError";
}

/** A command line that cannot be understood; exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a system error such as `ENOENT`; undefined for any other. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
