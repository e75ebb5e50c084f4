import { describe, expect, test } from "bun:test";
import { rateClasses } from "../routes/rate-class.ts";
import { createLimits, type LimitsOptions, type Passage } from "./limits.ts";

const unlimited = { requestsPerSecond: 0, bytesPerSecond: 0, burstSeconds: 1, inFlight: 0 };
const classes = {
  ingest: { ...rateClasses.ingest, ...unlimited },
  query: { ...rateClasses.query, ...unlimited },
  api: { ...rateClasses.api, ...unlimited },
  open: { ...rateClasses.open, ...unlimited },
};

/** Limits whose clock stands still unless a test moves it, and whose waits only a test ends. */
function limitsOf(options: Partial<LimitsOptions> = {}) {
  return createLimits({ classes, maxConcurrent: 1_000, waitMs: 20_000, now: () => 0, ...options });
}

const nothing = { inside: 0, upstream: 0, waiting: 0 };

async function reasonOf(refused: () => unknown): Promise<unknown> {
  try {
    await refused();
  } catch (error) {
    return error instanceof Error && "reason" in error ? error.reason : error;
  }
  return "none";
}

describe("a quota", () => {
  const bounded = (bounds: object) => ({ classes: { ...classes, ingest: { ...classes.ingest, ...bounds } } });

  test("of requests is one holder's of one class, and fills up again", async () => {
    let now = 0;
    const limits = limitsOf({ ...bounded({ requestsPerSecond: 2, burstSeconds: 2 }), now: () => now });
    for (let at = 0; at < 4; at += 1) (await limits.enter("ingest", "a", 0)).leave();
    expect(await reasonOf(() => limits.enter("ingest", "a", 0))).toBe("quota_requests");
    expect(await reasonOf(() => limits.enter("ingest", "b", 0))).toBe("none");
    expect(await reasonOf(() => limits.enter("query", "a", 0))).toBe("none");
    now = 500;
    expect(await reasonOf(() => limits.enter("ingest", "a", 0))).toBe("none");
    expect(await reasonOf(() => limits.enter("ingest", "a", 0))).toBe("quota_requests");
  });

  test.each([
    [2, "1"],
    [0.7, "2"],
    [0.01, "3"],
  ])("of %d requests a second says when one may come again, which is never long", async (requestsPerSecond, after) => {
    const limits = limitsOf(bounded({ requestsPerSecond, burstSeconds: 1 / requestsPerSecond }));
    await limits.enter("ingest", "a", 0);
    expect(() => limits.enter("ingest", "a", 0)).toThrow(
      expect.objectContaining({ headers: { "retry-after": after } }),
    );
  });

  test("of bytes is spent by what was declared, and by what the body had more or less", async () => {
    const limits = limitsOf(bounded({ bytesPerSecond: 100, burstSeconds: 1 }));
    const spend = async (holder: string, declared: number, carried: number) => {
      const passage = await limits.enter("ingest", holder, declared);
      passage.carried(carried);
      passage.leave();
    };
    await spend("a", 60, 60);
    await spend("a", 40, 40);
    expect(await reasonOf(() => limits.enter("ingest", "a", 0))).toBe("quota_bytes");
    await spend("b", 100, 10);
    expect(await reasonOf(() => limits.enter("ingest", "b", 0))).toBe("none");
    await spend("c", 10, 100);
    expect(await reasonOf(() => limits.enter("ingest", "c", 0))).toBe("quota_bytes");
    expect(await reasonOf(() => limits.enter("query", "c", 0))).toBe("none");
  });
});

describe("places", () => {
  const one = { ...classes, ingest: { ...classes.ingest, inFlight: 1 }, query: { ...classes.query, inFlight: 1 } };

  test("of a holder are a class's own: as many again wait, the next is told so", async () => {
    const limits = limitsOf({ classes: one });
    const first = await limits.enter("ingest", "a", 0);
    const second = limits.enter("ingest", "a", 0);
    expect(await reasonOf(() => limits.enter("ingest", "a", 0))).toBe("quota_in_flight");
    const others = [await limits.enter("ingest", "b", 0), await limits.enter("query", "a", 0)];
    expect(limits.load()).toEqual({ inside: 3, upstream: 0, waiting: 1 });
    first.leave();
    for (const passage of [await second, ...others]) passage.leave();
    expect(limits.load()).toEqual(nothing);
  });

  test("that had to be waited for cost no bytes more than those at once", async () => {
    const ingest = { ...one.ingest, bytesPerSecond: 100 };
    const limits = limitsOf({ classes: { ...one, ingest } });
    const first = await limits.enter("ingest", "a", 30);
    const second = limits.enter("ingest", "a", 60);
    first.carried(30);
    first.leave();
    (await second).carried(60);
    (await second).leave();
    expect(await reasonOf(async () => (await limits.enter("ingest", "a", 10)).leave())).toBe("none");
    expect(await reasonOf(() => limits.enter("ingest", "a", 1))).toBe("quota_bytes");
  });

  test("come in time or not at all", async () => {
    const limits = limitsOf({ classes: one, maxConcurrent: 1, waitMs: 10 });
    const inside = await limits.enter("ingest", "a", 0);
    expect(await reasonOf(() => limits.enter("ingest", "a", 0))).toBe("quota_in_flight");
    await inside.toUpstream();
    const other = await limits.enter("ingest", "b", 0);
    expect(await reasonOf(() => other.toUpstream())).toBe("overloaded");
    for (const passage of [inside, other]) passage.leave();
    expect(limits.load()).toEqual(nothing);
  });

  test("before an upstream are all classes' together", async () => {
    const limits = limitsOf({ maxConcurrent: 2 });
    const [a, b, c, d] = await Promise.all(
      (["ingest", "query", "api", "open"] as const).map((rate) => limits.enter(rate, "a", 0)),
    );
    expect([a?.toUpstream(), b?.toUpstream()]).toEqual([undefined, undefined]);
    const waiting = [c?.toUpstream(), d?.toUpstream()];
    expect(limits.load()).toEqual({ inside: 0, upstream: 2, waiting: 2 });
    const fifth = await limits.enter("api", "b", 0);
    expect(await reasonOf(() => fifth.toUpstream())).toBe("overloaded");
    for (const passage of [a, b]) passage?.leave();
    await Promise.all(waiting);
    for (const passage of [c, d]) passage?.leave();
    expect(limits.load()).toEqual(nothing);
  });

  test("that come to who has left already go on to the next, and a second leave takes none from anybody", async () => {
    const limits = limitsOf({ maxConcurrent: 1 });
    const passages = [await limits.enter("ingest", "a", 0), await limits.enter("ingest", "b", 0)];
    await passages[0]?.toUpstream();
    const waiting = passages[1]?.toUpstream();
    passages[1]?.leave();
    passages[0]?.leave();
    await waiting;
    expect(limits.load()).toEqual(nothing);
    const third = await limits.enter("ingest", "c", 0);
    await third.toUpstream();
    for (const passage of passages) passage.leave();
    expect(limits.load().upstream).toBe(1);
  });

  test("are not asked for where a class has no bound", async () => {
    const limits = limitsOf();
    for (let at = 0; at < 100; at += 1) await limits.enter("ingest", "a", 0);
    expect(limits.load()).toEqual(nothing);
  });

  test("are never out for who has a token because strangers wait for theirs", async () => {
    const open = { ...classes.open, inFlight: 1_024 };
    const limits = limitsOf({ classes: { ...one, open } });
    const strangers = Array.from({ length: 1_024 + 512 }, () => limits.enter("open", "192.0.2.0/24", 0));
    expect(await reasonOf(() => limits.enter("open", "192.0.2.0/24", 0))).toBe("quota_in_flight");
    const inside = await limits.enter("ingest", "a", 0);
    const next = limits.enter("ingest", "a", 0);
    inside.leave();
    (await next).leave();
    for (const stranger of strangers) (await stranger).leave();
    expect(limits.load()).toEqual(nothing);
  });
});

describe("bodies that are unpacked piece by piece", () => {
  async function unpack(limits: ReturnType<typeof limitsOf>, holders: readonly string[], rate: "ingest" | "query") {
    const passages: Passage[] = [];
    for (const holder of holders) {
      const passage = await limits.enter(rate, holder, 0);
      await passage.toUnpack();
      passages.push(passage);
    }
    return passages;
  }

  test("are sixteen of one holder of a class, the next waits", async () => {
    const limits = limitsOf();
    const inside = await unpack(limits, Array<string>(16).fill("a"), "ingest");
    const next = unpack(limits, ["a"], "ingest");
    const others = [...(await unpack(limits, ["a"], "query")), ...(await unpack(limits, ["b"], "ingest"))];
    expect(limits.load().waiting).toBe(1);
    inside[0]?.leave();
    for (const passage of [...inside, ...(await next), ...others]) passage.leave();
    expect(limits.load()).toEqual(nothing);
  });

  test("are sixty-four of all together, and each holder may have eight times its places waiting", async () => {
    const limits = limitsOf({ waitMs: 50 });
    const holders = ["a", "b", "c", "d"].flatMap((holder) => Array<string>(16).fill(holder));
    const inside = await unpack(limits, holders, "ingest");
    const passage = await limits.enter("ingest", "e", 0);
    expect(await reasonOf(() => passage.toUnpack())).toBe("overloaded");
    passage.leave();
    const waiting = await Promise.all(Array.from({ length: 129 }, () => limits.enter("ingest", "a", 0)));
    const asked = waiting.map((one) => reasonOf(() => one.toUnpack()));
    expect(limits.load().waiting).toBe(128);
    expect(await asked.at(-1)).toBe("quota_in_flight");
    // Twice as long as for any other place, and no longer.
    expect(new Set(await Promise.all(asked))).toEqual(new Set(["quota_in_flight"]));
    for (const one of [...inside, ...waiting]) one.leave();
    expect(limits.load()).toEqual(nothing);
    expect(await unpack(limits, holders, "ingest")).toHaveLength(64);
  });

  test("are waited for longer than an upstream", async () => {
    const limits = limitsOf({ waitMs: 20, maxConcurrent: 1 });
    const inside = await unpack(limits, Array<string>(16).fill("a"), "ingest");
    await inside[0]?.toUpstream();
    const passage = await limits.enter("ingest", "a", 0);
    const order: unknown[] = [];
    await Promise.all([
      reasonOf(() => passage.toUnpack()).then((reason) => order.push(reason)),
      reasonOf(() => passage.toUpstream()).then((reason) => order.push(reason)),
    ]);
    expect(order).toEqual(["overloaded", "quota_in_flight"]);
  });

  test("give what they got back when the second of two places does not come", async () => {
    const limits = limitsOf({ waitMs: 10 });
    const inside = await unpack(
      limits,
      Array.from({ length: 64 }, (_unused, at) => `holder ${at % 4}`),
      "ingest",
    );
    for (let at = 0; at < 20; at += 1) {
      const passage = await limits.enter("ingest", "late", 0);
      expect(await reasonOf(() => passage.toUnpack())).toBe("overloaded");
      passage.leave();
    }
    for (const passage of inside) passage.leave();
    expect(await unpack(limits, Array<string>(16).fill("late"), "ingest")).toHaveLength(16);
  });
});
