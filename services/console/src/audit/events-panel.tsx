import { auditPage as auditAnswer, type AuditParty, auditQuery, type AuditRecord } from "@vitrine/contracts/people";
import type { Child } from "hono/jsx";
import type { PageContext } from "../page-context.ts";
import { withParameters } from "../views/filter-form.tsx";
import { Data, Time, visible } from "../views/format.tsx";
import { drawn } from "../views/missing.tsx";
import { howMany } from "../views/newest.tsx";
import { Empty, Panel } from "../views/panel.tsx";
import { RequestLink } from "../views/request-link.tsx";
import { State } from "../views/state.tsx";
import { type AuditFilter, auditPath, isNarrowed, timesOf } from "./filter.tsx";

const pageSize = 100;

/** What happened, the newest first. */
export async function eventsPanel({ ask, deps }: PageContext, filter: AuditFilter) {
  // Pages of one list are of one time: a length that is chosen moves on while they are turned.
  const asked: AuditFilter = { ...filter, ...timesOf(filter, deps.now()), last: undefined };
  const answer = await ask({
    source: "auth",
    path: "/api/auth/audit",
    query: { ...asked, limit: String(pageSize) },
    answer: auditAnswer,
  });
  const shown = answer.ok ? answer.value.items.length : 0;
  const older = filter.cursor === undefined ? howMany(shown, pageSize) : `${shown} older ones`;
  return (
    <Panel title="Events" aside={answer.ok ? <small>{older}</small> : undefined}>
      {drawn(answer, ({ items, next }) =>
        items.length === 0 ? (
          <Empty>
            {isNarrowed(filter) ? "Nothing like that. Another name, or more time?" : "Nothing has happened yet."}
          </Empty>
        ) : (
          <>
            <Events items={items} filter={filter} />
            {next === null ? null : (
              <p class="links">
                <a href={withParameters(auditPath, asked, { cursor: next })}>Older ones</a>
              </p>
            )}
          </>
        ),
      )}
    </Panel>
  );
}

interface EventsProps {
  readonly items: readonly AuditRecord[];
  readonly filter: AuditFilter;
}

function Events({ items, filter }: EventsProps) {
  return (
    <div class="scroll" data-keep-scroll="">
      <table class="broad">
        <thead>
          <tr>
            {["When", "Event", "What", "Who", "To whom or what", "From"].map((title) => (
              <th scope="col">{title}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <Row item={item} filter={filter} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ item, filter }: { readonly item: AuditRecord; readonly filter: AuditFilter }) {
  const narrowed = (changes: Partial<AuditFilter>) =>
    withParameters(auditPath, filter, { ...changes, cursor: undefined });
  return (
    <tr>
      <td>
        <Time ms={Date.parse(item.at)} />
      </td>
      <td>
        <State kind={item.outcome === "success" ? "good" : "bad"}>
          <RequestLink id={item.requestId}>
            <Data text={item.event} max={80} />
          </RequestLink>
        </State>
      </td>
      <td>
        <Narrower of="action" value={item.action} toAddress={(action) => narrowed({ action })}>
          <Data text={item.action} max={80} />
        </Narrower>
        {item.reason === null ? null : (
          <small>
            {" "}
            <Data text={item.reason} max={120} />
          </small>
        )}
      </td>
      <td>
        <Party id={item.actor} knownAs={item.actorKnownAs} toAddress={(who) => narrowed({ who })} />
      </td>
      <td>
        <Party id={item.target} knownAs={item.targetKnownAs} toAddress={(who) => narrowed({ who })} />
      </td>
      <td class="unbroken">
        <Data text={item.address ?? "–"} max={64} />
      </td>
    </tr>
  );
}

/** Said where a name alone could be taken for a person's. */
const kinds = { person: undefined, client: "client", ingest_key: "key" } as const;

interface PartyProps {
  readonly id: string | null;
  readonly knownAs: AuditParty | null;
  readonly toAddress: (id: string) => string;
}

/** By name where somebody has the id, and by the id where nobody has it any more; it leads to all they had part in. */
function Party({ id, knownAs, toAddress }: PartyProps) {
  if (id === null) return <>–</>;
  const kind = knownAs === null ? undefined : kinds[knownAs.kind];
  return (
    <>
      <Narrower of="who" value={id} toAddress={toAddress}>
        <span title={visible(id, 128)} class={knownAs === null ? "mono" : undefined}>
          <Data text={knownAs?.name ?? id} max={64} />
        </span>
      </Narrower>
      {kind === undefined ? null : <small> {kind}</small>}
    </>
  );
}

interface NarrowerProps {
  readonly of: "who" | "action";
  readonly value: string;
  readonly toAddress: (value: string) => string;
  readonly children?: Child;
}

/** Leads to all there is of it, where it can be asked for. */
function Narrower({ of, value, toAddress, children }: NarrowerProps) {
  return auditQuery[of].safeParse(value).success ? <a href={toAddress(value)}>{children}</a> : <>{children}</>;
}
