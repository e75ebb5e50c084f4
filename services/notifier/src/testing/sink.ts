import { type WebhookMessage, webhookMessage } from "@vitrine/contracts/alerts";

export interface Received {
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
  readonly status: number;
}

export type Answer = (request: Request, body: string) => Response | Promise<Response>;

export interface Sink {
  readonly url: string;
  /** Everything that came, whatever was answered. */
  readonly received: Received[];
  answer: Answer;
  /** Every change of an alert by its id, in the order in which it first came. */
  changes(): readonly WebhookMessage["data"]["alerts"][number][];
  stop(): Promise<void>;
}

const ok: Answer = () => new Response("ok");

/** A real HTTP server on loopback that answers as it is told. */
export function startSink(tls?: { readonly cert: string; readonly key: string }): Sink {
  const received: Received[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    ...(tls === undefined ? {} : { tls }),
    fetch: async (request) => {
      const body = await request.text();
      const response = await sink.answer(request, body);
      received.push({ path: new URL(request.url).pathname, headers: request.headers, body, status: response.status });
      return response;
    },
  });
  const sink: Sink = {
    url: server.url.href,
    received,
    answer: ok,
    changes: () => {
      const seen = new Map<string, WebhookMessage["data"]["alerts"][number]>();
      for (const { body } of received)
        for (const change of webhookMessage.parse(JSON.parse(body)).data.alerts)
          if (!seen.has(change.id)) seen.set(change.id, change);
      return [...seen.values()];
    },
    stop: () => server.stop(true),
  };
  return sink;
}
