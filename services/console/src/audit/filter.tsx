import { auditQuery } from "@vitrine/contracts/people";
import { securityActions } from "@vitrine/contracts/telemetry";
import { z } from "zod";
import { spanParameters, spans, unlessEmpty } from "../logs/filter.ts";
import { Choice, Field } from "../views/filter-form.tsx";

export const auditPath = "/audit";

/** A time as its field in a form writes it, without a zone: it is in UTC, as all times of the pages are. */
const fieldMoment = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d(?:\.\d{1,3})?)?$/;

function momentOfField(value: unknown): unknown {
  const [, minute, seconds = ":00"] = (typeof value === "string" && fieldMoment.exec(value)) || [];
  return minute === undefined ? value : `${minute}${seconds}Z`;
}

/** What people type is not always without spaces around it. */
const trimmed = (value: unknown): unknown => (typeof value === "string" ? value.trim() : value);

/** What the address of the page says, as auth is asked; what auth would refuse is refused here, in the same words. */
export const auditParameters = z.object({
  who: z.preprocess(trimmed, unlessEmpty(auditQuery.who)),
  event: unlessEmpty(auditQuery.event),
  action: z.preprocess(trimmed, unlessEmpty(auditQuery.action)),
  outcome: unlessEmpty(auditQuery.outcome),
  from: z.preprocess(momentOfField, spanParameters.from),
  to: z.preprocess(momentOfField, spanParameters.to),
  last: spanParameters.last,
  cursor: z.string().max(512).optional(),
});

export type AuditFilter = z.output<typeof auditParameters>;

/** From when to when auth is asked; a length that is chosen is until now, whatever dates still stand in the form. */
export function timesOf({ from, to, last }: AuditFilter, nowMs: number): Pick<AuditFilter, "from" | "to"> {
  if (last !== undefined) return { from: new Date(nowMs - spans[last]).toISOString(), to: undefined };
  const turned = from !== undefined && to !== undefined && Date.parse(from) > Date.parse(to);
  return turned ? { from: to, to: from } : { from, to };
}

/** Nothing more is added to it: it has an end, or is a page that was turned. */
export function isPast({ cursor, last, to }: AuditFilter, nowMs: number): boolean {
  return cursor !== undefined || (last === undefined && to !== undefined && Date.parse(to) <= nowMs);
}

/** Whether it leaves anything out. */
export function isNarrowed(filter: AuditFilter): boolean {
  return Object.entries(filter).some(([name, value]) => name !== "cursor" && value !== undefined);
}

/** A plain form: the address of what it finds can be kept and sent to others. */
export function AuditSearch({ filter }: { readonly filter: AuditFilter }) {
  const chosen = filter.last === undefined && (filter.from !== undefined || filter.to !== undefined);
  return (
    <form class="filter" action={auditPath} role="search">
      <Field name="who" label="Who, or to whom" values={filter} placeholder="name or id" max={128} />
      <Choice
        name="event"
        label="Event"
        values={filter}
        options={[["", "any"] as const, ...securityActions.toSorted().map((name) => [name, name] as const)]}
      />
      <Field
        name="action"
        label="What"
        values={filter}
        placeholder="role_change"
        max={64}
        pattern="\s*[a-z][a-z0-9_]*\s*"
        title="an action such as role_change"
      />
      <Choice
        name="outcome"
        label="Outcome"
        values={filter}
        options={[
          ["", "any"],
          ["success", "done"],
          ["failure", "refused or failed"],
        ]}
      />
      <Choice
        name="last"
        label="Time"
        values={filter}
        options={[
          ["", chosen ? "as chosen" : "any"] as const,
          ...Object.keys(spans).map((name) => [name, `last ${name}`] as const),
        ]}
      />
      <Moment name="from" label="From, UTC" value={chosen ? filter.from : undefined} />
      <Moment name="to" label="To, UTC" value={chosen ? filter.to : undefined} />
      <button>Search</button>
      <a href={auditPath}>Clear</a>
    </form>
  );
}

interface MomentProps {
  readonly name: string;
  readonly label: string;
  readonly value: string | undefined;
}

function Moment({ name, label, value }: MomentProps) {
  return (
    <label>
      {label}
      <input name={name} type="datetime-local" step="any" value={value === undefined ? "" : toField(value)} />
    </label>
  );
}

/** To the minute where that says it all. */
function toField(moment: string): string {
  return new Date(moment)
    .toISOString()
    .slice(0, -1)
    .replace(/(?::00)?\.000$/, "");
}
