import { containerOf } from "./containers.ts";

/** As compose.yaml has it. */
export const postgresImage = "postgres:18.4-trixie";
const port = 5432;

export interface PostgresContainer {
  readonly port: number;
  stop(): Promise<void>;
}

/** A PostgreSQL server of the image, with these settings, which lets in whoever connects as `postgres`/`postgres`. */
export async function startPostgresContainer(settings: readonly string[]): Promise<PostgresContainer> {
  const { Wait } = await import("testcontainers");
  const started = await (
    await containerOf(postgresImage)
  )
    .withEnvironment({ POSTGRES_PASSWORD: "postgres" })
    .withCommand(["postgres", ...settings.flatMap((setting) => ["-c", setting])])
    .withExposedPorts(port)
    // Said once by the server that fills the volume, which takes no connections, and once by the one that stays.
    .withWaitStrategy(Wait.forLogMessage("database system is ready to accept connections", 2))
    .start();
  return {
    port: started.getMappedPort(port),
    stop: async () => {
      await started.stop();
    },
  };
}
