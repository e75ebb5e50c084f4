import { type Session, sessionList } from "@vitrine/contracts/people";
import type { Ask } from "../engines/ask.ts";
import { Data, Time } from "../views/format.tsx";
import { drawn } from "../views/missing.tsx";
import { Panel } from "../views/panel.tsx";

export async function sessionsPanel(ask: Ask) {
  const answer = await ask({ source: "auth", path: "/api/auth/sessions", answer: sessionList });
  return (
    <Panel title="Sessions">
      {drawn(answer, ({ items }) => (
        <>
          <ul class="rows">
            {items.map((session) => (
              <SessionRow session={session} />
            ))}
          </ul>
          {items.length > 1 ? (
            <form
              data-api="DELETE /api/auth/sessions?keep=current"
              data-then="reload"
              data-confirm="End every session but this one?"
            >
              <button>End all others</button>
            </form>
          ) : null}
        </>
      ))}
    </Panel>
  );
}

function SessionRow({ session }: { readonly session: Session }) {
  const { id, kind, current, lastUsedAt, expiresAt, address, userAgent } = session;
  return (
    <li>
      <span class="name">
        {kind === "cookie" ? "Browser" : "Token"}
        {current ? <small> this one</small> : null}
      </span>
      <form
        class="end"
        data-api={`DELETE /api/auth/sessions/${encodeURIComponent(id)}`}
        data-then={current ? "/login" : "reload"}
      >
        <button class="quiet">End</button>
      </form>
      <p class="small full">
        used <Time ms={Date.parse(lastUsedAt)} />, ends <Time ms={Date.parse(expiresAt)} />
        {address === undefined ? null : (
          <>
            , from <Data text={address} max={64} />
          </>
        )}
      </p>
      {userAgent === undefined ? null : (
        <p class="small full">
          <Data text={userAgent} max={160} />
        </p>
      )}
    </li>
  );
}

export function passwordPanel() {
  return (
    <Panel title="Password">
      <form class="stack" data-api="POST /api/auth/password" data-then="reload">
        <label>
          Current password
          <input name="currentPassword" type="password" autocomplete="current-password" required />
        </label>
        <label>
          New password
          <input name="newPassword" type="password" autocomplete="new-password" required minlength={8} />
        </label>
        <p class="hint">At least eight characters. All other sessions end.</p>
        <p class="problem" role="alert"></p>
        <button>Change the password</button>
      </form>
    </Panel>
  );
}
