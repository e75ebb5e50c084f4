import { type DestinationStream, pino } from "pino";

/** Bytes that wait before they are written at once: a system call per line costs more than making the line. */
const minLength = 8_192;
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
export function openStdout(onDrop: (lines: number) => void, dest: number | string = 1): DestinationStream {
  const stdout = pino.destination({ dest, sync: false, minLength, maxLength, periodicFlush: flushMs });
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
  return stdout;
}
