import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath, kill } from "node:process";
import { freePort } from "@vitrine/kit/testing/postgres";
import { z } from "zod";

const root = join(import.meta.dir, "../..");

const inspected = z.array(
  z.looseObject({
    Name: z.string(),
    RestartCount: z.int(),
    State: z.looseObject({ Pid: z.int(), StartedAt: z.string() }),
    Config: z.looseObject({ User: z.string(), Labels: z.record(z.string(), z.string()) }),
    HostConfig: z.looseObject({
      ReadonlyRootfs: z.boolean(),
      CapDrop: z.array(z.string()).nullable(),
      SecurityOpt: z.array(z.string()).nullable(),
      Memory: z.int(),
      NanoCpus: z.int(),
      PortBindings: z.record(z.string(), z.unknown()).nullable(),
    }),
    NetworkSettings: z.looseObject({ Networks: z.record(z.string(), z.looseObject({ IPAddress: z.string() })) }),
  }),
);

const tokenAnswer = z.looseObject({ access_token: z.string() });
const lines = z.looseObject({
  data: z.looseObject({
    result: z.array(z.looseObject({ values: z.array(z.tuple([z.string(), z.string()]).rest(z.unknown())) })),
  }),
});

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Container {
  readonly service: string;
  readonly user: string;
  readonly readOnly: boolean;
  readonly capabilities: readonly string[];
  readonly privileges: readonly string[];
  /** Bytes, and billionths of a processor. */
  readonly memory: number;
  readonly cpus: number;
  readonly ports: readonly string[];
  readonly pid: number;
  readonly restarts: number;
  readonly edge: string | undefined;
}

async function run(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Promise<Finished> {
  const child = Bun.spawn([...argv], { cwd: root, env: { ...Bun.env, ...env }, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, stdout, stderr };
}

/** Images of compose.yaml that are not on this machine; Grafana's, which may be left out, is not asked for. */
export async function missingImages(): Promise<readonly string[]> {
  const named = await run(["docker", "compose", "--env-file=/dev/null", "--profile=full", "config", "--images"], {});
  if (named.code !== 0) return [`docker compose: ${named.stderr}`];
  const images = named.stdout.split("\n").filter((image) => image !== "" && !image.startsWith("grafana/grafana:"));
  const found = await Promise.all(images.map((image) => run(["docker", "image", "inspect", image], {})));
  return images.filter((_, at) => found[at]?.code !== 0);
}

/** The system of compose.yaml under a name, ports and secrets of its own. */
export async function startCompose() {
  const secrets = await mkdtemp(join(tmpdir(), "vitrine-compose-"));
  const [http, otlp] = [await freePort(), await freePort()];
  const gateway = `http://localhost:${http}`;
  const project = `vitrine-test-${http}`;
  const env = {
    COMPOSE_PROJECT_NAME: project,
    COMPOSE_PROFILES: "full",
    VITRINE_SECRETS_DIR: secrets,
    VITRINE_BIND_ADDRESS: "127.0.0.1",
    VITRINE_HTTP_PORT: String(http),
    VITRINE_OTLP_PORT: String(otlp),
    VITRINE_PUBLIC_URL: gateway,
  };
  const compose = async (...args: readonly string[]): Promise<Finished> => {
    const done = await run(["docker", "compose", "--env-file=/dev/null", ...args], env);
    if (done.code !== 0) throw new Error(`docker compose ${args.join(" ")}: ${done.stderr.slice(-2_000)}`);
    return done;
  };
  const grafana = await run(["sh", "-c", "docker image inspect $(docker compose config --images grafana)"], env);
  const without = grafana.code === 0 ? [] : ["--scale=grafana=0"];
  const up = () => compose("up", "--detach", "--no-build", "--pull=never", "--wait", "--wait-timeout=240", ...without);
  const secretsMade = await run([execPath, "-e", makeSecrets, secrets], env);
  if (secretsMade.code !== 0) throw new Error(secretsMade.stderr);
  await up();

  const ask = (path: string, init: RequestInit = {}) =>
    fetch(gateway + path, { ...init, signal: AbortSignal.timeout(15_000) });
  const token = async (clientId: string): Promise<string> => {
    const secret = (await readFile(join(secrets, `${clientId}_client_secret`), "utf8")).trim();
    const answer = await ask("/oauth/token", {
      method: "POST",
      headers: { authorization: `Basic ${btoa(`${clientId}:${secret}`)}` },
      body: new URLSearchParams({ grant_type: "client_credentials" }),
    });
    return tokenAnswer.parse(await answer.json()).access_token;
  };
  let doctor = await token("doctor");
  /** Reads an engine through the gateway; undefined for anything but success. */
  const read = async (path: string): Promise<unknown> => {
    const answer = await ask(path, { headers: { authorization: `Bearer ${doctor}` } });
    if (answer.status === 401) doctor = await token("doctor");
    return answer.ok ? await answer.json() : undefined;
  };
  const inspect = async (): Promise<readonly Container[]> => {
    const ids = (await compose("ps", "--all", "--quiet")).stdout.trim().split("\n");
    const { stdout } = await run(["docker", "inspect", ...ids], {});
    return Promise.all(
      inspected.parse(JSON.parse(stdout)).map(async ({ Config, HostConfig, State, RestartCount, NetworkSettings }) => ({
        service: Config.Labels["com.docker.compose.service"] ?? "",
        user: Config.User,
        readOnly: HostConfig.ReadonlyRootfs,
        capabilities: HostConfig.CapDrop ?? [],
        privileges: HostConfig.SecurityOpt ?? [],
        memory: HostConfig.Memory,
        cpus: HostConfig.NanoCpus,
        ports: Object.keys(HostConfig.PortBindings ?? {}),
        pid: State.Pid,
        restarts: RestartCount,
        edge: NetworkSettings.Networks[`${project}_edge`]?.IPAddress,
      })),
    );
  };
  const containerOf = async (service: string): Promise<Container> => {
    const found = (await inspect()).find((container) => container.service === service);
    if (found === undefined) throw new Error(`there is no container of ${service}`);
    return found;
  };
  return {
    ask,
    token,
    read,
    inspect,
    up,
    down: () => compose("down"),
    /** Runs a script of the repository as somebody beside the system would. */
    script: (...args: readonly string[]) => run([execPath, ...args], env),
    startsOf: async (service: string) => (await containerOf(service)).restarts,
    /** Kills the process itself: what Docker is told to kill, it does not start again. Returns its restarts before. */
    kill: async (service: string): Promise<number> => {
      const { pid, restarts } = await containerOf(service);
      kill(pid, "SIGKILL");
      return restarts;
    },
    /** Every TCP port that answers where the only published container meets the world. */
    openPorts: async (): Promise<readonly number[]> => {
      const address = (await inspect()).map(({ edge }) => edge).find((edge) => edge !== undefined && edge !== "");
      if (address === undefined) throw new Error("nothing is on the network edge");
      const open: number[] = [];
      const every = Array.from({ length: 65_535 }, (_, at) => at + 1);
      const scan = async (): Promise<void> => {
        for (let port = every.pop(); port !== undefined; port = every.pop())
          if (await answers(address, port)) open.push(port);
      };
      await Promise.all(Array.from({ length: 200 }, scan));
      return open.sort((one, other) => one - other);
    },
    /** Sends one marked line; true if it was accepted. */
    sendLog: async (mark: string, number: number): Promise<boolean> => {
      const answer = await ask("/v1/logs", {
        method: "POST",
        headers: { authorization: `Bearer ${doctor}`, "content-type": "application/json" },
        body: JSON.stringify(logOf(mark, number)),
      }).catch(() => undefined);
      await answer?.arrayBuffer().catch(() => undefined);
      return answer?.ok === true;
    },
    /** Numbers of the marked lines that Loki shows. */
    keptLogs: async (mark: string): Promise<ReadonlySet<number>> => {
      const query = encodeURIComponent(`{service_name="doctor"} |= "${mark}"`);
      const shown = await read(`/loki/api/v1/query_range?limit=1000&query=${query}`);
      if (shown === undefined) return new Set();
      const found = lines.parse(shown).data.result.flatMap(({ values }) => values.map(([, line]) => line));
      return new Set(found.map((line) => Number(line.split(" ").at(-1))));
    },
    /** Every volume and secret is gone after it. */
    lose: async (): Promise<void> => {
      await compose("down", "--volumes");
      await rm(secrets, { recursive: true });
    },
    stop: async (): Promise<void> => {
      await compose("down", "--volumes", "--timeout=5");
      await rm(secrets, { recursive: true, force: true });
    },
  };
}

export type ComposeStack = Awaited<ReturnType<typeof startCompose>>;

const makeSecrets = `
  const { makeComposeSecrets } = await import("./dev/compose/secrets.ts");
  await makeComposeSecrets(await Bun.file("compose.yaml").text(), process.argv.at(-1));`;

function logOf(mark: string, number: number): object {
  const record = {
    timeUnixNano: `${Date.now()}000000`,
    severityNumber: 9,
    severityText: "INFO",
    body: { stringValue: `${mark} ${number}` },
  };
  return { resourceLogs: [{ resource: { attributes: [] }, scopeLogs: [{ logRecords: [record] }] }] };
}

async function answers(hostname: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const ignore = (): void => undefined;
  Bun.connect({
    hostname,
    port,
    socket: { data: ignore, open: () => resolve(true), connectError: () => resolve(false) },
  })
    .then((socket) => promise.then(() => socket.end()))
    .catch(() => resolve(false));
  return promise;
}
