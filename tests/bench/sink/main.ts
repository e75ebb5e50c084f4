/**
 * The OTLP endpoint of a bench as a process of its own: `POST /<variant>/v1/<signal>` keeps a body as it came,
 * `GET /<variant>/counts` says what they held. Decoding waits for the question, which comes between measurements.
 */
import { gunzipSync } from "node:zlib";
import { type Counts, countInto, noCounts } from "./count.ts";

interface Tenant {
  readonly waiting: { readonly signal: string; readonly body: Uint8Array<ArrayBuffer>; readonly gzip: boolean }[];
  readonly counts: Counts;
}

const tenants = new Map<string, Tenant>();

function tenantOf(name: string): Tenant {
  const known = tenants.get(name) ?? { waiting: [], counts: noCounts() };
  tenants.set(name, known);
  return known;
}

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  maxRequestBodySize: 256 * 1_024 * 1_024,
  routes: {
    "/:variant/v1/:signal": {
      POST: async (request) => {
        const { variant, signal } = request.params;
        const body = new Uint8Array(await request.arrayBuffer());
        tenantOf(variant).waiting.push({ signal, body, gzip: request.headers.get("content-encoding") === "gzip" });
        return new Response(new Uint8Array(), { headers: { "content-type": "application/x-protobuf" } });
      },
    },
    "/:variant/counts": (request) => {
      const { waiting, counts } = tenantOf(request.params.variant);
      for (const { signal, body, gzip } of waiting.splice(0)) countInto(counts, signal, gzip ? gunzipSync(body) : body);
      return Response.json(counts);
    },
  },
});
process.stdout.write(`${server.url.origin}\n`);
