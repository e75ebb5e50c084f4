import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { containerName, engineCommand, type EngineRunOptions } from "./command.ts";
import { engines, repositoryRoot } from "./engines.ts";
import { defaultEnginePorts } from "./ports.ts";

const options: EngineRunOptions = {
  ports: defaultEnginePorts,
  dataDir: "/data/engine",
  retention: "7d",
  repoRoot: repositoryRoot,
  secretsDir: "/secrets",
};

describe.each(engines.map((engine) => [engine.name, engine] as const))("%s", (_, engine) => {
  test("a binary is started by its path and asked on loopback", () => {
    const command = engineCommand(engine, { kind: "binary", path: "/bin/engine", from: "cache" }, options);
    expect(command.argv[0]).toBe("/bin/engine");
    expect(new URL(command.readyUrl).hostname).toBe("127.0.0.1");
    expect([...command.argv, ...Object.values(command.env)].join(" ")).not.toContain("0.0.0.0");
  });

  test("an image gets the same arguments and variables, as this user, on the host's network", () => {
    const binary = engineCommand(engine, { kind: "binary", path: "/bin/engine", from: "cache" }, options);
    const image = engineCommand(engine, { kind: "image", image: "some/image:1" }, options);
    const at = image.argv.indexOf("some/image:1");
    expect(image.argv.slice(at + 1)).toEqual(binary.argv.slice(1));
    const flags = image.argv.slice(0, at);
    for (const [name, value] of Object.entries(binary.env)) expect(flags).toContain(`--env=${name}=${value}`);
    expect(flags).toContain("--network=host");
    expect(flags).toContain(
      `--volume=${join(repositoryRoot, engine.folder)}:${join(repositoryRoot, engine.folder)}:ro`,
    );
    expect(flags.some((flag) => /^--user=\d+:\d+$/.test(flag))).toBe(true);
    expect(image.env).toEqual({});
    expect(image.readyUrl).toBe(binary.readyUrl);
  });
});

test("no two engines share a port", () => {
  const ports = engines.flatMap((engine) => engine.ports.map((name) => defaultEnginePorts[name]));
  expect(new Set(ports).size).toBe(ports.length);
});

test("a second instance on other ports gets containers of its own", () => {
  const names = engines.map((engine) => containerName(engine, defaultEnginePorts));
  expect(names).toContain("vitrine-loki-3100");
  expect(new Set(names).size).toBe(engines.length);
});
