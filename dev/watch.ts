import { type FSWatcher, watch } from "node:fs";
import { join } from "node:path";
import { engines, type EngineName } from "./engines/engines.ts";
import { serviceNames, type ServiceName } from "./process-names.ts";

export type Target = ServiceName | EngineName;

/** Which processes read a file of this path (relative to the repository), and so start anew when it changes. */
export function targetsOf(path: string): readonly Target[] {
  const parts = path.split("/");
  const [top, second, third] = parts;
  if (parts.includes("node_modules") || isTest(path)) return [];
  if (top === "packages") return third === "src" && isCode(path) ? serviceNames : [];
  if (top === "services") {
    const service = serviceNames.find((name) => name === second);
    return service !== undefined && (third === "src" || third === "migrations") && isCode(path) ? [service] : [];
  }
  const engine = engines.find(({ folder }) => folder === top);
  // A pin or manifest asks for another binary: that is for the next start.
  return engine !== undefined && /\.ya?ml$/.test(path) && second !== engine.manifest ? [engine.name] : [];
}

function isTest(path: string): boolean {
  return /\.test\.\w+$/.test(path) || path.includes("/testing/");
}

function isCode(path: string): boolean {
  return /\.(?:ts|tsx|json|sql|html|css|svg|txt|js)$/.test(path);
}

export interface WatchOptions {
  readonly repoRoot: string;
  readonly onChange: (targets: ReadonlySet<Target>, paths: readonly string[]) => void;
  /** How long no further file may have changed; an editor's "save all" is one change. */
  readonly quietMs?: number;
}

const watched = ["services", "packages", ...engines.map((engine) => engine.folder)];

/** Watches the sources until it is closed. @throws when the system has no watches left */
export function watchSources({ repoRoot, onChange, quietMs = 200 }: WatchOptions): Disposable {
  let pending = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = (): void => {
    const paths = [...pending].sort();
    pending = new Set();
    const targets = new Set(paths.flatMap(targetsOf));
    if (targets.size > 0) onChange(targets, paths);
  };
  const watchers: FSWatcher[] = [];
  const close = (): void => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
  try {
    for (const folder of watched) {
      watchers.push(
        watch(join(repoRoot, folder), { recursive: true }, (_, file) => {
          const path = `${folder}/${String(file).replaceAll("\\", "/")}`;
          if (file === null || targetsOf(path).length === 0) return;
          pending.add(path);
          clearTimeout(timer);
          timer = setTimeout(flush, quietMs);
        }).on("error", () => undefined),
      );
    }
  } catch (error) {
    close();
    throw error;
  }
  return { [Symbol.dispose]: close };
}
