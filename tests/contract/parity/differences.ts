/**
 * Where the kit tells something else than the official stack, on purpose. Anything that is not written here fails
 * `parity.test.ts`, and so does what is written here and no longer true. docs/decisions/0016 names them in words.
 */
export interface Difference {
  readonly reason: string;
  /** Facts of the official stack that the kit tells otherwise, by replacing what `turn` finds. */
  readonly turn?: { readonly from: RegExp; readonly to: string };
  /** Facts only the official stack tells. */
  readonly left?: RegExp;
  /** Facts only the kit tells. */
  readonly added?: RegExp;
}

export const differences: readonly Difference[] = [
  {
    reason: "What makes HTTP spans and metrics is the kit, and says so",
    turn: { from: /: scope = @hono\/otel$/, to: ": scope = @vitrine/kit" },
  },
  {
    reason:
      "Semantic conventions ask for path and scheme; the full URL would put query strings, and secrets in them, into traces",
    left: /^span \([\w ]+, server\): url\.full = "http:\/\/127\.0\.0\.1:\*\/[^"]*"$/,
    added: /^span \([\w ]+, server\): url\.(?:path = "\/[^"?]*"|scheme = "http")$/,
  },
  {
    reason: "The request id leads from an answer to its trace",
    added: /^span \([\w ]+, server\): request\.id = \*$/,
  },
  {
    reason: "A path nothing answers has no route; the name of a span without one is its method (semantic conventions)",
    turn: { from: /^(span \(not found, server\): name = GET) \/\*$/, to: "$1" },
    left: /^span \(not found, server\): http\.route = "\/\*"$/,
  },
  {
    reason: "The same for the metric: no route where there is none",
    turn: {
      from: /^(metric http\.server\.request\.duration \{.*"http\.response\.status_code":404),"http\.route":"\/\*"/,
      to: "$1",
    },
  },
  {
    reason: "Semantic conventions require error.type on a failed request",
    added: /^span \((?:failing query|thrown), server\): error\.type = "500"$/,
    turn: {
      from: /^(metric http\.server\.request\.duration \{)("http\.request\.method":"GET","http\.response\.status_code":500)/,
      to: '$1"error.type":"500",$2',
    },
  },
  {
    reason: "One more bound, 0.2 s, at which the objective for latency is set",
    turn: { from: /^(metric http\.server\.request\.duration .*bounds = .*,0\.1),0\.25,/, to: "$1,0.2,0.25," },
  },
  {
    reason: "Descriptions are those of the contract",
    turn: {
      from: /^(metric http\.server\.request\.duration: description =) Duration of HTTP requests in seconds$/,
      to: "$1 Duration of HTTP server requests.",
    },
  },
  {
    reason: "Descriptions are those of the contract",
    turn: {
      from: /^(metric http\.server\.active_requests: description =) Number of active \(in-flight\) HTTP server requests$/,
      to: "$1 HTTP server requests in flight.",
    },
  },
  {
    reason: "The unit of semantic conventions, which @hono/otel leaves out",
    turn: { from: /^(metric http\.server\.active_requests: unit =) $/, to: "$1 {request}" },
  },
  {
    reason: "Requests in flight are one series: which method they have is known when they end",
    turn: { from: /^(metric http\.server\.active_requests) \{"http\.request\.method":"GET"\}/, to: "$1 {}" },
  },
  {
    reason:
      "A query outside of any span, as the one at the start, makes no trace of its own and is not measured (requireParentSpan)",
    left: /^span \(no request, pg(?:-pool)?\.(?:connect|query)\): /,
    turn: {
      from: /^(metric db\.client\.operation\.duration \{(?!.*error\.type).*\}: (?:count|in buckets) =) 7$/,
      to: "$1 6",
    },
  },
  {
    reason:
      "Bun's fetch is not seen by any instrumentation; the kit's leaves a client span and metric, and passes the trace on",
    added: /^(?:span \(five, GET\): |metric http\.client\.request\.duration)/,
  },
  {
    reason:
      "The logger is the kit's: pino's instrumentation sees no ES module on Bun. What is nested is spread, the service is in the resource",
    turn: {
      from: /^(log \(own, server, "said by the logger"\): scope =) @opentelemetry\/instrumentation-pino$/,
      to: "$1 @vitrine/kit",
    },
    left: /^log \(own, server, "said by the logger"\): (?:service = "parity"|extra = \{"n":1\})$/,
    added: /^log \(own, server, "said by the logger"\): (?:extra\.n = 1|request_id = \*)$/,
  },
  {
    reason: "One access line per request",
    added: /^log \([\w ]+, server, "GET \/[^"]* (?:200|404|500)"\): /,
  },
  {
    reason: "A failure is a log record with its stack, beside the event of its span",
    added: /^log \((?:failing query|thrown), server, "Something went wrong on our side"\): /,
  },
  {
    reason: "The life of a service is told: start-up tasks, readiness, end",
    added:
      /^log \(no span, "[^"]+"\): (?:action = "service\.|scope = @vitrine\/kit|severity = 9 info|extra\.|duration_ms)/,
  },
  {
    reason: "Heartbeat, processor, memory and the exporter's own state are measured in every service",
    added: /^metric (?:app\.up|process\.(?:cpu\.time|memory\.usage)|telemetry\.export\.pending)\b/,
  },
  {
    reason: "What the host and process detectors add tells command lines and pids in every export",
    left: /^resource: (?:host|os|process)\./,
  },
];

export interface Comparison {
  /** Facts that no difference explains, with the side that tells them. */
  readonly unexplained: readonly string[];
  /** Differences, or parts of them, that no fact shows any more. */
  readonly stale: readonly string[];
}

/** Takes the deliberate differences away and says what is left. */
export function compare(official: ReadonlySet<string>, kit: ReadonlySet<string>): Comparison {
  const shown = new Set<string>();
  const turned = new Set([...official].map((fact) => turn(fact, shown)));
  const explained = (fact: string, part: "left" | "added") => {
    const found = differences.filter((difference) => difference[part]?.test(fact) === true);
    for (const difference of found) shown.add(partName(difference, part));
    return found.length > 0;
  };
  const left = [...turned].filter((fact) => !kit.has(fact) && !explained(fact, "left"));
  const added = [...kit].filter((fact) => !turned.has(fact) && !explained(fact, "added"));
  const parts = differences.flatMap((difference) =>
    (["turn", "left", "added"] as const)
      .filter((part) => difference[part] !== undefined)
      .map((part) => partName(difference, part)),
  );
  return {
    unexplained: [...left.map((fact) => `official: ${fact}`), ...added.map((fact) => `kit: ${fact}`)],
    stale: parts.filter((part) => !shown.has(part)),
  };
}

function partName(difference: Difference, part: string): string {
  return `${differences.indexOf(difference)} ${part}: ${difference.reason}`;
}

function turn(fact: string, shown: Set<string>): string {
  let turned = fact;
  for (const difference of differences) {
    if (difference.turn?.from.test(turned) !== true) continue;
    shown.add(partName(difference, "turn"));
    turned = turned.replace(difference.turn.from, difference.turn.to);
  }
  return turned;
}
