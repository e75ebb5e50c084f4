import { closeSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

export interface LogFile {
  append(line: string): void;
  close(): void;
}

const defaultMaxBytes = 10 * 1024 ** 2;

/** A file of at most `maxBytes`; when it is full it becomes `<path>.1`, and the former one of that name goes. */
export function openLogFile(path: string, maxBytes = defaultMaxBytes): LogFile {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  let file: number | undefined = openSync(path, "w", 0o600);
  let size = 0;
  return {
    append: (line) => {
      if (file === undefined) return;
      if (size > maxBytes) {
        closeSync(file);
        renameSync(path, `${path}.1`);
        file = openSync(path, "w", 0o600);
        size = 0;
      }
      size += writeSync(file, `${line}\n`);
    },
    close: () => {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

export interface LogFiles extends Disposable {
  append(name: string, line: string): void;
}

/** One file for each process, begun anew at its first line. */
export function openLogFiles(pathOf: (name: string) => string): LogFiles {
  const files = new Map<string, LogFile>();
  return {
    append: (name, line) => {
      const file = files.get(name) ?? openLogFile(pathOf(name));
      files.set(name, file);
      file.append(line);
    },
    [Symbol.dispose]: () => {
      for (const file of files.values()) file.close();
    },
  };
}
