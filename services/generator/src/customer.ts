import { collectionPage } from "@vitrine/contracts/customers";
import { cataloguePage, type Order, order, type Piece, piece } from "@vitrine/contracts/orders";
import type { Answer, Gateway, GatewayRequest } from "./gateway.ts";
import type { Action, Shelf } from "./plan.ts";
import type { Random } from "./random.ts";
import type { Session } from "./session.ts";

/** One simulated customer: a person of the auth service who does what the plan says, as far as it makes sense. */
export interface Customer {
  /** False when nothing was sent: the customer is not signed in, or has nothing to pay, cancel or sell. */
  act(action: Action): Promise<boolean>;
}

export interface CustomerOptions {
  readonly session: Session;
  readonly gateway: Gateway;
  /** Ids of the catalogue, which the plan counts. */
  readonly pieceIds: readonly string[];
  readonly random: Random;
}

const pageSize = 12;

export function createCustomer({ session, gateway, pieceIds, random }: CustomerOptions): Customer {
  let shelf: Shelf = "all";
  let cursor: string | null = null;
  /** The piece looked at last, whose price an order is placed at. */
  let seen: Piece | undefined;
  let toPay: Order | undefined;

  async function send(request: GatewayRequest): Promise<Answer | undefined> {
    const token = await session.token();
    if (token === undefined) return undefined;
    const answer = await gateway.send({ ...request, token });
    if (answer?.status === 401) session.forget();
    return answer;
  }

  async function browse(chosen: Shelf | undefined): Promise<Answer | undefined> {
    if (chosen !== undefined) cursor = null;
    shelf = chosen ?? shelf;
    const query = new URLSearchParams({
      limit: String(pageSize),
      ...(shelf === "all" ? {} : { kind: shelf }),
      ...(cursor === null ? {} : { cursor }),
    });
    const answer = await send({ action: "browse", path: `/api/catalog?${query.toString()}` });
    const page = cataloguePage.safeParse(answer?.body);
    cursor = page.success ? page.data.next : null;
    return answer;
  }

  async function view(index: number): Promise<Answer | undefined> {
    const answer = await send({
      action: "view",
      path: `/api/catalog/${pieceIds[index] ?? ""}`,
      route: "/api/catalog/:id",
    });
    seen = piece.safeParse(answer?.body).data;
    return answer;
  }

  async function buy(index: number, quantity: number): Promise<Answer | undefined> {
    const pieceId = pieceIds[index] ?? "";
    const price = seen?.id === pieceId ? { expectedPrice: seen.price } : {};
    const answer = await place({ kind: "buy", pieceId, quantity, ...price }, "order");
    toPay = order.safeParse(answer?.body).data ?? toPay;
    return answer;
  }

  /** Gives a piece of the collection back to the shop. */
  async function sell(): Promise<Answer | undefined> {
    const answer = await send({ action: "collection", path: "/api/collection?limit=20" });
    const [first, ...rest] = collectionPage.safeParse(answer?.body).data?.items ?? [];
    if (first === undefined) return answer;
    return await place({ kind: "sell", pieceId: random.pick([first, ...rest]).pieceId, quantity: 1 }, "sell");
  }

  function place(body: unknown, action: "order" | "sell"): Promise<Answer | undefined> {
    return send({ action, method: "POST", path: "/api/orders", body, idempotencyKey: crypto.randomUUID() });
  }

  /** Pays or cancels what was ordered last; whoever cannot pay keeps the order, to deposit first. */
  async function settle(action: "pay" | "cancel"): Promise<Answer | undefined> {
    if (toPay === undefined) return undefined;
    const { id } = toPay;
    const route = `/api/orders/:id/${action}`;
    const path = `/api/orders/${id}/${action}`;
    const answer = await send({ action, method: "POST", path, route, idempotencyKey: crypto.randomUUID() });
    if (answer !== undefined && answer.status < 300) toPay = undefined;
    return answer;
  }

  /** Enough for the order at hand, and mostly for more. */
  function deposit(): Promise<Answer | undefined> {
    const { amount, currency } = toPay?.total ?? { amount: 1_000_000, currency: "EUR" };
    const body = { amount: Math.max(10_000, Math.ceil(amount * (1 + 2 * random.next()))), currency };
    const path = "/api/wallet/deposits";
    return send({ action: "deposit", method: "POST", path, body, idempotencyKey: crypto.randomUUID() });
  }

  function perform(action: Action): Promise<Answer | undefined> {
    switch (action.kind) {
      case "browse":
        return browse(action.shelf);
      case "view":
        return view(action.piece);
      case "order":
        return buy(action.piece, action.quantity);
      case "pay":
      case "cancel":
        return settle(action.kind);
      case "deposit":
        return deposit();
      case "sell":
        return sell();
      case "orders":
        return send({ action: "orders", path: "/api/orders?limit=10" });
      case "wallet":
        return send({ action: "wallet", path: "/api/wallet" });
      case "collection":
        return send({ action: "collection", path: "/api/collection?limit=20" });
    }
  }

  return { act: async (action) => (await perform(action)) !== undefined };
}
