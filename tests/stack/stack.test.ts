import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { eventually } from "@vitrine/kit/testing/eventually";
import { type Stack, startStack } from "./stack.ts";

/** A cold machine builds the engines first; with a warm cache this takes seconds. */
const coldStartMs = 60 * 60_000;
const arrivalMs = 20_000;

// A test that runs out of time has its processes killed, the runner of the whole stack among them.
setDefaultTimeout(180_000);

let stack: Stack;
let token: string;

async function get<T>(path: string): Promise<T> {
  const response = await fetch(stack.gateway + path, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

function pidOf(name: string): Promise<number> {
  return eventually(`${name} runs`, arrivalMs, async () => {
    const { processes } = await stack.doctor();
    return processes.find((process) => process.name === name)?.pid ?? undefined;
  });
}

async function isUp(): Promise<true | undefined> {
  return (await stack.doctor()).ok ? true : undefined;
}

beforeAll(async () => {
  stack = await startStack();
  await eventually("the whole system is up", coldStartMs, isUp);
  token = await stack.token();
}, coldStartMs);

afterAll(async () => {
  await stack.stop();
});

interface Piece {
  readonly id: string;
}

/** Orders a piece that customers cannot have bought out: it is stocked anew before. */
async function order(requestId: string): Promise<Response> {
  const { items } = await eventually("the catalogue is seeded", arrivalMs, async () => {
    const page = await get<{ items: readonly Piece[] }>("/api/catalog");
    return page.items.length > 0 ? page : undefined;
  });
  const pieceId = items[0]?.id ?? "";
  await post(`/api/inventory/${pieceId}/restock`, { quantity: 1 }, {});
  return post("/api/orders", { pieceId, quantity: 1 }, { "x-request-id": requestId });
}

function post(path: string, body: unknown, headers: Readonly<Record<string, string>>): Promise<Response> {
  return fetch(stack.gateway + path, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

interface LokiAnswer {
  readonly data: {
    readonly result: readonly {
      readonly stream: Readonly<Record<string, string>>;
      readonly values: readonly (readonly [string, string])[];
    }[];
  };
}

interface JaegerAnswer {
  readonly result: {
    readonly resourceSpans: readonly {
      readonly resource: { readonly attributes: readonly Attribute[] };
      readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
    }[];
  };
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

interface Span {
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes?: readonly Attribute[];
}

interface PlacedSpan {
  readonly id: string;
  readonly parent: string | undefined;
  readonly service: string;
  readonly isSql: boolean;
}

async function spansOf(traceId: string): Promise<readonly PlacedSpan[]> {
  const { result } = await get<JaegerAnswer>(`/jaeger/api/v3/traces/${traceId}`);
  return result.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = resource.attributes.find(({ key }) => key === "service.name")?.value.stringValue ?? "";
    return scopeSpans
      .flatMap(({ spans }) => spans)
      .map((span) => ({
        id: span.spanId,
        parent: span.parentSpanId,
        service,
        isSql: (span.attributes ?? []).some(({ key }) => key === "db.query.text" || key === "db.statement"),
      }));
  });
}

/** "a>b" for every span of service b whose nearest ancestor of another service is a, and "a>sql" for SQL below a. */
function edgesOf(spans: readonly PlacedSpan[]): ReadonlySet<string> {
  const byId = new Map(spans.map((span) => [span.id, span]));
  const edges = new Set<string>();
  for (const span of spans) {
    if (span.isSql) edges.add(`${span.service}>sql`);
    const parent = byId.get(span.parent ?? "");
    if (parent !== undefined && parent.service !== span.service) edges.add(`${parent.service}>${span.service}`);
  }
  return edges;
}

describe("one order, all signals", () => {
  test("an order is found by its request id in the logs of three services, in one trace with its SQL, and in the metrics", async () => {
    const requestId = `stack-${crypto.randomUUID()}`;
    const answer = await order(requestId);
    expect(answer.status).toBe(201);
    expect(answer.headers.get("x-request-id")).toBe(requestId);
    expect(await answer.json()).toMatchObject({ id: expect.any(String), status: "reserved" });

    const query = new URLSearchParams({ query: `{service_name=~".+"} | request_id="${requestId}"`, limit: "100" });
    const lines = await eventually("log lines of gateway, orders and inventory", arrivalMs, async () => {
      const { data } = await get<LokiAnswer>(`/loki/api/v1/query_range?${query}`);
      const services = new Set(data.result.map(({ stream }) => stream["service_name"]));
      return ["gateway", "orders", "inventory"].every((service) => services.has(service)) ? data.result : undefined;
    });
    const traces = new Set(lines.map(({ stream }) => stream["trace_id"]));
    expect(traces.size).toBe(1);
    const [traceId] = traces;

    const wanted = ["gateway>orders", "orders>sql", "orders>inventory", "inventory>sql"];
    const edges = await eventually(`the edges ${wanted.join(", ")} in Jaeger`, arrivalMs, async () => {
      const found = edgesOf(await spansOf(traceId ?? ""));
      return wanted.every((edge) => found.has(edge)) ? found : undefined;
    });
    expect([...edges]).toEqual(expect.arrayContaining(wanted));
  });

  test.each([
    ["http_server_request_duration_seconds_count", ["gateway", "auth", "orders", "inventory"]],
    ["db_client_operation_duration_seconds_count", ["auth", "orders", "inventory"]],
    ["orders_placed_total", ["orders"]],
    ["app_up", ["gateway", "auth", "orders", "inventory", "generator"]],
    ["process_memory_usage_bytes", ["gateway", "auth", "orders", "inventory", "generator"]],
    ["gateway_ingest_requests_total", ["gateway"]],
    ["traces_span_metrics_calls_total", ["gateway", "orders", "inventory"]],
  ])("%s is in Prometheus for %j", async (metric, services) => {
    const query = new URLSearchParams({ query: `count by (service_name) (${metric})` });
    const missing = async () => {
      const { data } = await get<{ data: { result: readonly { metric: Readonly<Record<string, string>> }[] } }>(
        `/prometheus/api/v1/query?${query}`,
      );
      const found = new Set(data.result.map(({ metric: labels }) => labels["service_name"]));
      return services.filter((service) => !found.has(service));
    };
    await eventually(`${metric} of ${services.join(", ")}`, arrivalMs, async () =>
      (await missing()).length === 0 ? true : undefined,
    );
    expect(await missing()).toEqual([]);
  });

  test.each(["logs", "metrics", "traces"])(
    "telemetry without a token, with a forged one and with one of another scope is refused: %s",
    async (signal) => {
      const send = (headers: Record<string, string>, type: string) =>
        fetch(`${stack.otlp}/v1/${signal}`, {
          method: "POST",
          headers: { "content-type": type, ...headers },
          body: type.endsWith("json") ? "{}" : new Uint8Array(),
        });
      const forged = `${token.slice(0, token.lastIndexOf("."))}.${"A".repeat(86)}`;
      const readOnly = await stack.token("telemetry:read");
      for (const [headers, status] of [
        [{}, 401],
        [{ authorization: `Bearer ${forged}` }, 401],
        [{ authorization: `Bearer ${readOnly}` }, 403],
      ] as const) {
        const json = await send(headers, "application/json");
        expect(json.status).toBe(status);
        expect(json.headers.get("content-type")).toContain("application/json");
        expect(await json.json()).toMatchObject({ message: expect.any(String) });
        const protobuf = await send(headers, "application/x-protobuf");
        expect(protobuf.status).toBe(status);
        expect(protobuf.headers.get("content-type")).toContain("application/x-protobuf");
        // google.rpc.Status: `message` is field 2, length-delimited.
        expect([...new Uint8Array(await protobuf.arrayBuffer())]).toContain(0x12);
      }
    },
  );

  test("everything but the gateway listens on loopback alone", async () => {
    const { processes } = await stack.doctor();
    const open = (await listeners(processes.flatMap(({ pid }) => (pid === null ? [] : [pid])))).filter(
      ({ address }) => !isLoopback(address),
    );
    const doors = new Set([stack.environment["GATEWAY_PORT"], stack.environment["OTLP_PORT"]]);
    expect(open.filter(({ port }) => !doors.has(String(port)))).toEqual([]);
  });

  test("the whole system stays under 1.2 GB resident", async () => {
    const { totalMemoryBytes } = await stack.doctor();
    expect(totalMemoryBytes).toBeGreaterThan(100e6);
    expect(totalMemoryBytes).toBeLessThan(1.2e9);
  });
});

describe("broken on purpose", () => {
  test("a service that is killed comes back, and doctor says what happened", async () => {
    const pid = await pidOf("orders");
    process.kill(pid, "SIGKILL");
    const orders = await eventually("orders is back", arrivalMs, async () => {
      const { processes } = await stack.doctor();
      return processes.find((entry) => entry.name === "orders" && entry.pid !== null && entry.pid !== pid);
    });
    expect(orders.restarts).toBeGreaterThan(0);
    expect(orders.lastExit).toContain("SIGKILL");
    await eventually("orders answers", arrivalMs, async () =>
      (await order("after-kill")).status === 201 ? true : undefined,
    );
  });

  test.each([["collector"], ["loki"], ["prometheus"], ["jaeger"], ["alertmanager"]] as const)(
    "doctor names a %s that hangs, and all is well once it goes on",
    async (engine) => {
      const pid = (await stack.containerPid(engine)) ?? (await pidOf(engine));
      process.kill(pid, "SIGSTOP");
      try {
        const { ok, broken } = await stack.doctor("--deadline-ms=3000");
        expect(ok).toBe(false);
        expect(broken?.hop).toBe(engine);
        expect(broken?.mend).not.toBe("");
      } finally {
        process.kill(pid, "SIGCONT");
      }
      await eventually("all hops are well again", 60_000, isUp);
    },
    120_000,
  );

  test("doctor names the token when it is not one of this system", async () => {
    const { broken } = await stack.doctor("--token=eyJhbGciOiJub25lIn0.e30.AAAA");
    expect(broken?.hop).toBe("token");
  });

  test("a runner that is killed leaves nothing the next start cannot clean up; data is kept", async () => {
    expect((await order("before-the-kill")).status).toBe(201);
    const pidsBefore = (await stack.doctor()).processes.flatMap(({ pid }) => (pid === null ? [] : [pid]));
    stack.runner.kill("SIGKILL");
    stack = await stack.restart();
    await eventually("the system is up again", 120_000, isUp);
    const pidsAfter = new Set((await stack.doctor()).processes.map(({ pid }) => pid));
    expect(pidsBefore.filter((pid) => !pidsAfter.has(pid) && isAlive(pid))).toEqual([]);
    token = await stack.token();
    expect((await get<{ items: readonly unknown[] }>("/api/orders")).items.length).toBeGreaterThan(0);
  });

  test("SIGTERM stops every process", async () => {
    const pids = (await stack.doctor()).processes.flatMap(({ pid }) => (pid === null ? [] : [pid]));
    stack.runner.kill("SIGTERM");
    expect(await stack.runner.exited).toBe(0);
    expect(pids.filter((pid) => isAlive(pid))).toEqual([]);
    stack = await stack.restart();
    await eventually("the system is up again", 120_000, isUp);
    token = await stack.token();
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

interface Listener {
  readonly address: string;
  readonly port: number;
}

/** Listening TCP sockets of the given processes, as the kernel names them. */
async function listeners(pids: readonly number[]): Promise<readonly Listener[]> {
  const child = Bun.spawn(["sh", "-c", pids.map((pid) => `ls -l /proc/${pid}/fd 2>/dev/null`).join(";")], {
    stdout: "pipe",
  });
  const inodes = new Set(
    [...(await new Response(child.stdout).text()).matchAll(/socket:\[(\d+)\]/g)].map(([, inode]) => inode),
  );
  const found: Listener[] = [];
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of (await Bun.file(table).text()).split("\n").slice(1)) {
      const fields = line.trim().split(/\s+/);
      const [address, port] = (fields[1] ?? "").split(":");
      if (fields[3] === "0A" && inodes.has(fields[9]))
        found.push({ address: address ?? "", port: Number.parseInt(port ?? "0", 16) });
    }
  }
  return found;
}

/** The kernel writes 127.0.0.1 as `0100007F`, ::1 and ::ffff:127.0.0.1 likewise word by word. */
function isLoopback(address: string): boolean {
  return ["0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"].includes(address);
}
