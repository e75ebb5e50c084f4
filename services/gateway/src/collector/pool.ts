import type { Socket } from "bun";
import { ServiceError } from "@vitrine/kit/errors";
import { AnswerFault, AnswerReader, type HttpAnswer } from "./answer-reader.ts";

export interface PostedBody {
  readonly content: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Bytes of a stream, where they are known: without them it goes out in chunks. */
  readonly length?: number | undefined;
}

export interface Post {
  /** Request line and header fields, each with its CRLF, without what frames the body: that is written here. */
  readonly head: string;
  readonly body: PostedBody;
  /** Milliseconds for the whole exchange. */
  readonly timeoutMs: number;
}

/** Keep-alive connections to one HTTP/1.1 server. */
export interface Pool {
  /**
   * Sends a request and takes its whole answer. A request whose body is at hand goes out a second time, on a new
   * connection, if the one it was sent on turns out to have been closed while idle (RFC 9112 §9.3.1).
   *
   * @throws ServiceError 503 when no whole answer comes, 504 when it comes too late, 502 when it is no HTTP; what a
   * body's stream throws, as it is
   */
  post(post: Post): Promise<HttpAnswer>;
  /** Connections that are open, and those of them that wait for a request. */
  load(): { readonly open: number; readonly idle: number };
  close(): void;
}

/** Below the minute after which Go servers close a connection nobody uses. */
const idleMs = 30_000;
const sweepMs = 100;
/** Up to this a body is copied behind its head: one call into the kernel costs more. */
const joinedBytes = 65_536;

interface Exchange extends Post {
  readonly deadlineAt: number;
  readonly settle: PromiseWithResolvers<HttpAnswer>;
  over: boolean;
  again: boolean;
}

interface Connection {
  socket: Socket<Connection> | undefined;
  readonly reader: AnswerReader;
  exchange: Exchange | undefined;
  used: boolean;
  /** True until the whole request is written. */
  sending: boolean;
  unsent: Uint8Array | undefined;
  drained: (() => void) | undefined;
  idleSince: number;
}

/** Makes a pool; connections are opened as they are needed and closed half a minute after they were. */
export function createPool({ hostname, port }: { readonly hostname: string; readonly port: number }): Pool {
  const running = new Set<Exchange>();
  const waiting = new Set<Exchange>();
  const open = new Set<Connection>();
  const idle: Connection[] = [];
  const scratch = Buffer.allocUnsafe(joinedBytes + 4_096);
  let connecting = 0;
  let timer: ReturnType<typeof setInterval> | undefined;

  function sweep(): void {
    const now = performance.now();
    for (const exchange of running) if (exchange.deadlineAt <= now) fail(exchange, late());
    while (idle[0] !== undefined && now - idle[0].idleSince > idleMs) idle.shift()?.socket?.end();
    if (running.size > 0 || idle.length > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  function settle(exchange: Exchange): boolean {
    if (exchange.over) return false;
    exchange.over = true;
    running.delete(exchange);
    waiting.delete(exchange);
    return true;
  }

  function fail(exchange: Exchange, error: unknown): void {
    if (!settle(exchange)) return;
    for (const connection of open) if (connection.exchange === exchange) drop(connection);
    exchange.settle.reject(error);
  }

  function drop(connection: Connection): void {
    connection.exchange = undefined;
    connection.socket?.terminate();
  }

  async function connect(): Promise<void> {
    const connection: Connection = {
      socket: undefined,
      reader: new AnswerReader(),
      exchange: undefined,
      used: false,
      sending: false,
      unsent: undefined,
      drained: undefined,
      idleSince: 0,
    };
    connecting += 1;
    try {
      connection.socket = await Bun.connect<Connection>({ hostname, port, data: connection, socket: handler });
    } catch (cause) {
      const [exchange] = waiting;
      if (exchange !== undefined) fail(exchange, away(cause));
      return;
    } finally {
      connecting -= 1;
    }
    open.add(connection);
    connection.socket.setNoDelay(true);
    rest(connection);
  }

  /** Gives a connection to who waits for one, or keeps it. */
  function rest(connection: Connection): void {
    const [exchange] = waiting;
    if (exchange !== undefined) {
      waiting.delete(exchange);
      send(connection, exchange);
      return;
    }
    connection.idleSince = performance.now();
    idle.push(connection);
  }

  function send(connection: Connection, exchange: Exchange): void {
    const { content, length } = exchange.body;
    connection.exchange = exchange;
    if (content instanceof Uint8Array) {
      writeWhole(connection, `${exchange.head}content-length: ${content.byteLength}\r\n\r\n`, content);
      return;
    }
    connection.sending = true;
    const framing = length === undefined ? "transfer-encoding: chunked" : `content-length: ${length}`;
    void pump(connection, exchange, content, `${exchange.head}${framing}\r\n\r\n`);
  }

  function writeWhole(connection: Connection, head: string, content: Uint8Array): void {
    if (content.byteLength > joinedBytes || head.length > 4_096) {
      write(connection, Buffer.from(head, "latin1"));
      write(connection, content);
      return;
    }
    const at = scratch.write(head, 0, "latin1");
    scratch.set(content, at);
    const end = at + content.byteLength;
    const written = connection.socket?.write(scratch, 0, end) ?? end;
    if (written < end) connection.unsent = Uint8Array.from(scratch.subarray(Math.max(written, 0), end));
  }

  async function pump(
    connection: Connection,
    exchange: Exchange,
    source: ReadableStream<Uint8Array<ArrayBuffer>>,
    head: string,
  ): Promise<void> {
    const reader = source.getReader();
    const chunked = exchange.body.length === undefined;
    let left = exchange.body.length ?? 0;
    let before = head;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (exchange.over) break;
        if (done) {
          if (left > 0) throw new Error("the body is shorter than its length");
          if (chunked) before += "0\r\n\r\n";
          if (before !== "") await written(connection, Buffer.from(before, "latin1"));
          connection.sending = false;
          return;
        }
        if (value.byteLength === 0) continue;
        left -= value.byteLength;
        if (!chunked && left < 0) throw new Error("the body is longer than its length");
        if (chunked) before += `${value.byteLength.toString(16)}\r\n`;
        if (before !== "") write(connection, Buffer.from(before, "latin1"));
        before = chunked ? "\r\n" : "";
        await written(connection, value);
      }
      await reader.cancel();
    } catch (error) {
      fail(exchange, error);
      await reader.cancel(error).catch(() => undefined);
    }
  }

  /** Resolves when the bytes are the kernel's, or when the connection is gone. */
  function written(connection: Connection, bytes: Uint8Array): Promise<void> | undefined {
    write(connection, bytes);
    if (connection.unsent === undefined || !open.has(connection)) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    connection.drained = resolve;
    return promise;
  }

  function receive(connection: Connection, chunk: Uint8Array): void {
    const { exchange } = connection;
    // Bytes nobody asked for would be taken for the answer to the next request.
    if (exchange === undefined) {
      drop(connection);
      return;
    }
    try {
      const answer = connection.reader.push(chunk);
      if (answer === undefined) return;
      connection.exchange = undefined;
      connection.used = true;
      // What answers before it has heard everything leaves the rest of the request on the line.
      if (answer.reusable && connection.unsent === undefined && !connection.sending) rest(connection);
      else connection.socket?.terminate();
      if (settle(exchange)) exchange.settle.resolve(answer);
    } catch (cause) {
      fail(exchange, cause instanceof AnswerFault ? wrong(cause) : cause);
    }
  }

  function closed(connection: Connection): void {
    const { exchange } = connection;
    open.delete(connection);
    const at = idle.indexOf(connection);
    if (at !== -1) idle.splice(at, 1);
    connection.exchange = undefined;
    connection.drained?.();
    if (exchange === undefined || exchange.over) return;
    const unheard = connection.used && !connection.reader.begun && exchange.body.content instanceof Uint8Array;
    if (unheard && !exchange.again) {
      exchange.again = true;
      waiting.add(exchange);
      void connect();
    } else fail(exchange, away(new Error("the connection was closed before the answer was whole")));
  }

  const handler = {
    data: (socket: Socket<Connection>, chunk: Uint8Array) => receive(socket.data, chunk),
    drain: ({ data: connection }: Socket<Connection>) => {
      const { unsent } = connection;
      connection.unsent = undefined;
      if (unsent !== undefined) write(connection, unsent);
      if (connection.unsent !== undefined) return;
      connection.drained?.();
      connection.drained = undefined;
    },
    close: (socket: Socket<Connection>) => closed(socket.data),
    error: (socket: Socket<Connection>) => socket.terminate(),
  };

  return {
    post: (post) => {
      const exchange: Exchange = {
        ...post,
        deadlineAt: performance.now() + post.timeoutMs,
        settle: Promise.withResolvers<HttpAnswer>(),
        over: false,
        again: false,
      };
      running.add(exchange);
      timer ??= setInterval(sweep, sweepMs);
      // The one that was used last: the others may rest, and be closed.
      const connection = idle.pop();
      if (connection !== undefined) send(connection, exchange);
      else {
        waiting.add(exchange);
        // A server that lets nobody in is not knocked at once more for each who gave up.
        if (connecting < waiting.size) void connect();
      }
      return exchange.settle.promise;
    },
    load: () => ({ open: open.size, idle: idle.length }),
    close: () => {
      clearInterval(timer);
      for (const exchange of running) fail(exchange, away(new Error("the gateway stops")));
      for (const connection of open) connection.socket?.terminate();
    },
  };
}

/** Keeps what the kernel does not take; `bytes` must stay as they are until then. */
function write(connection: Connection, bytes: Uint8Array): void {
  if (connection.unsent !== undefined) {
    connection.unsent = Buffer.concat([connection.unsent, bytes]);
    return;
  }
  const written = Math.max(connection.socket?.write(bytes) ?? 0, 0);
  if (written < bytes.byteLength) connection.unsent = bytes.subarray(written);
}

function away(cause: unknown): ServiceError {
  return new ServiceError("unavailable", undefined, { reason: "upstream_down", retryAfterSeconds: 2, cause });
}

function late(): ServiceError {
  return new ServiceError("upstream_timeout", undefined, { reason: "upstream_timeout", retryAfterSeconds: 2 });
}

function wrong(cause: unknown): ServiceError {
  return new ServiceError("upstream_failed", undefined, { reason: "upstream_failed", retryAfterSeconds: 2, cause });
}
