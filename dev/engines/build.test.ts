import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { buildBinary, type BuildPhase } from "./build.ts";
import { engineNamed, repositoryRoot } from "./engines.ts";
import { readPin } from "./pin.ts";
import { caught, temporaryDirectory, writeProgram } from "./testing.ts";

const loki = engineNamed("loki");
if (loki === undefined) throw new Error("no loki");
const engine = loki;
const pin = await readPin(engine, repositoryRoot);

/** A `go` that tells its version, lists three packages of which two are stale, and then does as it is told. */
function fakeGo(build: string, version = "go1.99.0"): string {
  return `case "$1" in
  env) printf '${version}\\nlocal\\n' ;;
  list) echo "go: downloading example.com/a v1.0.0" >&2; printf 'true\\nfalse\\ntrue\\n' ;;
  build) ${build} ;;
esac`;
}

/** Writes to what follows \`-o\`. */
const writesOutput = `while [ "$1" != "-o" ]; do shift; done; echo example.com/a >&2; echo example.com/b >&2; echo binary > "$2"`;

async function attempt(
  directory: string,
  goScript: string | undefined,
  onPhase?: (phase: BuildPhase, done: number, total: number) => void,
) {
  if (goScript !== undefined) await writeProgram(directory, "go", goScript);
  const outFile = join(directory, "entry", "loki");
  await buildBinary({
    engine,
    binary: engine.binary,
    pin,
    outFile,
    repoRoot: repositoryRoot,
    env: { PATH: directory },
    report: (phase, done = 0, total = 0) => onPhase?.(phase, done, total),
  });
  return outFile;
}

test("a build reports its phases and leaves only the finished binary", async () => {
  await using directory = await temporaryDirectory();
  const phases: string[] = [];
  const outFile = await attempt(directory.path, fakeGo(writesOutput), (phase, done, total) =>
    phases.push(`${phase} ${done}/${total}`),
  );
  expect(phases).toEqual([
    "downloading 0/0",
    "downloading 1/0",
    "compiling 0/2",
    "compiling 1/2",
    "linking 2/2",
    "done 0/0",
  ]);
  expect(await Bun.file(outFile).text()).toBe("binary\n");
  expect(await readdir(join(directory.path, "entry"))).toEqual(["loki"]);
});

test.each([
  ["no Go", undefined, "go_missing", [pin.goVersion, "Install"]],
  ["an older Go", fakeGo(":", "go1.20.1"), "go_too_old", ["1.20.1", pin.goVersion, "GOTOOLCHAIN=auto"]],
  [
    "no network",
    fakeGo('echo "go: example.com/a@v1: Get \\"https://proxy\\": dial tcp: lookup proxy: no such host" >&2; exit 1'),
    "download_failed",
    ["GOPROXY", "no such host"],
  ],
  [
    "a broken package",
    fakeGo('echo example.com/a >&2; echo "a.go:1: undefined: x" >&2; exit 1'),
    "build_failed",
    ["loki", "undefined: x"],
  ],
  [
    "a full disk",
    fakeGo('echo "write /tmp/x: no space left on device" >&2; exit 1'),
    "disk_nearly_full",
    ["Free some"],
  ],
] as const)("with %s the error is clear and nothing is left behind", async (_, goScript, code, words) => {
  await using directory = await temporaryDirectory();
  const error = await caught(attempt(directory.path, goScript));
  expect(error).toMatchObject({ name: "EngineError", code });
  for (const word of words) expect(String(error)).toContain(word);
  expect(await readdir(join(directory.path, "entry"))).toEqual([]);
});

test("before a build that would fill the disk the error names the disk and how to choose another", async () => {
  await using directory = await temporaryDirectory();
  await writeProgram(directory.path, "go", fakeGo("exit 1"));
  const error = await caught(
    buildBinary({
      engine,
      binary: engine.binary,
      pin,
      outFile: join(directory.path, "entry", "loki"),
      repoRoot: repositoryRoot,
      env: { PATH: directory.path },
      report: () => undefined,
      freeBytes: async () => 1024 ** 3,
    }),
  );
  expect(error).toMatchObject({ name: "EngineError", code: "disk_nearly_full" });
  for (const words of ["1.0 GB free", "VITRINE_CACHE_DIR"]) expect(String(error)).toContain(words);
});
