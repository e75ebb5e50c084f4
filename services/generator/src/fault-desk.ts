import {
  activeFault,
  type ActiveFault,
  faultList,
  type FaultName,
  faultNames,
  type FaultOverview,
  faults as table,
  type FaultService,
  faultSwitch,
  faultServices,
  type FaultSwitch,
  hasFault,
} from "@vitrine/contracts/faults";
import { problem } from "@vitrine/contracts/problem";
import { ServiceError } from "@vitrine/kit/errors";
import type { Faults } from "@vitrine/kit/faults";
import type { TokenSource } from "@vitrine/kit/tokens/source";
import type { Answer, Gateway } from "./gateway.ts";

export interface FaultDeskOptions {
  readonly gateway: Gateway;
  readonly tokens: TokenSource;
  /** The generator's own: what happens to its customers. */
  readonly own: Faults;
}

/** Every fault of every service in one place; other services are asked through the gateway. */
export interface FaultDesk {
  overview(): Promise<FaultOverview>;
  /** @throws ServiceError `invalid_request`, `not_found`, or `upstream_failed` when no service could switch it on */
  switchOn(name: FaultName, request: FaultSwitch): Promise<readonly ActiveFault[]>;
  /** Off in every service. @throws ServiceError `upstream_failed` when one that may have it on did not answer */
  switchOff(name: FaultName): Promise<void>;
}

type Method = "GET" | "PUT" | "DELETE";

export function createFaultDesk({ gateway, tokens, own }: FaultDeskOptions): FaultDesk {
  /** @throws ServiceError as the other side told */
  async function ask(service: FaultService, method: Method, path: string, body?: unknown): Promise<Answer> {
    const route = `/api/${service}/faults`;
    const answer = await gateway.send({
      action: "fault",
      method,
      path: `${route}${path}`,
      route: path === "" ? route : `${route}/:name`,
      token: await tokens.get(),
      ...(body === undefined ? {} : { body }),
    });
    if (answer === undefined) throw new ServiceError("upstream_failed", `${service} does not answer`);
    if (answer.status < 400) return answer;
    const told = problem.safeParse(answer.body);
    const detail = told.data?.detail ?? `${service} answered ${answer.status}`;
    const known = answer.status === 400 ? "invalid_request" : answer.status === 404 ? "not_found" : "upstream_failed";
    throw new ServiceError(known, detail, told.data?.fields === undefined ? {} : { fields: told.data.fields });
  }

  async function listOf(service: FaultService): Promise<readonly ActiveFault[]> {
    if (service !== "generator") return faultList.parse((await ask(service, "GET", "")).body).items;
    if (!own.enabled) throw new ServiceError("not_found", "fault injection is not enabled here");
    return own.list();
  }

  async function switchOnAt(service: FaultService, name: FaultName, request: FaultSwitch): Promise<ActiveFault> {
    const { services: _, ...body } = faultSwitch.parse(request);
    if (service === "generator") return own.switchOn(name, body);
    return activeFault.parse((await ask(service, "PUT", `/${name}`, body)).body);
  }

  return {
    overview: async () => {
      const answers = await Promise.allSettled(faultServices.map(listOf));
      const active = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
      return {
        items: faultNames.map((name) => ({
          name,
          description: table[name].description,
          services: [...table[name].services],
          parameters: table[name].parameters.parse({}),
          active: active.filter((fault) => fault.name === name),
        })),
        silent: answers.flatMap((answer, index) => {
          const service = faultServices[index];
          if (answer.status === "fulfilled" || service === undefined) return [];
          return [{ service, reason: textOf(answer.reason) }];
        }),
      };
    },
    switchOn: async (name, request) => {
      const chosen = (request.services ?? faultServices).filter((service) => hasFault(service, name));
      if (chosen.length === 0) throw new ServiceError("not_found", `none of these services has the fault ${name}`);
      const answers = await Promise.allSettled(chosen.map((service) => switchOnAt(service, name, request)));
      const on = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
      const failed = answers.find((answer) => answer.status === "rejected");
      if (on.length === 0 && failed !== undefined) throw failed.reason;
      return on;
    },
    switchOff: async (name) => {
      const having = faultServices.filter((service) => hasFault(service, name));
      const answers = await Promise.allSettled(
        having.map(async (service) => {
          if (service === "generator") own.switchOff(name);
          else await ask(service, "DELETE", `/${name}`);
        }),
      );
      // Where faults are not enabled none is on.
      const failed = answers.find((answer) => answer.status === "rejected" && !isNotFound(answer.reason));
      if (failed?.status === "rejected") throw failed.reason;
    },
  };
}

function isNotFound(error: unknown): boolean {
  return error instanceof ServiceError && error.code === "not_found";
}

function textOf(error: unknown): string {
  return error instanceof ServiceError ? (error.detail ?? error.title) : "gave no usable answer";
}
