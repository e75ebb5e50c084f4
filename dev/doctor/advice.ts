import { type Layout, logFileOf } from "../layout.ts";

/** What is said to be done about a broken hop, which differs with what the system is started by. */
export interface Advice {
  readonly start: string;
  /** Where a process says what it does. */
  readonly read: (process: string) => string;
  /** Of an engine that may not be there yet. */
  readonly isThere: string;
  readonly newToken: string;
  readonly secretsLost: string;
}

/** For what `bun run dev` started. */
export function deskAdvice(layout: Layout): Advice {
  return {
    start: "start it with `bun run dev`",
    read: (process) => `read ${logFileOf(layout, process)}`,
    isThere: "is it still building (`bun run engines list`)",
    newToken: "get one of this system by `bun run token`",
    secretsLost: `when secrets under ${layout.secrets} are lost, \`bun run dev --reset\` makes new ones, and forgets all data`,
  };
}

/** For what `docker compose up` started. */
export const composeAdvice: Advice = {
  start: "start it with `docker compose up --wait`",
  read: (process) => `see \`docker compose logs ${process}\``,
  isThere: "does it run (`docker compose ps`)",
  newToken: "use one of this system's auth service",
  secretsLost: "`docker compose restart auth` reads secrets that were made anew",
};
