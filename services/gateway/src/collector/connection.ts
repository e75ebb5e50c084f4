import type { Socket } from "bun";
import type { Deadline } from "../deadlines.ts";
import { AnswerReader, type HttpAnswer } from "./answer-reader.ts";

export interface PostedBody {
  readonly content: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Bytes of a stream, where they are known: without them it goes out in chunks. */
  readonly length?: number | undefined;
  /** Milliseconds for the whole exchange. */
  readonly timeoutMs: number;
}

/** One request under way. */
export class Exchange {
  readonly head: string;
  readonly body: PostedBody;
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: unknown) => void;
  connection: Connection | undefined;
  deadline: Deadline | undefined;
  over = false;
  again = false;

  constructor(head: string, body: PostedBody, { resolve, reject }: PromiseWithResolvers<HttpAnswer>) {
    this.head = head;
    this.body = body;
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** One connection, with at most one request under way. */
export class Connection {
  readonly reader = new AnswerReader();
  socket: Socket<Connection> | undefined;
  exchange: Exchange | undefined;
  used = false;
  gone = false;
  /** True until a streamed request is written whole. */
  sending = false;
  unsent: Uint8Array | undefined;
  drained: (() => void) | undefined;
  idleSince = 0;

  /** Keeps what the kernel does not take; `bytes` must stay as they are until then. */
  write(bytes: Uint8Array): void {
    if (this.unsent !== undefined) {
      this.unsent = Buffer.concat([this.unsent, bytes]);
      return;
    }
    const written = Math.max(this.socket?.write(bytes) ?? 0, 0);
    if (written < bytes.byteLength) this.unsent = bytes.subarray(written);
  }
}
