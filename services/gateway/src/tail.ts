import { ServiceError } from "@vitrine/kit/errors";
import type { ServerWebSocket, WebSocketHandler } from "bun";

/** One open WebSocket of a client and its other half at the upstream. */
export interface Tail {
  readonly upstream: WebSocket;
  /** What came before the client was there to hear it. */
  readonly early: (string | Buffer)[];
  /** @throws when the token is no longer good */
  readonly check: () => Promise<unknown>;
  readonly ended: () => void;
  timer?: ReturnType<typeof setInterval>;
}

/** A client further behind than this is cut off: live lines are of no use to it, and memory is not its to take. */
const maxBehindBytes = 1_048_576;
/** Clients of a tail have nothing to say. */
const maxMessageBytes = 4_096;
const silenceSeconds = 60;
const checkMs = 1_000;

/** Close codes of RFC 6455 §7.4.1. */
const goingAway = 1001;
const policy = 1008;
const failed = 1011;

export interface Tails {
  readonly handler: WebSocketHandler<Tail>;
  /** Closes all, as when the gateway stops. */
  closeAll(): void;
  size(): number;
}

/** The client's halves: they end with their token, with the upstream, with the gateway, or when they fall behind. */
export function createTails(): Tails {
  const open = new Set<ServerWebSocket<Tail>>();
  return {
    handler: {
      maxPayloadLength: maxMessageBytes,
      backpressureLimit: maxBehindBytes,
      closeOnBackpressureLimit: true,
      idleTimeout: silenceSeconds,
      open: (socket) => {
        open.add(socket);
        const { upstream, early, check } = socket.data;
        for (const message of early.splice(0)) socket.send(message);
        upstream.addEventListener("message", ({ data }) => socket.send(toMessage(data)));
        upstream.addEventListener("close", ({ code }) => socket.close(code === 1000 ? 1000 : failed));
        if (upstream.readyState !== WebSocket.OPEN) socket.close(failed);
        socket.data.timer = setInterval(() => {
          check().catch(() => socket.close(policy, "the token is no longer good"));
        }, checkMs);
      },
      message: () => undefined,
      close: (socket) => {
        open.delete(socket);
        clearInterval(socket.data.timer);
        socket.data.upstream.close();
        socket.data.ended();
      },
    },
    closeAll: () => {
      for (const socket of open) socket.close(goingAway, "the gateway is going away");
    },
    size: () => open.size,
  };
}

function toMessage(data: unknown): string | Buffer {
  if (typeof data === "string") return data;
  return data instanceof ArrayBuffer ? Buffer.from(data) : Buffer.from(String(data));
}

/** What an upstream may say before the client's half is open. */
const maxEarly = 100;

export interface OpenedUpstream {
  readonly socket: WebSocket;
  readonly early: (string | Buffer)[];
}

/** Opens the upstream's half, with no credentials. `undefined` when it will not be a WebSocket. */
export async function openUpstream(
  url: string,
  timeoutMs: number,
  client: AbortSignal,
): Promise<OpenedUpstream | undefined> {
  const socket = new WebSocket(url.replace(/^http/, "ws"));
  socket.binaryType = "arraybuffer";
  const early: (string | Buffer)[] = [];
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const collect = ({ data }: MessageEvent) => {
    if (early.length < maxEarly) early.push(toMessage(data));
  };
  const giveUp = () => resolve(false);
  const timer = setTimeout(giveUp, timeoutMs);
  socket.addEventListener("message", collect);
  socket.addEventListener("open", () => resolve(true));
  socket.addEventListener("error", giveUp);
  socket.addEventListener("close", giveUp);
  client.addEventListener("abort", giveUp, { once: true });
  const opened = await promise;
  clearTimeout(timer);
  if (!opened) {
    socket.close();
    return undefined;
  }
  return {
    socket,
    get early() {
      socket.removeEventListener("message", collect);
      return early;
    },
  };
}

/** Sixteen bytes in base64. */
const keyForm = /^[A-Za-z0-9+/]{22}==$/;

/** @throws ServiceError `invalid_request` unless the request asks for a WebSocket as it should (RFC 6455 §4.2.1) */
export function checkUpgrade({ headers }: Request): void {
  const wanted =
    headers.get("upgrade")?.toLowerCase() === "websocket" &&
    /(?:^|[\t ,])upgrade(?:[\t ,]|$)/i.test(headers.get("connection") ?? "");
  if (wanted && headers.get("sec-websocket-version") === "13" && keyForm.test(headers.get("sec-websocket-key") ?? ""))
    return;
  throw new ServiceError("invalid_request", "this is a WebSocket: ask for one, of version 13", {
    reason: "no_upgrade",
    headers: { "sec-websocket-version": "13" },
  });
}
