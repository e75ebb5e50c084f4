import { mkdir } from "node:fs/promises";
import { SetupError } from "../setup-error.ts";

/** A helper's way to named volumes: neither the images of engines nor this machine's user can read or write them. */
export interface VolumeTools {
  /** Has tar, and is on this machine, since the system runs with it. */
  readonly image: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Copies a folder of a volume while it may be written: what changes meanwhile is copied somehow, what goes is left out. */
export async function saveVolume(
  { image, env }: VolumeTools,
  volume: string,
  folder: string,
  to: string,
  excludes: readonly string[] = [],
): Promise<void> {
  await mkdir(to, { recursive: true });
  const args = ["--create", ...excludes, `--directory=/volume/${folder}`, "."];
  const source = Bun.spawn([...helper(`${volume}:/volume:ro`, "tar"), image, ...args], {
    env: { ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const sourceSaid = new Response(source.stderr).text();
  const target = Bun.spawn(["tar", "--extract", "--no-same-owner", `--directory=${to}`], {
    stdin: source.stdout,
    stderr: "pipe",
  });
  const targetSaid = await new Response(target.stderr).text();
  // 1 says that something changed while it was read.
  if ((await source.exited) > 1) throw new SetupError(`${volume} could not be read: ${await sourceSaid}`);
  if ((await target.exited) !== 0) throw new SetupError(`${to} could not be written: ${targetSaid}`);
}

export async function removeFromVolume(tools: VolumeTools, volume: string, folder: string): Promise<void> {
  await inVolume(tools, volume, ["rm", "-r", `/volume/${folder}`]);
}

/**
 * What is in a volume goes into a folder of it, and what is in `from` comes to its place, as the owner of the volume.
 * Returns whether there was something.
 */
export async function replaceInVolume(
  tools: VolumeTools,
  volume: string,
  folder: string,
  from: string,
  aside: string,
): Promise<boolean> {
  const source = Bun.spawn(["tar", "--create", `--directory=${from}`, "."], { stdout: "pipe", stderr: "inherit" });
  const said = await inVolume(tools, volume, ["sh", "-euc", replaceScript, "sh", folder, aside], source.stdout);
  if ((await source.exited) !== 0) throw new SetupError(`${from} could not be read.`);
  return said.includes("moved");
}

const replaceScript = `
cd /volume
owner=$(stat -c %u:%g .)
mkdir "$2"
find . -mindepth 1 -maxdepth 1 ! -name 'before-*' -exec mv -t "$2" {} +
rmdir "$2" 2>/dev/null || echo moved
mkdir -p "$1"
tar --extract --no-same-owner --directory="$1"
chown -R "$owner" .`;

async function inVolume(
  { image, env }: VolumeTools,
  volume: string,
  [program = "", ...args]: readonly string[],
  input?: ReadableStream<Uint8Array>,
): Promise<string> {
  const child = Bun.spawn([...helper(`${volume}:/volume`, program), image, ...args], {
    env: { ...env },
    stdin: input ?? "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new SetupError(`${volume}: ${stderr.trim()}`);
  return stdout;
}

/** As root, since every volume has another owner; it reaches nothing but the volume. */
function helper(volume: string, program: string): readonly string[] {
  return [
    "docker",
    "run",
    "--rm",
    "--interactive",
    "--pull=never",
    "--user=0:0",
    "--network=none",
    "--read-only",
    `--volume=${volume}`,
    `--entrypoint=${program}`,
  ];
}
