import type { AlertmanagerWebhook } from "@vitrine/contracts/alerts";
import { metrics } from "@vitrine/contracts/telemetry";
import { ServiceError } from "@vitrine/kit/errors";
import type { Logger } from "@vitrine/kit/log";
import { observe } from "@vitrine/kit/telemetry";
import { type AcceptDeps, type AcceptedWebhook, acceptWebhook } from "../accept.ts";
import { cleanWebhook } from "../clean.ts";
import type { Events } from "../events.ts";
import { toAlerts } from "../news.ts";
import { readKnown } from "../store/known.ts";
import type { Journal, Settleable } from "./journal.ts";
import type { Memory } from "./memory.ts";
import { settle } from "./settle.ts";
import type { Teller, Told } from "./teller.ts";

export interface ReceiverOptions extends AcceptDeps {
  readonly memory: Memory;
  readonly journal: Journal;
  readonly teller: Teller;
  readonly events: Events;
  readonly logger: Logger;
}

export interface Receiver {
  /**
   * Stores a webhook, or tells it directly while the database is away.
   *
   * @throws ServiceError `unavailable` where it is not stored and not everybody was told: it must come again
   */
  receive(webhook: AlertmanagerWebhook): Promise<AcceptedWebhook>;
  /** Reads what there is to know for the next outage, and stores what the last one left. */
  refresh(): Promise<void>;
  /** What must be done before anything can be stored; while it fails for want of a database, presets are told. */
  prepare(work: () => Promise<void>): Promise<void>;
  /** @throws Error saying so while there is something told that is not stored, or more targets than are known */
  check(): Promise<void>;
}

/** Milliseconds, below the ten seconds that Alertmanager waits: a database that hangs is away, too. */
const storeTimeoutMs = 5_000;
/** An attempt to store that fails only after so many milliseconds is not made again for as many as follow. */
const slowMs = 1_000;
const restMs = 5_000;

export function createReceiver(options: ReceiverOptions): Receiver {
  const { database, memory, journal, teller, events, logger } = options;
  let last: Promise<unknown> = Promise.resolve();
  let preparation: "done" | "running" | "failed" = "done";
  /** The database is away, and that has been said. */
  let isDegraded = false;
  /** Until it is aborted alerts are told without asking the database, or each would wait for it in vain. */
  let resting: AbortSignal | undefined;
  observe(metrics.notifierUnstored, (report) => report(journal.size()));

  /** Whether something is stored or told is decided for one webhook after the other, or it would be both. */
  function alone<T>(work: () => Promise<T>): Promise<T> {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  }

  async function store(webhook: AlertmanagerWebhook): Promise<AcceptedWebhook> {
    if (preparation === "failed" || resting?.aborted === false || teller.isBusy()) throw unavailable();
    await settleJournal(journal.settleable([...toAlerts(webhook).keys()], options.now()));
    const { known, ...accepted } = await within(storeTimeoutMs, (late) => acceptWebhook(options, webhook, late));
    memory.put(known);
    return accepted;
  }

  async function settleJournal(part: Settleable): Promise<void> {
    if (part.changes.length > 0) {
      const extra = { changes: part.changes.length, messages: part.messages.length };
      try {
        const known = await within(storeTimeoutMs, (late) =>
          database.transaction(async (tx) => {
            await settle(tx, options, part);
            const read = await readKnown(tx);
            if (late.aborted) throw unavailable();
            return read;
          }),
        );
        memory.put(known);
        logger.info({ action: "notifier.caught_up", extra }, "what was told without the database is stored");
      } catch (err) {
        if (isAway(err)) throw err;
        // Kept, it would hold up every alert to come; who was told of these may be told again.
        logger.error({ action: "notifier.outbox_failed", err, extra }, "what was told directly cannot be stored");
      }
      journal.settled(part);
    }
    isDegraded = false;
  }

  function degrade(err: unknown): void {
    if (!isDegraded) {
      const extra = { targets: memory.targets().length, only_presets: !memory.isRead() };
      logger.warn({ action: "notifier.degraded", err, extra }, "the database is away: alerts are told directly");
    }
    isDegraded = true;
  }

  async function begin(webhook: AlertmanagerWebhook): Promise<Begun> {
    const slow = AbortSignal.timeout(slowMs);
    try {
      return { accepted: await store(webhook) };
    } catch (err) {
      if (!isAway(err)) throw err;
      if (slow.aborted) resting = AbortSignal.timeout(restMs);
      degrade(err);
      // Not awaited here: a slow target must not hold up the next webhook.
      return { telling: { told: teller.tell(webhook) } };
    }
  }

  return {
    receive: async (webhook) => {
      if (preparation === "running") throw unavailable();
      const clean = cleanWebhook(webhook);
      const begun = await alone(() => begin(clean));
      const { changes, messages } = "accepted" in begun ? begun.accepted : await begun.telling.told;
      if (changes.length > 0) events.received(changes, messages);
      if ("telling" in begun && !(await begun.telling.told).isWhole) throw unavailable();
      return { changes, messages };
    },
    refresh: () =>
      alone(async () => {
        if (preparation !== "done" || teller.isBusy()) return;
        await settleJournal(journal.settleable());
        memory.put(await within(storeTimeoutMs, () => readKnown(database)));
        resting = undefined;
      }),
    prepare: async (work) => {
      if (preparation === "done") preparation = "running";
      try {
        await work();
        memory.put(await readKnown(database));
        preparation = "done";
      } catch (err) {
        preparation = isAway(err) ? "failed" : "running";
        throw err;
      }
    },
    check: async () => {
      if (preparation === "failed") throw new Error("without the database only preset targets are told");
      if (journal.size() > 0) throw new Error("alerts were told directly and are not stored yet");
    },
  };
}

type Begun = { readonly accepted: AcceptedWebhook } | { readonly telling: { readonly told: Promise<Told> } };

function unavailable(): ServiceError {
  return new ServiceError("unavailable", undefined, { reason: "database", retryAfterSeconds: 2 });
}

function isAway(err: unknown): boolean {
  return err instanceof ServiceError && err.code === "unavailable";
}

/** @throws ServiceError `unavailable` after `ms`; the work is told, and must leave nothing behind that lasts */
function within<T>(ms: number, work: (late: AbortSignal) => Promise<T>): Promise<T> {
  const late = AbortSignal.timeout(ms);
  const { promise, reject } = Promise.withResolvers<never>();
  late.addEventListener("abort", () => reject(unavailable()));
  return Promise.race([work(late), promise]);
}
