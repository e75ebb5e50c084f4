import type { Scope } from "@vitrine/contracts/scopes";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { type Context, Hono } from "hono";
import type { Child } from "hono/jsx";
import { z } from "zod";
import { answerPage } from "../answer-page.tsx";
import type { Deps } from "../deps.ts";
import { createPageContext, type PageContext, type PersonNames, type SignedInEnv } from "../page-context.ts";
import type { PageOptions } from "../views/layout.tsx";
import { createPainter, type Fragment, paintWithin } from "./fragments.ts";
import { Slot } from "./slot.tsx";
import { streamFragments } from "./stream.ts";

/** What a page is asked for: texts of its address, path and query alike. */
export type PageParameters = Readonly<Record<string, string | undefined>>;

export type NoParameters = Readonly<Record<string, never>>;

export const noParameters = z.object({}).transform((): NoParameters => ({}));

/** A page whose parts are asked for at once, drawn as they come, and drawn anew while it is looked at. */
export interface LivePage<P extends PageParameters> {
  /** Of its stream: `/api/console/live/<name>`. */
  readonly name: string;
  readonly path: string;
  readonly parameters: z.ZodType<P>;
  /** Who may see it; `telemetry:read` unless given. */
  readonly scope?: Scope;
  /** Milliseconds between two looks at every source. */
  readonly everyMs: number;
  /** When it needs no more looks: what is in the past does not change. */
  readonly settled?: (parameters: P, nowMs: number) => boolean;
  fragments(context: PageContext, parameters: P): readonly Fragment[];
  /** @param slot the place of a fragment, by its id */
  page(context: PageContext, parameters: P, slot: (id: string) => Child): PageOptions;
}

/** First paint waits so long for its sources; a person has not begun to wait by then. */
const firstPaintMs = 600;

/** A page as the app mounts it. */
export interface Page {
  readonly path: string;
  /** Who may see it. */
  readonly scope: Scope;
  readonly routes: (deps: Deps, names: PersonNames) => Hono<AppEnv>;
}

export function livePage<P extends PageParameters>(live: LivePage<P>): Page {
  return {
    path: live.path,
    scope: live.scope ?? "telemetry:read",
    routes: (deps, names) => livePageRoutes(deps, names, live),
  };
}

function livePageRoutes<P extends PageParameters>(deps: Deps, names: PersonNames, live: LivePage<P>): Hono<AppEnv> {
  const contextOf = createPageContext(deps, names);
  const signedIn = requireScope(deps.verifier, live.scope ?? "telemetry:read");
  const paint = createPainter(({ id }, err) => {
    deps.logger.error(
      { action: "console.part_failed", err, extra: { page: live.name, part: id } },
      "a part of a page failed",
    );
    return <p class="missing">This part could not be drawn. The mistake is ours, and it is in the log.</p>;
  });
  return new Hono<AppEnv>()
    .get(live.path, signedIn, async (c: Context<SignedInEnv>) => {
      const parameters = parse(live, { ...c.req.query(), ...c.req.param() });
      const context = await contextOf(c);
      const fragments = live.fragments(context, parameters);
      const painted = await paintWithin(paint, fragments, firstPaintMs);
      const complete = fragments.every(({ id }) => painted.has(id));
      const over = live.settled?.(parameters, deps.now()) === true && complete;
      const slot = (id: string) => {
        const fragment = fragments.find((one) => one.id === id);
        return fragment === undefined ? null : <Slot fragment={fragment} painted={painted.get(id)} />;
      };
      return await answerPage(c, context, {
        ...live.page(context, parameters, slot),
        ...(over ? {} : { stream: streamAddress(live.name, parameters) }),
      });
    })
    .get(`/api/console/live/${live.name}`, signedIn, (c: Context<SignedInEnv>) => {
      const parameters = parse(live, c.req.query());
      return streamFragments(c, {
        stopping: deps.stopping,
        untilMs: c.var.claims.exp * 1_000,
        now: deps.now,
        everyMs: live.everyMs,
        paint,
        settled: () => live.settled?.(parameters, deps.now()) === true,
        fragments: async (signal) => live.fragments(await contextOf(c, signal), parameters),
      });
    });
}

function parse<P extends PageParameters>({ parameters }: LivePage<P>, values: PageParameters): P {
  const parsed = parameters.safeParse(values);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new ServiceError("invalid_request", faults.join("; "));
}

function streamAddress(name: string, parameters: PageParameters): string {
  const pairs = Object.entries(parameters).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]));
  return `/api/console/live/${name}?${new URLSearchParams(pairs).toString()}`;
}
