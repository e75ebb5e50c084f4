/** The load generator as a process of its own: `POST /run` with a {@link LoadSpec} answers a `LoadResult`. */
import { type LoadSpec, runLoad } from "./load.ts";

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 0,
  routes: {
    "/run": {
      POST: async (request) => Response.json(await runLoad((await request.json()) as LoadSpec)),
    },
  },
});
process.stdout.write(`${server.url.origin}\n`);
