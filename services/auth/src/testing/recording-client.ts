import { type TokenResponse, tokenResponse } from "@vitrine/contracts/auth";

export interface Sent {
  readonly token?: string;
  readonly basic?: string;
  readonly cookie?: string;
  readonly body?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly params?: Readonly<Record<string, string>>;
}

export interface Recorded {
  readonly name: string;
  readonly status: number;
  /** Headers and body. */
  readonly text: string;
}

export type RecordingClient = ReturnType<typeof createRecordingClient>;

/** Calls operations by their name in the document, keeps every answer, and which secret came by which of them. */
export function createRecordingClient(url: string, addresses: readonly string[]) {
  const answers: Recorded[] = [];
  /** Of every secret the answer that gave it away, where one did. */
  const secrets = new Map<string, number | undefined>();

  async function call(
    name: string,
    { token, basic: credentials, cookie, body, form, query = "", params = {} }: Sent = {},
  ) {
    const [method = "", template = ""] = name.split(" ");
    const path = template.replaceAll(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(params[key] ?? ""));
    const authorization = token === undefined ? credentials : `Bearer ${token}`;
    const type = form === undefined ? "application/json" : "application/x-www-form-urlencoded";
    const sent =
      form === undefined
        ? body === undefined
          ? undefined
          : JSON.stringify(body)
        : new URLSearchParams(form).toString();
    const response = await fetch(`${url}${path}${query}`, {
      method,
      headers: {
        "x-client-address": addresses[answers.length % addresses.length] ?? "",
        ...(sent === undefined ? {} : { "content-type": type }),
        ...(authorization === undefined ? {} : { authorization }),
        ...(cookie === undefined ? {} : { cookie }),
      },
      ...(sent === undefined ? {} : { body: sent }),
    });
    const text = await response.text();
    const setCookie = response.headers.get("set-cookie") ?? "";
    answers.push({ name, status: response.status, text: `${JSON.stringify([...response.headers])}\n${text}` });
    return { status: response.status, text, setCookie, json: (): unknown => JSON.parse(text) };
  }

  /** The last answer gave these away; nothing else may. */
  function given(...texts: readonly string[]): void {
    for (const text of texts) secrets.set(text, answers.length - 1);
  }

  function kept(...texts: readonly string[]): void {
    for (const text of texts) secrets.set(text, undefined);
  }

  async function tokens(answer: ReturnType<typeof call>): Promise<TokenResponse> {
    const parsed = tokenResponse.parse((await answer).json());
    given(parsed.access_token, parsed.access_token.split(".")[2] ?? "");
    if (parsed.refresh_token !== undefined) given(parsed.refresh_token, parsed.refresh_token.slice(4));
    return parsed;
  }

  return { answers, secrets, call, given, kept, tokens };
}
