import type { Socket } from "bun";
import type { Deadline, Deadlines } from "../deadlines.ts";
import { AnswerFault, type HttpAnswer } from "./answer-reader.ts";
import { Connection, Exchange, type PostedBody } from "./connection.ts";
import { away, late, wrong } from "./faults.ts";

/** Keep-alive connections to one HTTP/1.1 server. */
export interface Pool {
  /**
   * Sends a request and takes its whole answer. A request whose body is at hand goes out a second time, on a new
   * connection, if the one it was sent on turns out to have been closed while idle (RFC 9112 §9.3.1).
   *
   * @param head request line and header fields, each with its CRLF, without what frames the body: that is written here
   * @throws ServiceError 503 when no whole answer comes, 504 when it comes too late, 502 when it is no HTTP; what a
   * body's stream throws, as it is
   */
  post(head: string, body: PostedBody): Promise<HttpAnswer>;
  /** Connections that are open, and those of them that wait for a request. */
  load(): { readonly open: number; readonly idle: number };
  close(): void;
}

export interface PoolOptions {
  readonly hostname: string;
  readonly port: number;
  readonly deadlines: Deadlines;
}

/** Below the minute after which Go servers close a connection nobody uses. */
const idleMs = 30_000;
/** Up to this a body is copied behind its head: one call into the kernel costs more. */
const joinedBytes = 65_536;
const maxHeadBytes = 4_096;

/** Makes a pool; connections are opened as they are needed and closed half a minute after they were. */
export function createPool({ hostname, port, deadlines }: PoolOptions): Pool {
  const waiting = new Set<Exchange>();
  const open = new Set<Connection>();
  const idle: Connection[] = [];
  const scratch = Buffer.allocUnsafe(joinedBytes + maxHeadBytes);
  let connecting = 0;
  let pruning: Deadline | undefined;

  function prune(): void {
    pruning = undefined;
    const now = performance.now();
    while (idle[0] !== undefined && now - idle[0].idleSince >= idleMs) idle.shift()?.socket?.end();
    if (idle.length > 0) pruning = deadlines.within(idleMs, prune);
  }

  function settle(exchange: Exchange): boolean {
    if (exchange.over) return false;
    exchange.over = true;
    exchange.deadline?.callOff();
    return true;
  }

  function fail(exchange: Exchange, error: unknown): void {
    if (!settle(exchange)) return;
    waiting.delete(exchange);
    exchange.connection?.socket?.terminate();
    exchange.reject(error);
  }

  async function connect(): Promise<void> {
    const connection = new Connection();
    connecting += 1;
    try {
      connection.socket = await Bun.connect<Connection>({ hostname, port, data: connection, socket: handler });
      if (connection.gone) throw new Error("the connection was closed as soon as it was open");
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
    if (waiting.size > 0) {
      const [exchange] = waiting;
      if (exchange !== undefined) {
        waiting.delete(exchange);
        send(connection, exchange);
        return;
      }
    }
    connection.idleSince = performance.now();
    idle.push(connection);
    pruning ??= deadlines.within(idleMs, prune);
  }

  function send(connection: Connection, exchange: Exchange): void {
    const { content, length } = exchange.body;
    connection.exchange = exchange;
    exchange.connection = connection;
    if (content instanceof Uint8Array) {
      writeWhole(connection, `${exchange.head}content-length: ${content.byteLength}\r\n\r\n`, content);
      return;
    }
    connection.sending = true;
    const framing = length === undefined ? "transfer-encoding: chunked" : `content-length: ${length}`;
    void pump(connection, exchange, content, `${exchange.head}${framing}\r\n\r\n`);
  }

  function writeWhole(connection: Connection, head: string, content: Uint8Array): void {
    const size = content.byteLength;
    if (size > joinedBytes || head.length > maxHeadBytes) {
      connection.write(Buffer.from(head, "latin1"));
      connection.write(content);
      return;
    }
    const end = scratch.write(head, 0, "latin1") + size;
    scratch.set(content, end - size);
    const written = Math.max(connection.socket?.write(scratch, 0, end) ?? end, 0);
    if (written < end) connection.unsent = new Uint8Array(scratch.subarray(written, end));
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
        if (before !== "") connection.write(Buffer.from(before, "latin1"));
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
    connection.write(bytes);
    if (connection.unsent === undefined || !open.has(connection)) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    connection.drained = resolve;
    return promise;
  }

  function receive(connection: Connection, chunk: Buffer): void {
    const { exchange } = connection;
    // Bytes nobody asked for would be taken for the answer to the next request.
    if (exchange === undefined) {
      connection.socket?.terminate();
      return;
    }
    let answer: HttpAnswer | undefined;
    try {
      answer = connection.reader.push(chunk);
    } catch (cause) {
      fail(exchange, cause instanceof AnswerFault ? wrong(cause) : cause);
      return;
    }
    if (answer === undefined) return;
    connection.exchange = undefined;
    connection.used = true;
    // What answers before it has heard everything leaves the rest of the request on the line.
    if (answer.reusable && connection.unsent === undefined && !connection.sending) rest(connection);
    else connection.socket?.terminate();
    if (settle(exchange)) exchange.resolve(answer);
  }

  function closed(connection: Connection): void {
    const { exchange } = connection;
    connection.gone = true;
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
    data: (socket: Socket<Connection>, chunk: Buffer) => receive(socket.data, chunk),
    drain: ({ data: connection }: Socket<Connection>) => {
      const { unsent } = connection;
      connection.unsent = undefined;
      if (unsent !== undefined) connection.write(unsent);
      if (connection.unsent !== undefined) return;
      connection.drained?.();
      connection.drained = undefined;
    },
    close: (socket: Socket<Connection>) => closed(socket.data),
    error: (socket: Socket<Connection>) => {
      socket.terminate();
    },
  };

  return {
    post: (head, body) => {
      const settled = Promise.withResolvers<HttpAnswer>();
      const exchange = new Exchange(head, body, settled);
      exchange.deadline = deadlines.within(body.timeoutMs, () => fail(exchange, late()));
      // The one that was used last: the others may rest, and be closed.
      const connection = idle.pop();
      if (connection !== undefined) send(connection, exchange);
      else {
        waiting.add(exchange);
        // A server that lets nobody in is not knocked at once more for each who gave up.
        if (connecting < waiting.size) void connect();
      }
      return settled.promise;
    },
    load: () => ({ open: open.size, idle: idle.length }),
    close: () => {
      pruning?.callOff();
      const stopped = away(new Error("the gateway stops"));
      for (const exchange of waiting) fail(exchange, stopped);
      for (const { exchange, socket } of open) {
        if (exchange !== undefined) fail(exchange, stopped);
        socket?.terminate();
      }
    },
  };
}
