import type { Socket } from "bun";
import { LatencyHistogram } from "../harness/histogram.ts";
import { ResponseReader } from "./response.ts";
import type { LoadRequest } from "../harness/bench.ts";

export interface LoadSpec {
  readonly hostname: string;
  readonly port: number;
  readonly requests: readonly LoadRequest[];
  readonly connections: number;
  /** No request starts after this time, or after `maxRequests`; those under way are waited for. */
  readonly seconds: number;
  readonly maxRequests: number;
}

export interface LoadResult {
  /** Answers received, whatever their status. */
  readonly requests: number;
  /** Of these, answered 2xx. */
  readonly accepted: number;
  /** What went wrong, by kind: a status other than expected (any 2xx when nothing else is), a broken connection, an answer that could not be read. */
  readonly failures: Readonly<Record<string, number>>;
  /** From the first request to the last answer. */
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** An answer that takes longer ends the measurement: it is a hang, not a latency. */
const stallMs = 15_000;

/**
 * Sends requests over keep-alive connections, one under way on each, and times every answer. Closed loop: a slow
 * server is sent less, so latencies are those of `connections` callers, not of a fixed arrival rate.
 */
export async function runLoad(spec: LoadSpec): Promise<LoadResult> {
  const run = new LoadRun(spec);
  const connections = await Promise.all(Array.from({ length: spec.connections }, (_, n) => run.connect(n)));
  return run.measure(connections);
}

interface Connection {
  readonly reader: ResponseReader;
  socket: Socket<Connection> | undefined;
  next: number;
  unsent: Uint8Array | undefined;
  sentAt: number;
  /** Status of the request under way that is no failure; any 2xx when absent. */
  expect: number | undefined;
  finished: boolean;
  readonly done: PromiseWithResolvers<void>;
}

class LoadRun {
  readonly #spec: LoadSpec;
  readonly #frames: readonly Uint8Array[];
  readonly #expected: readonly (number | undefined)[];
  readonly #latencies = new LatencyHistogram();
  readonly #failures: Record<string, number> = {};
  #accepted = 0;
  #started = 0;
  #deadline = 0;
  #lastAnswerAt = 0;

  constructor(spec: LoadSpec) {
    this.#spec = spec;
    this.#frames = spec.requests.map((request) => frame(request, `${spec.hostname}:${spec.port}`));
    this.#expected = spec.requests.map(({ expect }) => expect);
  }

  async connect(n: number): Promise<Connection> {
    const connection: Connection = {
      reader: new ResponseReader(),
      socket: undefined,
      // Connections start apart in the list, so that they do not ask for the same row at the same time.
      next: Math.floor((n * this.#frames.length) / this.#spec.connections),
      unsent: undefined,
      sentAt: 0,
      expect: undefined,
      finished: false,
      done: Promise.withResolvers<void>(),
    };
    connection.socket = await Bun.connect<Connection>({
      hostname: this.#spec.hostname,
      port: this.#spec.port,
      data: connection,
      socket: {
        data: (_, chunk) => this.#receive(connection, chunk),
        drain: () => this.#write(connection),
        close: () => this.#finish(connection, "connection closed by the server"),
        error: (_, error) => this.#finish(connection, error.message),
      },
    });
    connection.socket.setNoDelay(true);
    return connection;
  }

  async measure(connections: readonly Connection[]): Promise<LoadResult> {
    const startedAt = performance.now();
    this.#deadline = startedAt + this.#spec.seconds * 1_000;
    this.#lastAnswerAt = startedAt;
    const stalled = setInterval(() => this.#endStalled(connections), 1_000);
    for (const connection of connections) this.#send(connection);
    await Promise.all(connections.map(({ done }) => done.promise));
    clearInterval(stalled);
    return {
      requests: this.#latencies.total,
      accepted: this.#accepted,
      failures: this.#failures,
      seconds: (this.#lastAnswerAt - startedAt) / 1_000,
      p50Ms: this.#latencies.quantileMicros(0.5) / 1_000,
      p99Ms: this.#latencies.quantileMicros(0.99) / 1_000,
      maxMs: this.#latencies.maxMicros / 1_000,
    };
  }

  #send(connection: Connection): void {
    const now = performance.now();
    if (now >= this.#deadline || this.#started >= this.#spec.maxRequests) {
      this.#finish(connection);
      return;
    }
    this.#started += 1;
    connection.unsent = this.#frames[connection.next];
    connection.expect = this.#expected[connection.next];
    connection.next = (connection.next + 1) % this.#frames.length;
    connection.sentAt = now;
    this.#write(connection);
  }

  #write(connection: Connection): void {
    const { socket, unsent } = connection;
    if (socket === undefined || unsent === undefined) return;
    const written = socket.write(unsent);
    connection.unsent = written >= unsent.byteLength ? undefined : unsent.subarray(Math.max(0, written));
  }

  #receive(connection: Connection, chunk: Uint8Array): void {
    try {
      const status = connection.reader.push(chunk);
      if (status === undefined) return;
      this.#lastAnswerAt = performance.now();
      this.#latencies.record((this.#lastAnswerAt - connection.sentAt) * 1_000);
      const success = status >= 200 && status <= 299;
      if (success) this.#accepted += 1;
      if (connection.expect === undefined ? !success : status !== connection.expect) this.#fail(`status ${status}`);
      this.#send(connection);
    } catch (error) {
      this.#finish(connection, error instanceof Error ? error.message : "unreadable answer");
    }
  }

  /** Ends a connection once; what happens to it afterwards is our own doing. */
  #finish(connection: Connection, fault?: string): void {
    if (connection.finished) return;
    connection.finished = true;
    if (fault !== undefined) this.#fail(fault);
    connection.done.resolve();
    connection.socket?.terminate();
  }

  #endStalled(connections: readonly Connection[]): void {
    if (performance.now() - Math.max(this.#lastAnswerAt, this.#deadline) < stallMs) return;
    for (const connection of connections) this.#finish(connection, `no answer within ${stallMs / 1_000} s`);
  }

  #fail(kind: string): void {
    this.#failures[kind] = (this.#failures[kind] ?? 0) + 1;
  }
}

function frame(request: LoadRequest, host: string): Uint8Array {
  const body =
    request.bodyBase64 === undefined
      ? new TextEncoder().encode(request.body ?? "")
      : Buffer.from(request.bodyBase64, "base64");
  const headers = Object.entries({
    host,
    ...request.headers,
    ...(request.body === undefined && request.bodyBase64 === undefined
      ? {}
      : { "content-length": String(body.byteLength) }),
  });
  const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.concat([Buffer.from(`${request.method} ${request.path} HTTP/1.1\r\n${head}\r\n`), body]);
}
