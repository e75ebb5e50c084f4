import type { AppEnv } from "@vitrine/kit/http";
import { Hono } from "hono";
import { answerHtml } from "../answer-page.tsx";
import type { Deps } from "../deps.ts";
import { parseReturnPath } from "../return-path.ts";
import { DemoBanner, Document } from "../views/layout.tsx";

/** Open to everybody: it is where people are sent who have no session. */
export function loginRoutes(deps: Deps) {
  return new Hono<AppEnv>().get("/login", async (c) => {
    const then = parseReturnPath(c.req.query("return")) ?? "/";
    return await answerHtml(
      c,
      <Document title="Sign in" context={{ deps }} scripts={[]}>
        <main class="door" id="content">
          <p class="brand large">Vitrine</p>
          <p class="motto">Everything is in sight. You need a key.</p>
          {deps.demo ? <DemoBanner /> : null}
          <h1 class="hidden">Sign in</h1>
          <form data-api="POST /api/auth/login" data-then={then} data-second-factor="#second-factor" id="first-factor">
            <input type="hidden" name="session" value="cookie" />
            <label>
              Name
              <input
                name="name"
                autocomplete="username"
                autocapitalize="none"
                spellcheck={false}
                required
                maxlength={64}
                autofocus
              />
            </label>
            <label>
              Password
              <input name="password" type="password" autocomplete="current-password" required />
            </label>
            <p class="problem" role="alert"></p>
            <button class="primary">Sign in</button>
          </form>
          <form data-api="POST /api/auth/login/totp" data-then={then} id="second-factor" hidden>
            <input type="hidden" name="challenge" />
            <label>
              Code of your second factor
              <input name="code" autocomplete="one-time-code" inputmode="numeric" required maxlength={32} />
            </label>
            <p class="hint">Six digits from your authenticator, or one of your backup codes.</p>
            <p class="problem" role="alert"></p>
            <button class="primary">Go on</button>
          </form>
          <noscript>
            <p class="problem">Signing in needs scripts to be allowed.</p>
          </noscript>
        </main>
      </Document>,
      200,
    );
  });
}
