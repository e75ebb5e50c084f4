import type { Child } from "hono/jsx";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { EntryName } from "../assets/build.ts";
import type { PageContext } from "../page-context.ts";
import { navigationFor } from "./navigation.ts";

export interface PageOptions {
  /** In the tab, and the heading of the page. */
  readonly title: string;
  /** Under the heading, in one sentence. */
  readonly lead?: Child;
  /** Beside the heading. */
  readonly aside?: Child;
  /** Bundles this page needs beside those of every page. */
  readonly scripts?: readonly EntryName[];
  readonly children: Child;
  /** Address of the stream that keeps it up to date. */
  readonly stream?: string;
  /** Of the answer; 200 unless given. */
  readonly status?: ContentfulStatusCode;
}

/** The frame of every page of somebody who is signed in. */
export function Layout({ context, page }: { readonly context: PageContext; readonly page: PageOptions }) {
  const { deps, path, person } = context;
  return (
    <Document title={page.title} context={context} scripts={page.scripts ?? []}>
      <a class="skip" href="#content">
        To the content
      </a>
      <header class="bar">
        <a class="brand" href="/">
          Vitrine
        </a>
        <details class="menu" id="menu">
          <summary>Menu</summary>
          <Navigation path={path} person={person} />
        </details>
        <div class="account">
          {page.stream === undefined ? null : (
            <span class="live" data-live={page.stream} role="status">
              live
            </span>
          )}
          <button type="button" class="quiet" data-theme-toggle aria-label="Light or dark">
            <span aria-hidden="true">◐</span>
          </button>
          <a href="/account" class="who">
            <bdi>{person.name}</bdi>
          </a>
          <form data-api="POST /api/auth/logout" data-then="/login">
            <button class="quiet">Sign out</button>
          </form>
        </div>
      </header>
      {deps.demo ? <DemoBanner /> : null}
      <div class="frame">
        <aside class="rail">
          <Navigation path={path} person={person} />
        </aside>
        <main id="content" tabindex={-1}>
          <div class="head">
            <div>
              <h1>{page.title}</h1>
              {page.lead === undefined ? null : <p class="lead">{page.lead}</p>}
            </div>
            {page.aside === undefined ? null : <div class="aside">{page.aside}</div>}
          </div>
          {page.children}
          <footer class="foot">Times are UTC. Nothing shown here is kept here: the engines are asked each time.</footer>
        </main>
      </div>
      <StepUp />
    </Document>
  );
}

/** Asked for before what only the owner of the session may do (client/step-up.ts). */
function StepUp() {
  return (
    <dialog id="step-up" aria-labelledby="step-up-title">
      <form class="stack">
        <h2 id="step-up-title">Is it still you?</h2>
        <p class="hint">This changes who may do what, so it asks for your password once more.</p>
        <label>
          Password
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        <label>
          Code, if you have a second factor
          <input name="code" inputmode="numeric" autocomplete="one-time-code" maxlength={32} />
        </label>
        <p class="problem" role="alert"></p>
        <div class="actions">
          <button class="primary">Go on</button>
          <button type="button" data-close="">
            Leave it
          </button>
        </div>
      </form>
    </dialog>
  );
}

interface DocumentProps {
  readonly title: string;
  readonly context: Pick<PageContext, "deps">;
  readonly scripts: readonly EntryName[];
  readonly children?: Child;
}

export function Document({ title, context, scripts, children }: DocumentProps) {
  const { assets } = context.deps;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title} · Vitrine</title>
        {assets.fonts.map((href) => (
          <link rel="preload" href={href} as="font" type="font/woff2" crossorigin="" />
        ))}
        <link rel="icon" href={assets.href("icon.svg")} type="image/svg+xml" />
        <script src={assets.href("theme.js")}></script>
        <link rel="stylesheet" href={assets.href("app.css")} />
        <script type="module" src={assets.href("app.js")}></script>
        {scripts.map((entry) => (
          <script type="module" src={assets.href(entry)}></script>
        ))}
      </head>
      <body>{children}</body>
    </html>
  );
}

function Navigation({ path, person }: Pick<PageContext, "path" | "person">) {
  return (
    <nav aria-label="Pages">
      {navigationFor(person).map(({ title, items }) => (
        <>
          <h2>{title}</h2>
          <ul>
            {items.map((item) => (
              <li>
                <a href={item.path} aria-current={isCurrent(item.path, path) ? "page" : undefined}>
                  {item.title}
                </a>
              </li>
            ))}
          </ul>
        </>
      ))}
    </nav>
  );
}

function isCurrent(item: string, path: string): boolean {
  return item === "/" ? path === "/" : path === item || path.startsWith(`${item}/`);
}

export function DemoBanner() {
  return (
    <p class="banner" role="note">
      This is a demonstration: anyone may look around as <b>vip</b> with the password <b>1234</b>. Where that is not
      wanted, start with <code>--no-demo</code>, in compose with <code>VITRINE_DEMO=off</code>.
    </p>
  );
}
