import type { NewTarget, Target, TargetChange } from "@vitrine/contracts/targets";
import { ServiceError } from "@vitrine/kit/errors";
import { type Database, type Queryable, sqlState } from "@vitrine/kit/postgres";
import { SealError } from "@vitrine/kit/seal";
import {
  destinationOf,
  parseSettings,
  rotated,
  type Settings,
  sealSettings,
  toSettings,
  unsealSettings,
} from "./settings.ts";
import {
  countTargets,
  deleteTarget,
  disableOtherPresets,
  findTarget,
  listTargets,
  lockTarget,
  putTarget,
  type StoredTarget,
} from "./store/targets.ts";

export interface TargetsOptions {
  readonly database: Database;
  readonly encryptionKey: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly newId: () => string;
}

/** Targets as the API has them: settings go in, and only the sender gets them out. */
export interface Targets {
  list(): Promise<readonly Target[]>;
  /** @throws ServiceError `not_found` */
  find(id: string): Promise<Target>;
  /** @throws ServiceError `name_taken`, or `too_many_targets` past 100 */
  create(target: NewTarget): Promise<Target>;
  /** @throws ServiceError `not_found`, `preset`, `name_taken`, or `invalid_request` for settings of another channel */
  change(id: string, change: TargetChange): Promise<Target>;
  /** @throws ServiceError `not_found`, `preset`, or `invalid_request` where nothing is signed */
  rotateSecret(id: string, secret: string, overlapHours: number): Promise<Target>;
  /** @throws ServiceError `not_found` or `preset` */
  remove(id: string): Promise<void>;
  /** Makes the targets of the file, and disables those that have left it. */
  putPresets(targets: readonly NewTarget[]): Promise<void>;
  /** The targets of the file as long as the database cannot be asked: under ids of their own. */
  ofPresets(targets: readonly NewTarget[]): readonly StoredTarget[];
}

const maxTargets = 100;
const hourMs = 3_600_000;
const presetOverlapHours = 24;

export function createTargets(options: TargetsOptions): Targets {
  const { database, encryptionKey, now, newId } = options;

  async function edit(id: string, work: (target: StoredTarget) => StoredTarget): Promise<Target> {
    const changed = await database.transaction(async (tx) => {
      const target = { ...work(await lockOwn(tx, id)), updatedAt: new Date(now()) };
      await putNamed(tx, target);
      return target;
    });
    return toTarget(changed);
  }

  function store(target: NewTarget, id: string, preset: boolean): StoredTarget {
    const at = new Date(now());
    const { settings: _, ...rest } = target;
    return { ...rest, ...sealed(toSettings(target), id), id, preset, createdAt: at, updatedAt: at };
  }

  function sealed(settings: Settings, id: string): Pick<StoredTarget, "settings" | "destination"> {
    return { settings: sealSettings(encryptionKey, id, settings), destination: destinationOf(settings) };
  }

  /** What a preset keeps of what it was; a secret that the file has changed signs on for a day. */
  function carried(before: StoredTarget, preset: NewTarget): Partial<StoredTarget> {
    const { id, createdAt } = before;
    const old = before.channel === "webhook" ? tryUnseal(encryptionKey, id, before.settings) : undefined;
    if (preset.channel !== "webhook" || old?.channel !== "webhook") return { createdAt };
    const { url, secret } = preset.settings;
    const isSame = old.settings.secrets[0]?.secret === secret;
    const kept = isSame ? old.settings : rotated(old.settings, secret, now() + presetOverlapHours * hourMs);
    return { createdAt, ...sealed({ channel: "webhook", settings: { ...kept, url } }, id) };
  }

  return {
    list: async () => (await listTargets(database)).map(toTarget),
    find: async (id) => toTarget(found(await findTarget(database, id))),
    create: async (target) => {
      if ((await countTargets(database)) >= maxTargets) throw new ServiceError("too_many_targets");
      const stored = store(target, newId(), false);
      await putNamed(database, stored);
      return toTarget(stored);
    },
    change: (id, { settings, ...change }) =>
      edit(id, (target) => ({
        ...target,
        ...defined(change),
        ...(settings === undefined ? {} : sealed(settingsFor(target, settings), id)),
      })),
    rotateSecret: (id, secret, overlapHours) =>
      edit(id, (target) => {
        const settings = unsealSettings(encryptionKey, id, target.settings);
        if (settings.channel !== "webhook") throw new ServiceError("invalid_request", "only webhooks are signed");
        const until = now() + overlapHours * hourMs;
        return { ...target, ...sealed({ ...settings, settings: rotated(settings.settings, secret, until) }, id) };
      }),
    remove: (id) =>
      database.transaction(async (tx) => {
        await lockOwn(tx, id);
        await deleteTarget(tx, id);
      }),
    ofPresets: (presets) => presets.map((preset) => store(preset, newId(), true)),
    putPresets: (presets) =>
      database.transaction(async (tx) => {
        // Two processes that start at once make each target once.
        await tx.query("select pg_advisory_xact_lock(hashtext('vitrine notifier'), 1)");
        const known = new Map((await listTargets(tx)).map((target) => [target.name, target]));
        for (const preset of presets) {
          const before = known.get(preset.name);
          const stored = store(preset, before?.id ?? newId(), true);
          await putTarget(tx, before === undefined ? stored : { ...stored, ...carried(before, preset) });
        }
        const names = presets.map(({ name }) => name);
        await disableOtherPresets(tx, names, new Date(now()));
      }),
  };
}

/** `undefined` where the key is another than it was: the file says all there is to say. */
function tryUnseal(key: Uint8Array, id: string, settings: Uint8Array): Settings | undefined {
  try {
    return unsealSettings(key, id, settings);
  } catch (error) {
    if (error instanceof SealError) return undefined;
    throw error;
  }
}

async function lockOwn(tx: Queryable, id: string): Promise<StoredTarget> {
  const target = found(await lockTarget(tx, id));
  if (target.preset) throw new ServiceError("preset", "it is set by a file: change it there");
  return target;
}

function found(target: StoredTarget | undefined): StoredTarget {
  if (target === undefined) throw new ServiceError("not_found", "there is no such target");
  return target;
}

async function putNamed(on: Queryable, target: StoredTarget): Promise<void> {
  try {
    await putTarget(on, target);
  } catch (cause) {
    if (sqlState(cause) === "23505") throw new ServiceError("name_taken", undefined, { cause });
    throw cause;
  }
}

function settingsFor({ channel }: StoredTarget, settings: unknown): Settings {
  const parsed = parseSettings(channel, settings);
  if (parsed.success) return toSettings({ channel, settings: parsed.data.settings });
  const fields = parsed.error.issues.map(({ path, message }) => ({ field: path.join("."), message }));
  throw new ServiceError("invalid_request", fields.map(({ field, message }) => `${field}: ${message}`).join("; "), {
    fields,
  });
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** What is given, so that a spread leaves the rest as it is. */
function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}

function toTarget(target: StoredTarget): Target {
  return {
    id: target.id,
    name: target.name,
    channel: target.channel,
    destination: target.destination,
    enabled: target.enabled,
    tiers: [...target.tiers],
    matchers: { ...target.matchers },
    sendResolved: target.sendResolved,
    quietHours: target.quietHours,
    preset: target.preset,
    createdAt: target.createdAt.toISOString(),
    updatedAt: target.updatedAt.toISOString(),
  };
}
