import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@vitrine/kit/testing/postgres";
import type { Subprocess } from "bun";
import { z } from "zod";
import { containerName } from "../../dev/engines/command.ts";
import { type EngineName, engineNamed } from "../../dev/engines/engines.ts";
import { portNames, portVariable } from "../../dev/ports.ts";

const root = join(import.meta.dir, "../..");

const doctorReport = z.object({
  ok: z.boolean(),
  broken: z.object({ hop: z.string(), detail: z.string(), mend: z.string() }).nullable(),
  processes: z.array(
    z.object({
      name: z.string(),
      pid: z.int().nullable(),
      memoryBytes: z.int(),
      restarts: z.int(),
      lastExit: z.string().nullable(),
    }),
  ),
  totalMemoryBytes: z.int(),
});

export type DoctorReport = z.infer<typeof doctorReport>;

export interface Stack {
  readonly gateway: string;
  readonly otlp: string;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly runner: Subprocess;
  /** Runs a command of the repository's `bun run` against this stack. */
  command(
    ...args: readonly string[]
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  token(scopes?: string): Promise<string>;
  doctor(...args: readonly string[]): Promise<DoctorReport>;
  /** The engine itself where it is in a container, of which the runner's own child is a client only. */
  containerPid(engine: EngineName): Promise<number | undefined>;
  /** Starts the runner again on the same data and ports, after the one before is gone. */
  restart(): Promise<Stack>;
  /** Ends the runner as a terminal would, waits for it and removes its data. */
  stop(): Promise<void>;
}

/** `STACK=docker` has the same tests run on engines from images. */
const engines = process.env["STACK"] === "docker" ? ["--engines=docker"] : [];

/** Starts the whole system, engines and traffic included, on free ports and data of its own. */
export async function startStack(): Promise<Stack> {
  const directory = await mkdtemp(join(tmpdir(), "vitrine-stack-"));
  // Every port is given a free one, so that a stack under test lives beside one in use.
  const ports = Object.fromEntries(
    await Promise.all(portNames.map(async (name) => [portVariable(name), String(await freePort())] as const)),
  );
  const environment = { ...inherited(), ...ports, VITRINE_DIR: directory, NO_COLOR: "1" };
  return launch(directory, environment);
}

function launch(directory: string, environment: Readonly<Record<string, string>>): Stack {
  const runner = Bun.spawn([process.execPath, "dev/cli.ts", "dev", ...engines], {
    cwd: root,
    env: environment,
    stdout: Bun.file(join(directory, "runner.log")),
    stderr: "inherit",
  });
  const command: Stack["command"] = async (...args) => {
    const child = Bun.spawn([process.execPath, ...args], {
      cwd: root,
      env: environment,
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { code, stdout, stderr };
  };
  return {
    gateway: `http://127.0.0.1:${environment["GATEWAY_PORT"]}`,
    otlp: `http://127.0.0.1:${environment["OTLP_PORT"]}`,
    directory,
    environment,
    runner,
    command,
    token: async (scopes) => {
      const { code, stdout, stderr } = await command(
        "dev/cli.ts",
        "token",
        ...(scopes === undefined ? [] : ["--scopes", scopes]),
      );
      if (code !== 0) throw new Error(stderr);
      return stdout.trim();
    },
    doctor: async (...args) =>
      doctorReport.parse(JSON.parse((await command("dev/doctor/cli.ts", "--json", ...args)).stdout)),
    containerPid: async (name) => {
      const engine = engineNamed(name);
      if (engines.length === 0 || engine === undefined) return undefined;
      const ports = Object.fromEntries(portNames.map((port) => [port, Number(environment[portVariable(port)])]));
      const argv = ["docker", "inspect", "--format={{.State.Pid}}", containerName(engine, ports)];
      return Number(await new Response(Bun.spawn(argv).stdout).text());
    },
    restart: async () => {
      await runner.exited;
      return launch(directory, environment);
    },
    stop: async () => {
      runner.kill("SIGTERM");
      await runner.exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** What a path of the gateway answers to whoever has the token. */
export async function getJson({ gateway }: Stack, token: string, path: string): Promise<unknown> {
  const response = await fetch(gateway + path, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

function inherited(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
