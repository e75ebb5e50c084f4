import type { Engines } from "../engines/engines.ts";
import type { Sample } from "../engines/prometheus.ts";
import { count, percent } from "../views/format.tsx";
import { drawn } from "../views/missing.tsx";
import { Empty, Figure, Panel } from "../views/panel.tsx";
import { Sparkline } from "../views/sparkline.tsx";

const hourMs = 3_600_000;

const question = [
  ["taken", 'sum(increase(orders_placed_total{order_status="reserved"}[1h]))'],
  ["failed", 'sum(increase(orders_placed_total{order_status="failed"}[1h]))'],
  ["value", "sum by (currency) (increase(orders_value_total[1h]))"],
]
  .map(([part, query]) => `label_replace(${query}, "part", "${part}", "", "")`)
  .join(" or ");

export async function ordersPanel({ prometheus }: Engines, nowMs: number) {
  const [now, course] = await Promise.all([
    prometheus.instant(question),
    prometheus.range("sum(rate(orders_placed_total[5m])) * 60", { fromMs: nowMs - 3 * hourMs, toMs: nowMs }, 120),
  ]);
  return (
    <Panel title="Orders" aside={<small>last hour</small>}>
      {drawn(now, (samples) => {
        const part = (wanted: string) => samples.filter(({ labels }) => labels["part"] === wanted);
        const taken = part("taken")[0]?.value ?? 0;
        const failed = part("failed")[0]?.value ?? 0;
        const values = part("value").filter(({ value }) => value > 0);
        return (
          <>
            <dl class="figures">
              <Figure label="Taken" value={count(Math.round(taken))} />
              <Figure
                label="Failed"
                value={count(Math.round(failed))}
                note={taken + failed > 0 ? percent(failed / (taken + failed)) : undefined}
              />
              <Figure label="Value" value={values.length === 0 ? "–" : <Amounts values={values} />} />
            </dl>
            {course.ok ? <Sparkline points={course.value[0]?.points ?? []} /> : null}
            {course.ok && course.value.length > 0 ? (
              <p class="small">Orders per minute over three hours.</p>
            ) : (
              <Empty>No order has been taken in three hours.</Empty>
            )}
          </>
        );
      })}
    </Panel>
  );
}

/** Of different currencies there is no sum. */
function Amounts({ values }: { readonly values: readonly Sample[] }) {
  return (
    <ul class={values.length > 1 ? "amounts" : "amounts one"}>
      {values.map(({ labels, value }) => (
        <li>{amount(value, labels["currency"])}</li>
      ))}
    </ul>
  );
}

/** Whole units of a currency, shortened: an overview wants the size of it. */
export function amount(value: number, currency: string | undefined): string {
  const form = { maximumFractionDigits: 1, notation: "compact" } as const;
  const known = currency !== undefined && /^[A-Z]{3}$/.test(currency);
  return new Intl.NumberFormat("en", known ? { ...form, style: "currency", currency } : form).format(value);
}
