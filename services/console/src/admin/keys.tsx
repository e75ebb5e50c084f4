import { type IngestKey, ingestKeyPage } from "@vitrine/contracts/ingest-keys";
import type { PageContext } from "../page-context.ts";
import { Data, Time } from "../views/format.tsx";
import { drawn } from "../views/missing.tsx";
import { Empty, Panel } from "../views/panel.tsx";
import { State, type StateKind } from "../views/state.tsx";

const kinds: Readonly<Record<IngestKey["status"], StateKind>> = { active: "good", expired: "warn", revoked: "idle" };

/** Keys that write telemetry: who has one, what it may write, when it was used. */
export async function keysPanel({ ask, person }: PageContext) {
  if (!person.may("keys:admin")) return null;
  const answer = await ask({
    source: "auth",
    path: "/api/auth/ingest-keys",
    query: { limit: "100" },
    answer: ingestKeyPage,
  });
  return (
    <Panel title="Ingest keys">
      {drawn(answer, ({ items }) =>
        items.length === 0 ? (
          <Empty>There are none yet.</Empty>
        ) : (
          <ul class="rows">
            {items.map((key) => (
              <KeyRow
                ingestKey={key}
                active={items.filter(({ name, status }) => name === key.name && status === "active").length}
              />
            ))}
          </ul>
        ),
      )}
    </Panel>
  );
}

function KeyRow({ ingestKey: key, active }: { readonly ingestKey: IngestKey; readonly active: number }) {
  return (
    <li>
      <span class="name">
        <Data text={key.name} max={64} /> <small class="mono">{key.id}</small>
      </span>
      <State kind={kinds[key.status]}>{key.status}</State>
      {key.status === "active" && !key.preset ? (
        <span class="end actions">
          {active < 2 ? <Rotate ingestKey={key} /> : null}
          <form
            data-api={`DELETE /api/auth/ingest-keys/${encodeURIComponent(key.id)}`}
            data-then="reload"
            data-confirm={`Refuse the key ${key.id} of ${key.name} from now on?`}
          >
            <button class="quiet">Revoke</button>
          </form>
        </span>
      ) : null}
      <p class="small full">
        {key.scopes.join(", ")} as <Data text={key.service ?? `${key.servicePrefix ?? ""}…`} max={80} />
        {", made "}
        <Time ms={Date.parse(key.createdAt)} />
        {key.lastUsedAt === undefined ? (
          ", never used"
        ) : (
          <>
            {", used "}
            <Time ms={Date.parse(key.lastUsedAt)} />
          </>
        )}
        {key.expiresAt === undefined ? null : (
          <>
            {", until "}
            <Time ms={Date.parse(key.expiresAt)} />
          </>
        )}
        {key.preset ? ", of the configuration" : ""}
      </p>
    </li>
  );
}

/** A second key of the same name; the first is revoked when nobody uses it any more. */
function Rotate({ ingestKey: key }: { readonly ingestKey: IngestKey }) {
  return (
    <form data-api="POST /api/auth/ingest-keys" data-show="#made-key">
      <input type="hidden" name="name" value={key.name} />
      <input type="hidden" name="scopes" value={JSON.stringify(key.scopes)} data-type="json" />
      {key.service === undefined ? (
        <input type="hidden" name="servicePrefix" value={key.servicePrefix ?? ""} />
      ) : (
        <input type="hidden" name="service" value={key.service} />
      )}
      <button class="quiet">Rotate</button>
    </form>
  );
}

const writable = ["logs:write", "metrics:write", "traces:write"] as const;

export function newKeyPanel() {
  return (
    <Panel title="A new key">
      <form class="filter" data-api="POST /api/auth/ingest-keys" data-show="#made-key">
        <label>
          Name
          <input name="name" required pattern="[a-z][a-z0-9\-]{0,62}" maxlength={63} placeholder="partner" />
        </label>
        <label>
          Speaks for the service
          <input name="service" required maxlength={128} placeholder="partner-shop" />
        </label>
        <fieldset class="checks">
          <legend class="small">May write</legend>
          {writable.map((scope) => (
            <label class="check">
              <input type="checkbox" name="scopes" value={scope} checked data-type="list" /> {scope.split(":")[0]}
            </label>
          ))}
        </fieldset>
        <button>Make it</button>
        <p class="problem" role="alert"></p>
      </form>
      <div id="made-key" class="made" hidden>
        <p>
          The key of <b data-field="name"></b>. It is shown this once:
        </p>
        <p>
          <code class="data" data-field="key" tabindex={0}></code>
        </p>
        <p class="small">
          Send it as <code>Authorization: Bearer</code>. To rotate: give it to the client, and revoke the old one once
          it is not used any more.
        </p>
        <p>
          <a href="/clients">Done</a>
        </p>
      </div>
    </Panel>
  );
}
