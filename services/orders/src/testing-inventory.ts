import type { ReservationRequest } from "@vitrine/contracts/inventory";

type Answer = (request: ReservationRequest) => Response | Promise<Response>;

export const held: Answer = (request) =>
  Response.json(
    { ...request, status: "held", createdAt: "2026-01-02T03:04:05.000Z", expiresAt: "2026-01-02T03:19:05.000Z" },
    { status: 201 },
  );

/** An inventory that behaves as the test tells it to, over real HTTP, and keeps what was asked of it. */
export function startFakeInventory() {
  const reserved: ReservationRequest[] = [];
  const released: string[] = [];
  const fake = { reserve: held, release: (): Response => new Response(null, { status: 204 }), reserved, released };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      if (request.method === "DELETE") {
        released.push(new URL(request.url).pathname.split("/").at(-1) ?? "");
        return fake.release();
      }
      const body = (await request.json()) as ReservationRequest;
      reserved.push(body);
      return fake.reserve(body);
    },
  });
  return { fake, url: server.url.href, stop: () => server.stop(true) };
}
