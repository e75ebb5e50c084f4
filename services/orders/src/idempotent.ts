import { type ErrorCode, ServiceError } from "@vitrine/kit/errors";
import { z } from "zod";
import type { IdempotencyKeys } from "./store/idempotency-keys.ts";

/** What a request is answered with. */
export interface Reply {
  readonly status: 200 | 201;
  readonly body: unknown;
  readonly location?: string;
}

export interface RepeatableRequest {
  readonly customer: string;
  /** `undefined`: the caller does not mean to repeat it. */
  readonly key: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

/** What a request brings about: made under its id once, however often the request is taken up. */
export interface Effect {
  readonly id: string;
  /** Another run, cut off, may have made it already. */
  readonly resumed: boolean;
}

/** Carries a request out once per key. @throws ServiceError `idempotency_conflict`, `idempotency_in_flight` */
export type Idempotent = (request: RepeatableRequest, work: (effect: Effect) => Promise<Reply>) => Promise<Reply>;

/** Longer than the gateway lets a request run. */
const leaseMs = 20_000;

const storedReply = z.object({
  status: z.union([z.literal(200), z.literal(201)]),
  body: z.unknown(),
  location: z.string().optional(),
});
const storedRefusal = z.object({
  error: z.object({
    code: z.string(),
    detail: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    extensions: z.record(z.string(), z.union([z.string(), z.number(), z.looseObject({})])).optional(),
  }),
});
const storedAnswer = z.union([storedRefusal, storedReply]);

/** Thrown where nothing came of a request: its key may be used again, for a new effect. */
export class NoEffect extends ServiceError {}

/**
 * Idempotency keys as draft-ietf-httpapi-idempotency-key-header has them. Answers below 500 are kept, refusals too; after
 * a 5xx the key may be brought again, and whatever the request had brought about by then is found, not made anew.
 */
export function createIdempotent(keys: IdempotencyKeys, newId: () => string): Idempotent {
  return async (request, work) => {
    const { customer, key } = request;
    const fresh = newId();
    if (key === undefined) return await work({ id: fresh, resumed: false });
    const keyed = { customer, key, fingerprint: fingerprintOf(request) };
    const claim = await keys.claim(keyed, fresh, leaseMs);
    switch (claim.kind) {
      case "conflict":
        throw new ServiceError("idempotency_conflict");
      case "in_flight":
        throw new ServiceError("idempotency_in_flight", "send it again in a moment", { retryAfterSeconds: 1 });
      case "answered":
        return replay(claim.answer);
      case "claimed":
        return await carryOut({ id: claim.effectId, resumed: claim.effectId !== fresh }, keyed, work);
    }
  };

  async function carryOut(
    effect: Effect,
    keyed: Parameters<IdempotencyKeys["answer"]>[0],
    work: (effect: Effect) => Promise<Reply>,
  ): Promise<Reply> {
    try {
      const reply = await work(effect);
      await keys.answer(keyed, reply);
      return reply;
    } catch (error) {
      if (error instanceof ServiceError && error.status < 500) await keys.answer(keyed, { error: toStored(error) });
      // Without a database the lease ends by itself.
      else await keys.giveUp(keyed, error instanceof NoEffect).catch(() => undefined);
      throw error;
    }
  }
}

function toStored({ code, detail, headers, extensions }: ServiceError) {
  return { code, detail, headers, extensions };
}

function replay(stored: unknown): Reply {
  const answer = storedAnswer.parse(stored);
  if ("error" in answer) {
    const { code, detail, headers, extensions } = answer.error;
    throw new ServiceError(code as ErrorCode, detail, {
      ...(headers === undefined ? {} : { headers }),
      ...(extensions === undefined ? {} : { extensions }),
    });
  }
  const { status, body, location } = answer;
  return { status, body, ...(location === undefined ? {} : { location }) };
}

function fingerprintOf({ method, path, body }: RepeatableRequest): string {
  const text = `${method} ${path}\n${body === undefined ? "" : canonical(body)}`;
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}

/** JSON in which members stand in the order of their names. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
