import { roles } from "@vitrine/contracts/scopes";
import { type ListedUser, listedUserPage } from "@vitrine/contracts/users";
import { z } from "zod";
import { livePage } from "../live/live-page.tsx";
import type { PageContext } from "../page-context.ts";
import { withParameters } from "../views/filter-form.tsx";
import { Data, Time } from "../views/format.tsx";
import { drawn } from "../views/missing.tsx";
import { Empty, Panel } from "../views/panel.tsx";
import { State } from "../views/state.tsx";

const path = "/users";
const parameters = z.object({ cursor: z.string().max(512).optional() });

type Parameters = z.output<typeof parameters>;

export const usersPage = livePage<Parameters>({
  name: "users",
  path,
  parameters,
  scope: "users:admin",
  everyMs: 30_000,
  // What an administrator changes draws the page anew; nothing in it moves under their hands.
  settled: () => true,
  fragments: (context, { cursor }) => [{ id: "people", waitsFor: "auth", load: () => peoplePanel(context, cursor) }],
  page: (_, __, slot) => ({
    title: "Users",
    lead: "Who may sign in, and what they may do.",
    aside: <a href="/audit">Audit log</a>,
    children: (
      <div class="column">
        <NewUser />
        {slot("people")}
      </div>
    ),
  }),
});

async function peoplePanel({ ask, person }: PageContext, cursor: string | undefined) {
  const answer = await ask({
    source: "auth",
    path: "/api/auth/users",
    query: { limit: "50", cursor },
    answer: listedUserPage,
  });
  return (
    <Panel title="People">
      {drawn(answer, ({ items, next }) =>
        items.length === 0 ? (
          <Empty>There is nobody.</Empty>
        ) : (
          <>
            <ul class="rows">
              {items.map((user) => (
                <UserRow user={user} self={user.id === person.id} />
              ))}
            </ul>
            <div id="new-password" class="made" hidden>
              <p>The new password, shown this once. All sessions of the account have ended.</p>
              <p>
                <code class="data" data-field="password" tabindex={0}></code>
              </p>
            </div>
            {next === null ? null : (
              <p class="links">
                <a href={withParameters(path, {}, { cursor: next })}>More</a>
              </p>
            )}
          </>
        ),
      )}
    </Panel>
  );
}

function UserRow({ user, self }: { readonly user: ListedUser; readonly self: boolean }) {
  const api = `/api/auth/users/${encodeURIComponent(user.id)}`;
  return (
    <li>
      <span class="name">
        <Data text={user.name} max={80} />
        {self ? <small> you</small> : null}
        {user.demo ? <small> visitor</small> : null}
      </span>
      {user.disabled ? <State kind="idle">disabled</State> : <State kind="good">{user.role}</State>}
      <small>
        since <Time ms={Date.parse(user.createdAt)} />
      </small>
      {user.demo ? null : (
        <span class="end actions">
          <form class="inline" data-api={`PATCH ${api}`} data-then="reload">
            <select name="role" aria-label={`Role of ${user.name.slice(0, 80)}`}>
              {roles.map((role) => (
                <option value={role} selected={role === user.role}>
                  {role}
                </option>
              ))}
            </select>
            <button class="quiet">Set</button>
          </form>
          <form
            data-api={`PATCH ${api}`}
            data-then="reload"
            data-confirm={user.disabled ? "Let them sign in again?" : "End all sessions, and let them sign in no more?"}
          >
            <input type="hidden" name="disabled" value={String(!user.disabled)} data-type="json" />
            <button class="quiet">{user.disabled ? "Enable" : "Disable"}</button>
          </form>
          <form
            data-api={`POST ${api}/password`}
            data-show="#new-password"
            data-confirm="Give the account a new password, and end its sessions?"
          >
            <button class="quiet">New password</button>
          </form>
        </span>
      )}
    </li>
  );
}

function NewUser() {
  return (
    <Panel title="Somebody new">
      <form class="filter" data-api="POST /api/auth/users" data-show="#made-user">
        <label>
          Name
          <input name="name" required minlength={3} maxlength={64} autocomplete="off" />
        </label>
        <label>
          Role
          <select name="role">
            {roles.map((role) => (
              <option value={role}>{role}</option>
            ))}
          </select>
        </label>
        <button>Make the account</button>
        <p class="problem" role="alert"></p>
      </form>
      <div id="made-user" class="made" hidden>
        <p>
          The password of <b data-field="name"></b>. It is shown this once:
        </p>
        <p>
          <code class="data" data-field="password" tabindex={0}></code>
        </p>
        <p>
          <a href={path}>Done</a>
        </p>
      </div>
    </Panel>
  );
}
