import type { Engines } from "../engines/engines.ts";
import type { Sample } from "../engines/prometheus.ts";
import { bytes, count, Data } from "../views/format.tsx";
import { drawn } from "../views/missing.tsx";
import { Empty, Panel } from "../views/panel.tsx";

const ingest = 'route=~"/v1/(logs|metrics|traces)|/loki/api/v1/push"';
const sent = "sum by (client_id, signal) (increase(gateway_ingest_size_bytes_total[1h])) > 0";
const refused = `sum by (client_id, reason, route) (increase(gateway_refusals_total{${ingest}}[1h])) > 0`;
const maxRows = 100;

/** Who sends what, by what the gateway took. */
export async function sendersPanel({ prometheus }: Engines) {
  const answer = await prometheus.instant(sent);
  return (
    <Panel title="Who sends what" aside={<a href="/dashboards/vitrine-telemetry-clients">over time</a>}>
      {drawn(answer, (samples) =>
        samples.length === 0 ? <Empty>Nobody sent anything in the last hour.</Empty> : <Senders samples={samples} />,
      )}
    </Panel>
  );
}

const signals = ["logs", "metrics", "traces"] as const;

function Senders({ samples }: { readonly samples: readonly Sample[] }) {
  const clients = [...Map.groupBy(samples, ({ labels }) => labels["client_id"] ?? "unknown")].slice(0, maxRows);
  return (
    <div class="scroll" data-keep-scroll="">
      <table>
        <thead>
          <tr>
            <th scope="col">Client</th>
            {signals.map((signal) => (
              <th scope="col" class="number">
                {signal}, 1 h
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {clients.map(([client, own]) => (
            <tr>
              <td>
                <a
                  href={`/dashboards/vitrine-telemetry-clients?${new URLSearchParams({ "var-client": client.slice(0, 256) })}`}
                >
                  <Data text={client} max={80} />
                </a>
              </td>
              {signals.map((signal) => (
                <td class="number">{bytes(own.find(({ labels }) => labels["signal"] === signal)?.value ?? 0)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The gateway counts together who showed no valid token. */
export function refusedName(client: string | undefined): string {
  return client === undefined || client === "" || client === "_anonymous" ? "nobody that is known" : client;
}

/** Who is turned away at the door for telemetry, and why. */
export async function refusedPanel({ prometheus }: Engines) {
  const answer = await prometheus.instant(refused);
  return (
    <Panel title="Who is refused, and why" aside={<a href="/dashboards/vitrine-access-control">over time</a>}>
      {drawn(answer, (samples) =>
        samples.length === 0 ? (
          <Empty>Nobody was in the last hour.</Empty>
        ) : (
          <div class="scroll" data-keep-scroll="">
            <table>
              <thead>
                <tr>
                  <th scope="col">Client</th>
                  <th scope="col">Why</th>
                  <th scope="col">At</th>
                  <th scope="col" class="number">
                    Requests, 1 h
                  </th>
                </tr>
              </thead>
              <tbody>
                {samples
                  .toSorted((a, b) => b.value - a.value)
                  .slice(0, maxRows)
                  .map(({ labels, value }) => (
                    <tr>
                      <td>
                        <Data text={refusedName(labels["client_id"])} max={80} />
                      </td>
                      <td>
                        <Data text={labels["reason"] ?? ""} max={80} />
                      </td>
                      <td class="mono">
                        <Data text={labels["route"] ?? ""} max={80} />
                      </td>
                      <td class="number">{count(Math.round(value))}</td>
                    </tr>
                  ))}
              </tbody>
            </table>
          </div>
        ),
      )}
    </Panel>
  );
}
