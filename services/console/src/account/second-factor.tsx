import { secondFactorState } from "@vitrine/contracts/people";
import type { Ask } from "../engines/ask.ts";
import { drawn } from "../views/missing.tsx";
import { Panel } from "../views/panel.tsx";
import { State } from "../views/state.tsx";

export async function secondFactorPanel(ask: Ask) {
  const answer = await ask({ source: "auth", path: "/api/auth/second-factor", answer: secondFactorState });
  return (
    <Panel title="Second factor">
      {drawn(answer, ({ active, backupCodesLeft }) => (active ? <Active codesLeft={backupCodesLeft} /> : <Enrol />))}
    </Panel>
  );
}

function Active({ codesLeft }: { readonly codesLeft: number }) {
  return (
    <>
      <p>
        <State kind="good">active</State>, {codesLeft} backup {codesLeft === 1 ? "code" : "codes"} left
      </p>
      <div class="actions">
        <form data-api="POST /api/auth/second-factor/backup-codes" data-show="#codes">
          <button>New backup codes</button>
        </form>
        <form
          data-api="DELETE /api/auth/second-factor"
          data-then="reload"
          data-confirm="Sign in with the password alone from now on?"
        >
          <button>Remove it</button>
        </form>
      </div>
      <BackupCodes />
    </>
  );
}

function Enrol() {
  return (
    <>
      <p>
        <State kind="idle">none</State>
      </p>
      <p class="small">With it, a stolen password is not enough to sign in as you.</p>
      <form data-api="POST /api/auth/second-factor" data-show="#enrolment">
        <button>Set one up</button>
      </form>
      <div id="enrolment" hidden>
        <p>Scan this with an authenticator, or type the key in, and enter the code it shows.</p>
        <img class="qr" data-field="qr" alt="The key below as a picture" width="200" height="200" />
        <p>
          <code class="data" data-field="secret"></code>
        </p>
        <form class="stack" data-api="POST /api/auth/second-factor/confirm" data-show="#codes">
          <label>
            Code
            <input
              name="code"
              inputmode="numeric"
              autocomplete="one-time-code"
              pattern="[0-9]{6}"
              title="six digits"
              required
            />
          </label>
          <p class="problem" role="alert"></p>
          <button>Confirm</button>
        </form>
      </div>
      <BackupCodes />
    </>
  );
}

function BackupCodes() {
  return (
    <div id="codes" hidden>
      <p>Keep these codes: each signs you in once when the authenticator is lost. They are not shown again.</p>
      <pre tabindex={0} data-field="backupCodes"></pre>
      <a href="/account">Done</a>
    </div>
  );
}
