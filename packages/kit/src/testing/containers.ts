import type { GenericContainer } from "testcontainers";

/**
 * Whether tests run what they need from an image in a container: where a Docker daemon answers and has the image. It is
 * never pulled: a test must not wait for a registry. `TEST_DOCKER=off` leaves Docker alone; `on` fails without it.
 */
export async function hasContainer(image: string): Promise<boolean> {
  const asked = Bun.env["TEST_DOCKER"];
  if (asked === "off") return false;
  const daemon = await succeeds(["docker", "version"]);
  const found = daemon && (await succeeds(["docker", "image", "inspect", image]));
  if (asked === "on" && !found)
    throw new Error(`TEST_DOCKER=on: ${daemon ? `${image} is not here` : "no Docker answers"}`);
  if (daemon && !found) process.stderr.write(`tests: Docker has no ${image}, so what is embedded is used\n`);
  return found;
}

/** A container of an image that is there, by testcontainers. Whoever starts it stops it. */
export async function containerOf(image: string): Promise<GenericContainer> {
  // Its reaper is one more image to pull; tests stop what they start.
  Bun.env["TESTCONTAINERS_RYUK_DISABLED"] ??= "true";
  // Loaded when it is used: most runs have no use for it.
  const testcontainers = await import("testcontainers");
  return new testcontainers.GenericContainer(image);
}

const answersWithinMs = 5_000;

async function succeeds(argv: string[]): Promise<boolean> {
  try {
    const child = Bun.spawn(argv, { stdin: "ignore", stdout: "ignore", stderr: "ignore", timeout: answersWithinMs });
    return (await child.exited) === 0;
  } catch {
    return false;
  }
}
