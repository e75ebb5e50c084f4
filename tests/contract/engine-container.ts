import { userInfo } from "node:os";
import { join } from "node:path";
import { containerOf } from "@vitrine/kit/testing/containers";
import type { EngineCommand } from "../../dev/engines/command.ts";
import { repositoryRoot } from "../../dev/engines/engines.ts";

/** What was started for a test, as a process or as a container. */
export interface Running {
  /** Ends it as a crash would. */
  kill(): Promise<void>;
}

/**
 * An engine as a container of its official image, with the arguments and variables it has as a process: on the host's
 * network, with the same folders under the same paths.
 */
export async function startEngineContainer(image: string, command: EngineCommand, directory: string): Promise<Running> {
  const { uid, gid } = userInfo();
  const configs = join(repositoryRoot, "otel-collector");
  const started = await (
    await containerOf(image)
  )
    .withNetworkMode("host")
    .withUser(`${uid}:${gid}`)
    .withBindMounts([
      { source: configs, target: configs, mode: "ro" },
      { source: directory, target: directory, mode: "rw" },
    ])
    .withEnvironment({ ...command.env })
    .withCommand(command.argv.slice(1))
    .start();
  return {
    kill: async () => {
      await Bun.spawn(["docker", "kill", started.getId()], { stdout: "ignore" }).exited;
      await started.stop();
    },
  };
}
