import { commandLineOf, isAlive, parentOf, type ProcessIdentity, startTicksOf } from "./process-identity.ts";

const program = String.raw`^(?:\S*/)?`;
/** npm and npx name themselves so; `bun run dev`, also by way of the script that npm's package of Bun starts. */
const launcher = new RegExp(`${program}(?:(?:npm|npx|bunx)\\b|(?:bun|node)\\S*\\s(?:.*\\s)?(?:run\\s+)?dev(?:\\s|$))`);
const shell = new RegExp(`${program}(?:sh|ash|dash|bash|zsh)\\s+-\\w*c\\s`);

export interface ProcessTable {
  readonly parentOf: (pid: number) => number | undefined;
  readonly commandLineOf: (pid: number) => string | undefined;
  readonly startTicksOf: (pid: number) => number | undefined;
}

/**
 * The commands that stand between the user and the runner: `npx`, `bun run dev`, and shells between them. Not every
 * one of them passes a signal on, so when one is gone the user has ended it. A shell above the last of them is not
 * counted: it may have been left on purpose, as after `sh -c 'bun run dev &'`.
 */
export function launchersOf(
  pid: number,
  table: ProcessTable = { parentOf, commandLineOf, startTicksOf },
): readonly ProcessIdentity[] {
  const chain: ProcessIdentity[] = [];
  let counted = 0;
  for (let above = table.parentOf(pid); above !== undefined && above > 1; above = table.parentOf(above)) {
    const command = table.commandLineOf(above) ?? "";
    const startTicks = table.startTicksOf(above);
    const isLauncher = launcher.test(command);
    if (startTicks === undefined || (!isLauncher && !shell.test(command))) break;
    chain.push({ pid: above, startTicks });
    if (isLauncher) counted = chain.length;
  }
  return chain.slice(0, counted);
}

/** Calls back once when one of them is gone. */
export function watchLaunchers(launchers: readonly ProcessIdentity[], onGone: () => void, everyMs = 500): Disposable {
  const timer = setInterval(() => {
    if (launchers.every(isAlive)) return;
    clearInterval(timer);
    onGone();
  }, everyMs);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
