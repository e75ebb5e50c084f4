import {
  type ActiveFault,
  type FaultName,
  faultNames,
  type FaultParameters,
  type FaultRequest,
  faults as table,
  type FaultService,
  hasFault,
} from "@vitrine/contracts/faults";
import { metrics } from "@vitrine/contracts/telemetry";
import { ServiceError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { observe } from "../telemetry/instruments.ts";

/** What a fault does by itself while it is on; ends soon after `signal` is aborted. */
export type Effect<N extends FaultName> = (parameters: FaultParameters<N>, signal: AbortSignal) => Promise<void>;

export type Effects = { readonly [N in FaultName]?: Effect<N> };

export interface FaultsOptions {
  readonly service: FaultService;
  /** Without it nothing can be switched on. */
  readonly enabled: boolean;
  readonly logger: Logger;
  readonly effects?: Effects;
}

/** The injected faults of one process. They live in memory: what restarts is without faults. */
export interface Faults {
  readonly enabled: boolean;
  /** Faults this service has. */
  readonly names: readonly FaultName[];
  /** What is on now. */
  list(): readonly ActiveFault[];
  /**
   * Switches a fault on, or on anew, until its time has passed.
   * @throws ServiceError `not_found` where faults are not enabled or not of this service, `invalid_request` by parameter
   */
  switchOn(name: FaultName, request: FaultRequest): ActiveFault;
  /** @throws ServiceError `not_found` where faults are not enabled or not of this service */
  switchOff(name: FaultName): void;
  /** The parameters of a fault that is on; `undefined` while it is off. */
  parametersOf<N extends FaultName>(name: N): FaultParameters<N> | undefined;
  isAnyOn(): boolean;
  /** Switches everything off. */
  close(): Promise<void>;
}

interface On {
  readonly fault: ActiveFault;
  readonly stopping: AbortController;
  readonly timer: Timer;
  readonly working: Promise<void>;
}

/** Keeps which faults are on, switches them off when their time has passed, tells both as `fault.active` and a log line. */
export function createFaults({ service, enabled, logger, effects = {} }: FaultsOptions): Faults {
  const names = faultNames.filter((name) => hasFault(service, name));
  const on = new Map<FaultName, On>();
  if (enabled)
    observe(metrics.faultActive, (report) => {
      for (const name of names) report(on.has(name) ? 1 : 0, { "fault.name": name });
    });

  function known(name: FaultName): void {
    if (!enabled) throw new ServiceError("not_found", "fault injection is not enabled here");
    if (!names.includes(name)) throw new ServiceError("not_found", `${service} has no fault ${name}`);
  }

  function start(name: FaultName, { forSeconds, parameters: given }: FaultRequest): ActiveFault {
    const parameters = parse(name, given);
    end(name);
    const since = Date.now();
    const fault: ActiveFault = {
      name,
      service,
      parameters,
      since: new Date(since).toISOString(),
      until: new Date(since + forSeconds * 1_000).toISOString(),
    };
    const stopping = new AbortController();
    const timer = setTimeout(() => stop(name, "its time has passed"), forSeconds * 1_000);
    const working = Promise.resolve(effects[name]?.(parameters as never, stopping.signal)).catch((err: unknown) =>
      logger.error({ action: "fault.off", err, extra: { fault: name } }, "a fault could not go on"),
    );
    on.set(name, { fault, stopping, timer, working });
    logger.warn({ action: "fault.on", extra: { fault: name, ...parameters, until: fault.until } }, `${name} is on`);
    return fault;
  }

  /** True when it was on. */
  function end(name: FaultName): boolean {
    const active = on.get(name);
    if (active === undefined) return false;
    clearTimeout(active.timer);
    active.stopping.abort();
    return on.delete(name);
  }

  function stop(name: FaultName, why: string): void {
    if (end(name)) logger.warn({ action: "fault.off", extra: { fault: name } }, `${name} is off: ${why}`);
  }

  return {
    enabled,
    names,
    list: () => [...on.values()].map(({ fault }) => fault),
    switchOn: (name, request) => {
      known(name);
      return start(name, request);
    },
    switchOff: (name) => {
      known(name);
      stop(name, "switched off");
    },
    parametersOf: <N extends FaultName>(name: N) => on.get(name)?.fault.parameters as FaultParameters<N> | undefined,
    isAnyOn: () => on.size > 0,
    close: async () => {
      const working = [...on.values()].map((active) => active.working);
      for (const name of names) stop(name, "the service stops");
      await Promise.all(working);
    },
  };
}

function parse(name: FaultName, given: FaultRequest["parameters"]): Readonly<Record<string, number>> {
  const parsed = table[name].parameters.safeParse(given);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(({ path, message }) => ({
    field: ["parameters", ...path].join("."),
    message,
  }));
  throw new ServiceError("invalid_request", fields.map(({ field, message }) => `${field}: ${message}`).join("; "), {
    fields,
  });
}
