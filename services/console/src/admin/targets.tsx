import { channels, tiers } from "@vitrine/contracts/alerts";
import { type Target, targetList } from "@vitrine/contracts/targets";
import type { PageContext } from "../page-context.ts";
import { Data } from "../views/format.tsx";
import { drawn } from "../views/missing.tsx";
import type { Child } from "hono/jsx";
import { Empty, Panel } from "../views/panel.tsx";
import { State } from "../views/state.tsx";
import { Checks, quietWords, SecretInput, TargetSettings } from "./target-settings.tsx";

/** Whom alerts are told, and whether that works. */
export async function targetsPanel({ ask }: PageContext) {
  const answer = await ask({ source: "notifier", path: "/api/notifier/targets", answer: targetList });
  return (
    <Panel title="Whom alerts are told">
      {drawn(answer, ({ items }) =>
        items.length === 0 ? (
          <Empty>Nobody yet: what fires is on these pages only.</Empty>
        ) : (
          <>
            <ul class="rows">
              {items.map((target) => (
                <TargetRow target={target} />
              ))}
            </ul>
            <dl id="tested" class="attributes made" tabindex={-1} hidden>
              <dt>Delivered</dt>
              <dd data-field="delivered"></dd>
              <dt>Why not</dt>
              <dd data-field="failure"></dd>
              <dt>Status of the answer</dt>
              <dd data-field="status"></dd>
            </dl>
          </>
        ),
      )}
    </Panel>
  );
}

function TargetRow({ target }: { readonly target: Target }) {
  const { id, name, channel, destination, enabled, tiers: told, quietHours, matchers, preset } = target;
  const api = `/api/notifier/targets/${encodeURIComponent(id)}`;
  return (
    <li>
      <span class="name">
        {name} <small>{channel}</small>
      </span>
      <State kind={enabled ? "good" : "idle"}>{enabled ? told.join(", ") : "off"}</State>
      <span class="end actions">
        <form data-api={`POST ${api}/test`} data-show="#tested">
          <button class="quiet">Test</button>
        </form>
        {preset ? null : (
          <>
            <form data-api={`PATCH ${api}`} data-then="reload">
              <input type="hidden" name="enabled" value={String(!enabled)} data-type="json" />
              <button class="quiet">{enabled ? "Switch off" : "Switch on"}</button>
            </form>
            <form
              data-api={`DELETE ${api}`}
              data-then="reload"
              data-confirm={`Remove ${name}, and its messages with it?`}
            >
              <button class="quiet">Remove</button>
            </form>
          </>
        )}
      </span>
      <p class="small full">
        <Data text={destination} max={200} />
        {quietHours === null ? "" : `; ${quietWords(quietHours)}`}
        {Object.entries(matchers).map(([label, value]) => (
          <>
            {"; "}
            <Data text={`${label}=${value}`} max={200} />
          </>
        ))}
        {preset ? "; of the configuration" : ""}
      </p>
      {preset ? null : <TargetSettings target={target} />}
    </li>
  );
}

export function newTargetPanels() {
  return (
    <Panel title="Somebody else to tell">
      {channels
        .filter((channel) => channel !== "mail")
        .map((channel) => (
          <details id={`new-${channel}`}>
            <summary>{channel === "webhook" ? "A webhook" : channel === "slack" ? "Slack" : "Discord"}</summary>
            <NewTarget channel={channel}>
              <label>
                Address
                <input name="settings.url" type="url" required maxlength={2_048} />
              </label>
              {channel === "webhook" ? (
                <label>
                  Secret it is signed with
                  <SecretInput name="settings.secret" />
                </label>
              ) : null}
            </NewTarget>
          </details>
        ))}
      <details id="new-mail">
        <summary>Mail</summary>
        <NewTarget channel="mail">
          <MailSettings />
        </NewTarget>
      </details>
    </Panel>
  );
}

function NewTarget({ channel, children }: { readonly channel: string; readonly children?: Child }) {
  return (
    <form class="filter" data-api="POST /api/notifier/targets" data-then="reload">
      <input type="hidden" name="channel" value={channel} />
      <label>
        Name
        <input name="name" required pattern="[a-z0-9][a-z0-9\-]{0,62}" maxlength={63} />
      </label>
      {children}
      <Checks legend="Told of" name="tiers" values={tiers} checked={["critical", "warning"]} />
      <button>Add</button>
      <p class="problem" role="alert"></p>
    </form>
  );
}

const mailFields = [
  ["host", "Server", "text"],
  ["user", "User", "text"],
  ["password", "Password", "password"],
  ["from", "From", "email"],
  ["to", "To", "email"],
] as const;

function MailSettings() {
  return (
    <>
      {mailFields.map(([name, label, type]) => (
        <label>
          {label}
          <input
            name={`settings.${name}`}
            type={type}
            required={name !== "user" && name !== "password"}
            maxlength={254}
            autocomplete="off"
          />
        </label>
      ))}
      <label>
        Port
        <input name="settings.port" type="number" data-type="number" value="587" min="1" max="65535" />
      </label>
      <label>
        Security
        <select name="settings.security">
          {["starttls", "tls", "none"].map((security) => (
            <option value={security}>{security}</option>
          ))}
        </select>
      </label>
    </>
  );
}
