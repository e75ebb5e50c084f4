import { describe, expect, test } from "bun:test";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { until } from "@vitrine/kit/testing/eventually";
import { joinEngines } from "./engine-joining.ts";
import { type Engine, engineNamed, repositoryRoot } from "./engines/engines.ts";
import { binaryFile, readPin } from "./engines/pin.ts";
import type { EngineMode } from "./engines/provide.ts";
import { temporaryDirectory } from "./engines/testing.ts";
import { layoutOf } from "./layout.ts";
import { createOutput } from "./output.ts";
import { readPorts } from "./ports.ts";
import { Stack } from "./stack.ts";
import { fakeSpawn, ManualClock, settle } from "./testing.ts";

function engine(name: string): Engine {
  const found = engineNamed(name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

/** A machine without Go and Docker, whose cache holds the named engines. */
async function joined(folder: string, names: readonly string[], cached: readonly string[], mode: EngineMode = "auto") {
  const cache = join(folder, "cache");
  for (const name of cached) {
    const path = binaryFile(cache, engine(name), await readPin(engine(name), repositoryRoot), engine(name).binary);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, "#!/bin/sh\n");
    await chmod(path, 0o755);
  }
  const clock = new ManualClock();
  const { spawn, children } = fakeSpawn();
  const stack = new Stack({ spawn, clock, report: () => undefined });
  let text = "";
  const failed: string[] = [];
  await joinEngines(names.map(engine), {
    mode,
    layout: layoutOf({ VITRINE_DIR: folder }),
    ports: readPorts({ PORT_OFFSET: "17000" }),
    retention: "7d",
    traces: "all",
    env: { PATH: folder, VITRINE_CACHE_DIR: cache },
    stack,
    output: createOutput({ write: (part) => (text += part), color: false, requests: true }),
    signal: new AbortController().signal,
    onLine: () => undefined,
    onFailed: ({ name }) => failed.push(name),
  });
  return { stack, clock, children, failed, text: () => text };
}

describe("engines", () => {
  test("that lie in the cache are started, the collector after those it sends to", async () => {
    await using directory = await temporaryDirectory();
    const { stack, clock, children } = await joined(directory.path, ["collector", "loki"], ["collector", "loki"]);
    await until(() => children.length === 1);
    expect(children[0]?.launch.argv[0]).toEndWith("/loki");
    expect(stack.rows.map(({ name, status }) => [name, status])).toContainEqual(["collector", "waits for loki"]);
    await clock.advance(5_000);
    await until(() => children.length === 2);
    expect(children[1]?.launch.argv[0]).toEndWith("/otelcol");
  });

  test("that cannot be had are told with the mend, and do not keep the others", async () => {
    await using directory = await temporaryDirectory();
    const { stack, children, failed, text } = await joined(directory.path, ["loki", "alertmanager"], ["alertmanager"]);
    await until(() => children.length === 1);
    expect(children[0]?.launch.argv[0]).toEndWith("/alertmanager");
    expect(failed).toEqual(["loki"]);
    expect(text()).toContain("Loki is left out.");
    expect(text()).toContain("install Go");
    expect(stack.rows.find(({ name }) => name === "loki")?.state).toBe("failed");
  });

  test("are not taken from the cache when Docker is asked for", async () => {
    await using directory = await temporaryDirectory();
    const { children, failed } = await joined(directory.path, ["loki"], ["loki"], "docker");
    await settle();
    expect(failed).toEqual(["loki"]);
    expect(children).toEqual([]);
  });

  test("keep their data under .vitrine, and get no proxy of the user's", async () => {
    await using directory = await temporaryDirectory();
    const { children } = await joined(directory.path, ["loki"], ["loki"]);
    await until(() => children.length === 1);
    expect(children[0]?.launch.env).toMatchObject({ VITRINE_DATA_DIR: join(directory.path, "data", "loki") });
    expect(Object.keys(children[0]?.launch.env ?? {})).not.toContain("HTTP_PROXY");
  });
});
