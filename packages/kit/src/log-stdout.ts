import { pino } from "pino";

/** Takes lines, each with its end. */
export interface Lines {
  write(line: string): void;
  /** Calls back once every line so far was written. */
  flush?(done: () => void): void;
}

/** Bytes that wait before they are written at once: a system call per line costs more than making the line. */
const minLength = 32_768;
/** Milliseconds a line waits at most; with {@link minLength} what a crash without warning can take with it. */
const flushMs = 50;
/** Bytes held while nobody reads stdout; past it new lines are dropped. */
const maxLength = 4_194_304;

/**
 * Stdout, buffered and written in the background, so that a slow reader stops no request. What waits is written when
 * the process ends by itself or after `flush`; a crash takes with it what came in the last {@link flushMs}.
 *
 * @param onDrop told how many lines were dropped, once stdout is read again
 */
export function openStdout(onDrop: (lines: number) => void, dest: number | string = 1): Lines {
  // As bytes: of text it would count those of all that waits with each line that comes.
  const asBytes = { minLength, maxLength, maxWrite: 2 * minLength, contentMode: "buffer" } as const;
  const stdout = pino.destination({ ...asBytes, dest, sync: false, periodicFlush: flushMs });
  let dropped = 0;
  stdout.on("drop", () => {
    dropped += 1;
    if (dropped > 1) return;
    stdout.once("drain", () => {
      const lines = dropped;
      dropped = 0;
      onDrop(lines);
    });
  });
  // Typed for text alone, whatever it was opened for.
  const write = stdout.write.bind(stdout) as unknown as (line: Uint8Array) => boolean;
  return { write: (line) => void write(Buffer.from(line)), flush: (done) => stdout.flush(() => done()) };
}
