/** What the engines of a house under test hold. Ids and times are of the present, as the pages ask for it. */

export interface EngineData {
  /** Name of a service, a user, a route: wherever data comes from outside, it carries this. */
  readonly mark: string;
  readonly lines: number;
  readonly traceId: string;
  readonly requestId: string;
}

const now = Date.now();

/** A request id as the kit makes them, of a moment ago. */
export const recentId = Bun.randomUUIDv7("hex", now - 120_000);

export const slowStatement = "update stock set available = available - $2 where piece_id = $1";

export const fullData: EngineData = {
  mark: "orders",
  lines: 40,
  traceId: "0123456789abcdef0123456789abcdef",
  requestId: recentId,
};

/** Everything that has ever broken a page: markup, scripts, direction, control characters, addresses, length. */
export const hostileMark = [
  `<script>window.broken=1</script><img src=x onerror="window.broken=2">`,
  `"><svg onload='window.broken=3'>javascript:window.broken=4//`,
  "\u202Eابتث cba\u2066 \u0000\u0007\u200B",
].join(" ");

export const hostileData: EngineData = { ...fullData, mark: hostileMark };

const megabyte = "long ".repeat(200_000);

export const hugeData: EngineData = { ...fullData, mark: megabyte, lines: 3 };

export const manyData: EngineData = { ...fullData, lines: 10_000 };

type Labels = Readonly<Record<string, string>>;

const services = (mark: string) => ["auth", "gateway", mark];

/** An instant query: answered by the names of the parts it asks for. */
export function instantOf(query: string, { mark }: EngineData): readonly unknown[] {
  const at = Date.now() / 1_000;
  const sample = (metric: Labels, value: number) => ({ metric, value: [at, String(value)] });
  if (query.includes("app_up"))
    return services(mark).flatMap((name, index) => [
      sample({ service_name: name, part: "up" }, index === 0 ? 0 : 1),
      sample({ service_name: name, part: "instances" }, 1 + index),
      sample({ service_name: name, part: "rate" }, 12.5 * index),
      sample({ service_name: name, part: "errors" }, 0.01 * index),
      sample({ service_name: name, part: "p95" }, 0.04 * (index + 1)),
    ]);
  if (query.startsWith("sum by (client_id, reason, route)"))
    return [
      sample({ client_id: mark, reason: "insufficient_scope", route: "/v1/logs" }, 3),
      sample({ client_id: "_anonymous", reason: "missing_token", route: "/v1/traces" }, 7),
    ];
  if (query.includes("orders_placed"))
    return [
      sample({ part: "taken" }, 1_234),
      sample({ part: "failed" }, 17),
      sample({ part: "value", currency: "EUR" }, 1_250_000),
      sample({ part: "value", currency: mark }, 12),
    ];
  if (query.includes("slo:"))
    return [
      sample({ slo: "availability", service_name: "gateway" }, 0.98),
      sample({ slo: "orders", service_name: mark }, 0.12),
      sample({ slo: "login", service_name: "auth" }, -1.5),
    ];
  return [sample({ job: "collector" }, 1)];
}

export function rangeOf(parameters: URLSearchParams, { mark }: EngineData, unit: "s" | "ns"): readonly unknown[] {
  const scale = unit === "ns" ? 1e9 : 1;
  const from = Number(parameters.get("start")) / scale;
  const to = Number(parameters.get("end")) / scale;
  const step = Math.max(Number(parameters.get("step")), (to - from) / 300);
  const values: [number, string][] = [];
  for (let at = from; at <= to; at += step) values.push([at, String(2 + Math.sin(at / 300))]);
  return [
    { metric: { detected_level: "info" }, values },
    { metric: { detected_level: mark }, values: values.map(([at]) => [at, "0.2"]) },
  ];
}

/** Lines of the log as Loki answers them, structured metadata among the labels. */
export function streamsOf({ mark, lines, requestId, traceId }: EngineData, limit: number): readonly unknown[] {
  const fields: Labels = {
    service_name: "gateway",
    deployment_environment_name: "development",
    action: "http.request",
    detected_level: "info",
    severity_text: "info",
    duration_ms: "48.2",
    extra_method: "POST",
    extra_path: `/api/${mark.slice(0, 2_000)}`,
    extra_route: "/api/orders/**",
    extra_status: "503",
    extra_client_id: mark,
    extra_client_address: "203.0.113.0",
    request_id: requestId,
    trace_id: traceId,
    span_id: "0123456789abcdef",
    user: mark,
  };
  const access = { stream: fields, values: [[nsAgo(120_000), `POST /api/orders/** 503 ${mark}`]] };
  const event = {
    stream: {
      ...fields,
      service_name: mark,
      action: "order.failed",
      detected_level: "error",
      severity_text: "error",
      extra_reason: mark,
    },
    values: [[nsAgo(120_010), `order failed: ${mark}`]],
  };
  const rest = Array.from({ length: Math.min(lines, limit) }, (_, at) => ({
    stream: { ...fields, action: at % 9 === 0 ? mark : "http.request", extra_status: at % 5 === 0 ? "404" : "200" },
    values: [[nsAgo(120_020 + at * 10), `GET /api/catalog/${at} took ${at % 90} ms`]],
  }));
  return [access, event, ...rest].slice(0, Math.max(limit, 1));
}

function nsAgo(ms: number): string {
  return `${Math.round(Date.now() - ms)}000000`;
}

/** A trace through three services, the last with a statement that takes most of the time. */
export function traceOf({ mark, traceId, requestId }: EngineData): unknown {
  const startTime = (Date.now() - 120_048) * 1_000;
  const tag = (key: string, value: string | number | boolean) => ({ key, type: "string", value });
  const span = (
    spanID: string,
    parent: string | undefined,
    operationName: string,
    processID: string,
    at: number,
    duration: number,
    tags: unknown[],
  ) => ({
    traceID: traceId,
    spanID,
    operationName,
    processID,
    references: parent === undefined ? [] : [{ refType: "CHILD_OF", traceID: traceId, spanID: parent }],
    startTime: startTime + at,
    duration,
    tags,
    logs: [],
  });
  const failed = {
    ...span("c", "b", "pg.query:update vitrine", "p3", 4_000, 40_000, [
      tag("span.kind", "client"),
      tag("db.query.text", slowStatement),
      tag("error", true),
      tag("note", mark),
    ]),
    logs: [
      {
        timestamp: startTime + 43_000,
        fields: [
          tag("event", "exception"),
          tag("exception.message", `lock timeout ${mark}`),
          tag("exception.type", mark),
        ],
      },
    ],
  };
  return {
    traceID: traceId,
    spans: [
      span("a", undefined, "POST /api/orders/**", "p1", 0, 48_200, [
        tag("span.kind", "server"),
        tag("http.route", "/api/orders/**"),
        tag("http.request.method", "POST"),
        tag("http.response.status_code", 503),
        tag("request.id", requestId),
        tag("url.path", "/api/orders"),
        tag("user.id", mark),
      ]),
      span("b", "a", `POST /api/orders ${mark}`, "p2", 1_000, 46_000, [tag("span.kind", "server")]),
      failed,
    ],
    processes: { p1: { serviceName: "gateway" }, p2: { serviceName: "orders" }, p3: { serviceName: mark } },
  };
}

export function alertsOf({ mark }: EngineData): readonly unknown[] {
  const alert = (alertname: string, severity: string, summary: string) => ({
    labels: { alertname, severity, service_name: mark },
    annotations: { summary, runbook_url: "docs/runbooks/HighErrorRate.md" },
    startsAt: new Date(Date.now() - 600_000).toISOString(),
    fingerprint: "0123456789abcdef",
    status: { state: "active", silencedBy: [], inhibitedBy: [] },
  });
  return [
    alert("HighErrorRate", "critical", `orders fails 12 % of its requests ${mark}`),
    alert(mark, "warning", mark),
    alert("Watchdog", "info", "works"),
  ];
}

export function silencesOf({ mark }: EngineData): readonly unknown[] {
  return [
    {
      id: "01a1fd4b-013c-7278-8fd1-1830b1369e1e",
      status: { state: "active" },
      comment: mark,
      createdBy: mark,
      startsAt: new Date().toISOString(),
      endsAt: new Date(Date.now() + 3_600_000).toISOString(),
      matchers: [{ name: "alertname", value: mark, isRegex: false }],
    },
  ];
}
