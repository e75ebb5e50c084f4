import { maxFilterLength } from "../logs/filter.ts";
import { withParameters } from "../views/filter-form.tsx";
import type { Sample } from "../engines/prometheus.ts";
import type { PageContext } from "../page-context.ts";
import { Data, duration, percent, perSecond } from "../views/format.tsx";
import { drawn } from "../views/missing.tsx";
import { Empty, Panel } from "../views/panel.tsx";
import { State, type StateKind } from "../views/state.tsx";

interface ServiceHealth {
  readonly name: string;
  /** 1 ready, 0 alive and not ready, absent when it has fallen silent. */
  readonly up: number | undefined;
  readonly instances: number;
  readonly rate: number;
  readonly errorRatio: number;
  readonly p95Ms: number;
}

/** One question for all of it: the name of each part is put into a label. */
export const healthQuestion = [
  ["up", "max by (service_name) (last_over_time(app_up[30s]))"],
  ["seen", "max by (service_name) (last_over_time(app_up[1d]))"],
  ["instances", "count by (service_name) (last_over_time(app_up[30s]))"],
  ["rate", "service:http_requests:rate5m"],
  ["errors", "service:http_errors:ratio_rate5m"],
  ["p95", "service:http_request_duration_seconds:p95_5m"],
]
  .map(([part, query]) => `label_replace(${query}, "part", "${part}", "", "")`)
  .join(" or ");

export async function servicesPanel({ engines, deps, person }: PageContext) {
  const [answer, holds] = await Promise.all([
    engines.prometheus.instant(healthQuestion),
    deps.thresholds.holdsFor(person.id),
  ]);
  const limits = { errorRatio: holds("error_ratio"), p95Ms: holds("latency_p95_seconds") * 1_000 };
  return (
    <Panel title="Services">
      {drawn(answer, (samples) => (
        <ServiceTable services={toServices(samples)} limits={limits} />
      ))}
    </Panel>
  );
}

export function toServices(samples: readonly Sample[]): readonly ServiceHealth[] {
  const byService = Map.groupBy(samples, ({ labels }) => labels["service_name"] ?? "unknown");
  return [...byService]
    .map(([name, own]) => {
      const part = (wanted: string) => own.find(({ labels }) => labels["part"] === wanted)?.value;
      return {
        name,
        up: part("up"),
        instances: part("instances") ?? 0,
        rate: part("rate") ?? 0,
        errorRatio: part("errors") ?? 0,
        p95Ms: (part("p95") ?? Number.NaN) * 1_000,
      };
    })
    .toSorted((a, b) => a.name.localeCompare(b.name));
}

/** From which values on a service is not well, for whoever looks. */
type Limits = Pick<ServiceHealth, "errorRatio" | "p95Ms">;

function stateOf({ up, errorRatio, p95Ms, rate }: ServiceHealth, limits: Limits): readonly [StateKind, string] {
  if (up === undefined) return ["bad", "silent"];
  if (up === 0) return ["warn", "not ready"];
  if (rate > 0 && errorRatio > limits.errorRatio) return ["warn", "failing"];
  return rate > 0 && p95Ms > limits.p95Ms ? ["warn", "slow"] : ["good", "ready"];
}

interface ServiceTableProps {
  readonly services: readonly ServiceHealth[];
  readonly limits: Limits;
}

function ServiceTable({ services, limits }: ServiceTableProps) {
  if (services.length === 0) return <Empty>No service has sent a heartbeat yet.</Empty>;
  return (
    <div class="scroll" data-keep-scroll="">
      <table>
        <thead>
          <tr>
            <th scope="col">Service</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Requests/s
            </th>
            <th scope="col" class="number">
              Failed
            </th>
            <th scope="col" class="number">
              p95
            </th>
          </tr>
        </thead>
        <tbody>
          {services.map((service) => {
            const [kind, word] = stateOf(service, limits);
            return (
              <tr>
                <th scope="row">
                  <a href={withParameters("/requests", {}, { service: service.name.slice(0, maxFilterLength) })}>
                    <Data text={service.name} max={60} />
                  </a>
                  {service.instances > 1 ? <small class="unbroken"> × {service.instances}</small> : null}
                </th>
                <td>
                  <State kind={kind}>{word}</State>
                </td>
                <td class="number">{perSecond(service.rate)}</td>
                <td class={`number ${service.errorRatio > 0 ? "hot" : ""}`}>{percent(service.errorRatio)}</td>
                <td class={`number ${service.p95Ms > limits.p95Ms ? "hot" : ""}`}>{duration(service.p95Ms)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
