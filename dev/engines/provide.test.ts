import { describe, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { engineNamed, repositoryRoot } from "./engines.ts";
import { EngineError } from "./error.ts";
import { binaryFile, readPin } from "./pin.ts";
import { chooseSource, provideEngine, type EngineMode, type EngineSources } from "./provide.ts";
import { caught, temporaryDirectory, writeProgram } from "./testing.ts";

const found = engineNamed("alertmanager");
if (found === undefined) throw new Error("no alertmanager");
const engine = found;
const pin = await readPin(engine, repositoryRoot);

type Source = keyof EngineSources;

function sourcesWith(having: readonly Source[], asked: Source[]): EngineSources {
  const answer = async (source: Source): Promise<string | undefined> => {
    asked.push(source);
    return having.includes(source) ? source : undefined;
  };
  const orThrow = async (source: Source): Promise<string> => {
    const value = await answer(source);
    if (value === undefined)
      throw new EngineError(source === "image" ? "docker_missing" : "go_missing", `no ${source}`);
    return value;
  };
  return {
    cached: () => answer("cached"),
    onPath: () => answer("onPath"),
    image: () => orThrow("image"),
    build: () => orThrow("build"),
  };
}

describe("the order of choice", () => {
  test.each<[EngineMode, Source[], Source, Source[]]>([
    ["auto", ["cached", "onPath", "image", "build"], "cached", ["cached"]],
    ["auto", ["onPath", "image", "build"], "onPath", ["cached", "onPath"]],
    ["auto", ["image", "build"], "image", ["cached", "onPath", "image"]],
    ["auto", ["build"], "build", ["cached", "onPath", "image", "build"]],
    ["native", ["image", "build"], "build", ["cached", "onPath", "build"]],
    ["docker", ["cached", "onPath", "image", "build"], "image", ["image"]],
  ])("%s with %p takes %s", async (mode, having, taken, expectedAsked) => {
    const asked: Source[] = [];
    const provided = await chooseSource(mode, sourcesWith(having, asked));
    expect(provided.kind === "image" ? provided.image : provided.path).toBe(taken);
    expect(asked).toEqual(expectedAsked);
  });

  test.each<[EngineMode, string]>([
    ["auto", "unavailable"],
    ["native", "go_missing"],
    ["docker", "docker_missing"],
  ])("%s with nothing to be had fails as %s", async (mode, code) => {
    expect(await caught(chooseSource(mode, sourcesWith([], [])))).toMatchObject({ code });
  });
});

describe("provideEngine", () => {
  test("on a machine with nothing the error names what is missing and the three ways to mend it", async () => {
    await using directory = await temporaryDirectory();
    const env = { PATH: directory.path, VITRINE_CACHE_DIR: join(directory.path, "cache") };
    const error = await caught(provideEngine(engine, { mode: "auto", env }));
    expect(error).toMatchObject({ name: "EngineError", code: "unavailable" });
    const message = String(error);
    for (const words of [
      "no `go` on PATH",
      "no `docker` on PATH",
      `\`alertmanager\` ${pin.release} on PATH`,
      pin.image,
      `install Go ${pin.goVersion}`,
    ]) {
      expect(message).toContain(words);
    }
  });

  test("a cached binary is taken without asking anything else", async () => {
    await using directory = await temporaryDirectory();
    const env = { PATH: directory.path, VITRINE_CACHE_DIR: directory.path };
    const path = binaryFile(directory.path, engine, pin, engine.binary);
    await mkdir(dirname(path), { recursive: true });
    await Bun.write(path, "");
    expect(await provideEngine(engine, { mode: "auto", env })).toEqual({ kind: "binary", path, from: "cache" });
  });

  test("a binary on PATH is taken only if it prints the pinned version", async () => {
    await using directory = await temporaryDirectory();
    const env = { PATH: directory.path, VITRINE_CACHE_DIR: join(directory.path, "cache") };
    const path = await writeProgram(
      directory.path,
      "alertmanager",
      `echo "alertmanager, version ${pin.release} (branch: HEAD)"`,
    );
    expect(await provideEngine(engine, { mode: "native", env })).toEqual({ kind: "binary", path, from: "path" });
    await writeProgram(directory.path, "alertmanager", 'echo "alertmanager, version 0.27.0"');
    expect(await caught(provideEngine(engine, { mode: "native", env }))).toMatchObject({ code: "go_missing" });
  });

  test.each([
    [
      "an image that is there is taken without a pull",
      'case "$1" in version|image) exit 0 ;; *) exit 1 ;; esac',
      undefined,
    ],
    ["an image that is not there is pulled", 'case "$1" in version|pull) exit 0 ;; *) exit 1 ;; esac', undefined],
    [
      "an image that cannot be pulled is named",
      '[ "$1" = version ] || { echo "manifest unknown" >&2; exit 1; }',
      "image_unavailable",
    ],
    ["a daemon that does not answer is named", 'echo "Cannot connect" >&2; exit 1', "docker_not_answering"],
  ])("%s", async (_, script, code) => {
    await using directory = await temporaryDirectory();
    await writeProgram(directory.path, "docker", script);
    const provided = provideEngine(engine, { mode: "docker", env: { PATH: directory.path } });
    if (code === undefined) expect(await provided).toEqual({ kind: "image", image: pin.image });
    else expect(await caught(provided)).toMatchObject({ code });
  });

  test("two that want the same engine at once build it once", async () => {
    await using directory = await temporaryDirectory();
    const env = { PATH: directory.path, VITRINE_CACHE_DIR: join(directory.path, "cache") };
    const log = join(directory.path, "builds");
    await writeProgram(
      directory.path,
      "go",
      `case "$1" in
  env) printf 'go1.99.0\\nlocal\\n' ;;
  list) echo true ;;
  build) echo build >> ${log}; while [ "$1" != "-o" ]; do shift; done; echo binary > "$2" ;;
esac`,
    );
    const [one, other] = await Promise.all([
      provideEngine(engine, { mode: "native", env }),
      provideEngine(engine, { mode: "native", env }),
    ]);
    expect(one).toEqual(other);
    expect(await Bun.file(log).text()).toBe("build\n");
  });
});
