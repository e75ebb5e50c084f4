import type { ReservationRequest } from "@vitrine/contracts/inventory";

type Answer = (request: ReservationRequest) => Response | Promise<Response>;

const times = { createdAt: "2026-01-02T03:04:05.000Z", expiresAt: "2026-01-02T03:20:05.000Z" };

export const held: Answer = ({ id, pieceId, quantity }) =>
  Response.json({ id, pieceId, quantity, status: "held", ...times }, { status: 201 });

/** A refusal as inventory makes it. */
export const refuse = (code: string) =>
  Response.json({ type: "about:blank", title: "no", status: 409, code, requestId: "x" }, { status: 409 });

/** An inventory that behaves as the test tells it to, over real HTTP, and keeps what was asked of it. */
export function startFakeInventory() {
  const asked = {
    reserved: [] as ReservationRequest[],
    released: [] as string[],
    committed: [] as string[],
    takenBack: [] as { pieceId: string; key: string | null; body: unknown }[],
  };
  const behaviour = {
    reserve: held,
    release: (): Response => new Response(null, { status: 204 }),
    commit: (): Response => Response.json({}),
    takeBack: (): Response => Response.json({}),
  };
  const fake = { ...behaviour, ...asked };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const parts = new URL(request.url).pathname.split("/").slice(3);
      if (request.method === "DELETE") {
        asked.released.push(parts.at(-1) ?? "");
        return fake.release();
      }
      if (parts.at(-1) === "commit") {
        asked.committed.push(parts.at(-2) ?? "");
        return fake.commit();
      }
      if (parts.at(-1) === "restock") {
        const [pieceId = ""] = parts;
        asked.takenBack.push({ pieceId, key: request.headers.get("idempotency-key"), body: await request.json() });
        return fake.takeBack();
      }
      const body = (await request.json()) as ReservationRequest;
      asked.reserved.push(body);
      return fake.reserve(body);
    },
  });
  return {
    fake,
    url: server.url.href,
    behave: () => Object.assign(fake, behaviour),
    stop: () => server.stop(true),
  };
}
