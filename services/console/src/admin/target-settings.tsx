import { tiers } from "@vitrine/contracts/alerts";
import { type QuietHours, type Target, weekdays } from "@vitrine/contracts/targets";

/** When a target is told nothing, of which alerts alone it is told, and the secret its messages are signed with. */
export function TargetSettings({ target }: { readonly target: Target }) {
  const api = `/api/notifier/targets/${encodeURIComponent(target.id)}`;
  return (
    <details class="full">
      <summary>Quiet time, labels{target.channel === "webhook" ? ", secret" : ""}</summary>
      <QuietForm api={api} quiet={target.quietHours} />
      <form class="filter" data-api={`PATCH ${api}`} data-then="reload">
        <label>
          Only alerts with these labels, a line each
          <textarea name="matchers" data-type="labels" rows={3} placeholder="service_name=orders">
            {Object.entries(target.matchers)
              .map(([name, value]) => `${name}=${value}`)
              .join("\n")}
          </textarea>
        </label>
        <button class="quiet">Keep</button>
      </form>
      {target.channel === "webhook" ? <SecretForm api={api} /> : null}
    </details>
  );
}

/** What a quiet time is, in words. */
export function quietWords({ windows, tiers: held, timeZone }: QuietHours): string {
  const times = windows.map(({ days, from, to }) => `${daysInWords(days)} ${from}–${to}`);
  return `${held.join(" and ")} wait ${times.join(", ")} (${timeZone})`;
}

function daysInWords(days: readonly string[]): string {
  if (days.length === weekdays.length) return "every day";
  return days.map((day) => `${day.slice(0, 1).toUpperCase()}${day.slice(1, 3)}`).join(", ");
}

interface QuietFormProps {
  readonly api: string;
  readonly quiet: QuietHours | null;
}

function QuietForm({ api, quiet }: QuietFormProps) {
  // Several windows are kept as they are: one form holds one.
  const [window, ...others] = quiet?.windows ?? [];
  return (
    <>
      {others.length > 0 ? null : (
        <form class="filter" data-api={`PATCH ${api}`} data-then="reload">
          <Checks
            legend="Quiet on"
            name="quietHours.windows.0.days"
            values={weekdays}
            checked={window?.days ?? weekdays}
          />
          <Checks
            legend="What waits"
            name="quietHours.tiers"
            values={tiers}
            checked={quiet?.tiers ?? ["warning", "info"]}
          />
          <label>
            From
            <input name="quietHours.windows.0.from" type="time" required value={window?.from ?? "22:00"} />
          </label>
          <label>
            To
            <input name="quietHours.windows.0.to" type="time" required value={window?.to ?? "07:00"} />
          </label>
          <label>
            Time zone
            <input name="quietHours.timeZone" required maxlength={64} value={quiet?.timeZone ?? "Europe/Paris"} />
          </label>
          <button class="quiet">Keep quiet then</button>
        </form>
      )}
      {quiet === null ? null : (
        <form data-api={`PATCH ${api}`} data-then="reload">
          <input type="hidden" name="quietHours" value="null" data-type="json" />
          <button class="quiet">No quiet time</button>
        </form>
      )}
    </>
  );
}

interface ChecksProps {
  readonly legend: string;
  readonly name: string;
  readonly values: readonly string[];
  readonly checked: readonly string[];
}

/** Boxes whose ticks make one list. */
export function Checks({ legend, name, values, checked }: ChecksProps) {
  return (
    <fieldset class="checks">
      <legend class="small">{legend}</legend>
      {values.map((value) => (
        <label class="check">
          <input type="checkbox" name={name} value={value} checked={checked.includes(value)} data-type="list" /> {value}
        </label>
      ))}
    </fieldset>
  );
}

function SecretForm({ api }: { readonly api: string }) {
  return (
    <form class="filter" data-api={`PUT ${api}/secret`} data-then="reload">
      <label>
        New secret
        <SecretInput name="secret" />
      </label>
      <label>
        Hours the old one signs, too
        <input name="overlapHours" type="number" data-type="number" value="24" min="0" max="168" />
      </label>
      <button class="quiet">Rotate</button>
    </form>
  );
}

export function SecretInput({ name }: { readonly name: string }) {
  return (
    <input
      name={name}
      required
      maxlength={120}
      autocomplete="off"
      placeholder="whsec_…"
      pattern="whsec_[A-Za-z0-9+\/=]{32,90}"
    />
  );
}
