import type { Environment } from "./cache.ts";
import { EngineError } from "./error.ts";
import { runCommand, type RunResult } from "./run-command.ts";

export interface DockerOptions {
  readonly env: Environment;
  readonly signal?: AbortSignal;
  readonly onPull?: () => void;
}

const askTimeoutMs = 5000;
const pullTimeoutMs = 10 * 60_000;

/** Answers the image once it is present, pulling it if need be; throws the EngineError that says why it cannot be. */
export async function provideImage(image: string, options: DockerOptions): Promise<string> {
  await checkDaemon(options);
  if (await hasImage(image, options)) return image;
  options.onPull?.();
  const pulled = await docker(["pull", "--quiet", image], options, pullTimeoutMs);
  if (pulled.exitCode === 0) return image;
  throw new EngineError(
    "image_unavailable",
    `The image ${image} is not present and cannot be pulled: check the network, or load it with \`docker load\`.\n${pulled.stderr.trim()}`,
  );
}

/** True if the daemon answers and holds the image; asks nobody else. */
export async function hasImage(image: string, options: DockerOptions): Promise<boolean> {
  if (Bun.which("docker", { PATH: options.env["PATH"] ?? "" }) === null) return false;
  const inspected = await docker(["image", "inspect", "--format", "{{.Id}}", image], options, askTimeoutMs);
  return inspected.exitCode === 0;
}

async function checkDaemon(options: DockerOptions): Promise<void> {
  if (Bun.which("docker", { PATH: options.env["PATH"] ?? "" }) === null) {
    throw new EngineError(
      "docker_missing",
      "There is no `docker` on PATH. Install Docker, or choose --engines=native.",
    );
  }
  const asked = await docker(["version", "--format", "{{.Server.Version}}"], options, askTimeoutMs);
  if (asked.exitCode === 0) return;
  throw new EngineError(
    "docker_not_answering",
    `Docker is installed but its daemon does not answer: start it, or choose --engines=native.\n${asked.stderr.trim()}`,
  );
}

function docker(args: readonly string[], options: DockerOptions, timeoutMs: number): Promise<RunResult> {
  return runCommand(["docker", ...args], {
    env: options.env,
    timeoutMs,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}
