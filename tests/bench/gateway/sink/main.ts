/**
 * What stands behind the gates: `POST /<variant>/v1/<signal>` reads a body to its end, counts it and forgets it,
 * `GET /<variant>/counts` says how much came. It keeps nothing, since minutes of load are gigabytes.
 */
const counts = new Map<string, { posts: number; postedBytes: number }>();

function countsOf(variant: string): { posts: number; postedBytes: number } {
  const known = counts.get(variant) ?? { posts: 0, postedBytes: 0 };
  counts.set(variant, known);
  return known;
}

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  routes: {
    "/:variant/v1/:signal": {
      POST: async (request) => {
        const { byteLength } = await request.arrayBuffer();
        const count = countsOf(request.params.variant);
        count.posts += 1;
        count.postedBytes += byteLength;
        return new Response(new Uint8Array(), { headers: { "content-type": "application/x-protobuf" } });
      },
    },
    "/:variant/counts": (request) => Response.json(countsOf(request.params.variant)),
  },
});
process.stdout.write(`${server.url.origin}\n`);
