import { tokenResponse } from "@vitrine/contracts/auth";
import { cataloguePage } from "@vitrine/contracts/orders";
import type { SeedPiece } from "./catalogue.ts";
import type { Answer, Gateway } from "./gateway.ts";
import type { Action, Shelf } from "./plan.ts";
import type { Identity } from "./population.ts";

/** One simulated customer: a person of the auth service who signs in rarely and does one thing at a time. */
export interface Customer {
  /** False when the customer is not signed in and may not try yet: then nothing was sent. */
  act(action: Action): Promise<boolean>;
}

export interface CustomerOptions {
  readonly identity: Identity;
  readonly gateway: Gateway;
  readonly pieces: readonly SeedPiece[];
  /** Milliseconds of any clock that does not jump. */
  readonly now: () => number;
}

const pageSize = 12;
/** A refused sign-in costs the auth service a password hash: it is not tried again at once. */
const signInPauseMs = 15_000;

export function createCustomer({ identity, gateway, pieces, now }: CustomerOptions): Customer {
  let session: { readonly token: string; readonly expiresAt: number } | undefined;
  let signingIn: Promise<string | undefined> | undefined;
  let signInAfter = Number.NEGATIVE_INFINITY;
  let shelf: Shelf = "all";
  let cursor: string | null = null;

  const post = (path: string) => gateway.send({ action: "sign_in", method: "POST", path, body: identity });

  async function signIn(): Promise<string | undefined> {
    signInAfter = now() + signInPauseMs;
    let answer = await post("/api/auth/login");
    if (answer?.status === 401) {
      const registered = await post("/api/auth/register");
      if (registered?.status === 201) answer = await post("/api/auth/login");
    }
    const token = tokenResponse.safeParse(answer?.body);
    if (answer?.status !== 200 || !token.success) return undefined;
    session = { token: token.data.access_token, expiresAt: now() + (token.data.expires_in - 30) * 1_000 };
    signInAfter = Number.NEGATIVE_INFINITY;
    return session.token;
  }

  async function currentToken(): Promise<string | undefined> {
    if (session !== undefined && now() < session.expiresAt) return session.token;
    if (signingIn === undefined && now() < signInAfter) return undefined;
    signingIn ??= signIn().finally(() => {
      signingIn = undefined;
    });
    return signingIn;
  }

  async function browse(token: string, chosen: Shelf | undefined): Promise<Answer | undefined> {
    if (chosen !== undefined) cursor = null;
    shelf = chosen ?? shelf;
    const query = new URLSearchParams({
      limit: String(pageSize),
      ...(shelf === "all" ? {} : { kind: shelf }),
      ...(cursor === null ? {} : { cursor }),
    });
    const answer = await gateway.send({ action: "browse", path: `/api/catalog?${query.toString()}`, token });
    const page = cataloguePage.safeParse(answer?.body);
    cursor = page.success ? page.data.next : null;
    return answer;
  }

  function perform(action: Action, token: string): Promise<Answer | undefined> {
    switch (action.kind) {
      case "browse":
        return browse(token, action.shelf);
      case "view":
        return gateway.send({ action: "view", path: `/api/catalog/${pieces[action.piece]?.id ?? ""}`, token });
      case "order":
        return gateway.send({
          action: "order",
          method: "POST",
          path: "/api/orders",
          body: { pieceId: pieces[action.piece]?.id, quantity: action.quantity },
          idempotencyKey: crypto.randomUUID(),
          token,
        });
      case "orders":
        return gateway.send({ action: "orders", path: "/api/orders?limit=10", token });
    }
  }

  return {
    act: async (action) => {
      const token = await currentToken();
      if (token === undefined) return false;
      const answer = await perform(action, token);
      if (answer?.status === 401) session = undefined;
      return true;
    },
  };
}
