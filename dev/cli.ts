import process from "node:process";
import { type AuthApi, createAuthApi } from "./auth-api.ts";
import { runDev, type World } from "./dev.ts";
import { EngineError } from "./engines/error.ts";
import { faultUsage, runFault, runScenario, scenarioUsage } from "./fault.ts";
import { keysUsage, runKeys } from "./keys.ts";
import { layoutOf } from "./layout.ts";
import { devUsage, parseDevOptions, parseTokenOptions, type TokenOptions, tokenUsage } from "./options.ts";
import { runningPorts } from "./running-ports.ts";
import { readSecret } from "./secrets.ts";
import { messageOf, SetupError, UsageError } from "./setup-error.ts";
import { requestToken } from "./token.ts";
import { runUsers, usersUsage } from "./users.ts";

/** A second Ctrl-C within this time is the first one arriving twice: from the terminal, and passed on by `bun run`. */
const echoMs = 1_000;

async function dev(args: readonly string[]): Promise<void> {
  const options = parseDevOptions(args);
  if (options === "help") {
    process.stdout.write(`${devUsage}\n`);
    return;
  }
  const { stop, kill } = signals();
  // A terminal that is closed takes no more output; the hang-up signal stops the runner.
  process.stdout.on("error", () => undefined);
  const world: World = {
    env: process.env,
    pid: process.pid,
    uid: process.getuid?.() ?? -1,
    bun: process.execPath,
    write: (text) => void process.stdout.write(text),
    color: process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "",
    clock: { now: Date.now, sleep },
    stop,
    kill,
  };
  process.on("uncaughtException", (error) => {
    process.stderr.write(`${error.stack ?? messageOf(error)}\n`);
    process.exitCode = 1;
    stop.abort("an error of the runner itself");
  });
  await runDev(options, world);
}

function signals(): { readonly stop: AbortController; readonly kill: AbortSignal } {
  const stop = new AbortController();
  const kill = new AbortController();
  const reasons = { SIGINT: "Ctrl-C", SIGTERM: "told to end", SIGHUP: "the terminal was closed" } as const;
  let firstAt: number | undefined;
  for (const [signal, reason] of Object.entries(reasons)) {
    process.on(signal, () => {
      firstAt ??= performance.now();
      stop.abort(reason);
      if (signal === "SIGINT" && performance.now() - firstAt > echoMs) kill.abort();
    });
  }
  return { stop, kill: kill.signal };
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal?.aborted === true) done();
    else signal?.addEventListener("abort", done, { once: true });
  });
}

async function token(args: readonly string[]): Promise<void> {
  const options = parseTokenOptions(args);
  if (options === "help") {
    process.stdout.write(`${tokenUsage}\n`);
    return;
  }
  process.stdout.write(`${await localToken(options)}\n`);
}

function localGateway(): string {
  return `http://127.0.0.1:${runningPorts(layoutOf(process.env), process.env).gateway}`;
}

async function localToken(options: TokenOptions): Promise<string> {
  return await requestToken({
    ...options,
    gatewayUrl: localGateway(),
    clientSecret: await readSecret(layoutOf(process.env), "cli-client-secret"),
    fetch: (url, init) => fetch(url, init),
  });
}

/** As the administrator of this checkout, or wherever VITRINE_URL and VITRINE_TOKEN lead. */
function administratorApi(base = "/api/auth"): AuthApi {
  const { VITRINE_URL: url, VITRINE_TOKEN: token } = process.env;
  if ((url ?? "") !== "" && (token ?? "") === "") throw new UsageError("VITRINE_URL needs VITRINE_TOKEN with it.");
  return createAuthApi({
    gatewayUrl: (url || undefined)?.replace(/\/+$/, "") ?? localGateway(),
    base,
    token: async () => (token || undefined) ?? (await localToken({ scopes: undefined, user: "admin" })),
    fetch: (target, init) => fetch(target, init),
  });
}

function write(text: string): void {
  process.stdout.write(text);
}

async function main([command, ...args]: readonly string[]): Promise<void> {
  if (command === "dev") return dev(args);
  if (command === "token") return token(args);
  if (command === "keys") return runKeys(args, { api: administratorApi(), write, now: Date.now });
  if (command === "users") return runUsers(args, { api: administratorApi(), write });
  if (command === "fault") return runFault(args, { api: administratorApi("/api"), write });
  if (command === "scenario") return runScenario(args, { api: administratorApi("/api"), write });
  throw new UsageError(
    `There is no command "${command ?? ""}".\n\n${devUsage}\n\n${tokenUsage}\n\n${keysUsage}\n\n${usersUsage}\n\n${faultUsage}\n\n${scenarioUsage}`,
  );
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetupError) && !(error instanceof UsageError) && !(error instanceof EngineError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
