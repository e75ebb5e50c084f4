import { connect, createServer, type Socket } from "node:net";

/** A connection to a port of this machine that a test can cut. */
export interface Cable {
  readonly url: string;
  /** From now on everything sent is lost and nobody is told, on connections there are and on new ones. */
  cut(): void;
  /** New connections get through; what hangs is reset, as the far end would that has long forgotten it. */
  mend(): void;
  stop(): Promise<void>;
}

export async function layCable(port: number): Promise<Cable> {
  const sockets = new Set<Socket>();
  let lost = false;

  function own(socket: Socket, other: () => Socket): void {
    sockets.add(socket);
    socket.on("data", (chunk) => {
      if (!lost) other().write(chunk);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      sockets.delete(socket);
      if (!lost) other().destroy();
    });
  }

  const server = createServer((near) => {
    const far = connect({ port, host: "127.0.0.1" });
    own(near, () => far);
    own(far, () => near);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the cable has no port");
  const reset = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut: () => {
      lost = true;
    },
    mend: () => {
      reset();
      lost = false;
    },
    stop: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      reset();
      await closed.promise;
    },
  };
}
