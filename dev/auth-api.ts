import { problem } from "@vitrine/contracts/problem";
import type { z } from "zod";
import { SetupError } from "./setup-error.ts";

export interface AuthApiOptions {
  /** Of the gateway, without a slash at its end. */
  readonly gatewayUrl: string;
  /** What paths are below. Default `/api/auth`. */
  readonly base?: string;
  readonly token: () => Promise<string>;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
}

/** Calls to an API, that of the auth service unless told otherwise, as an administrator, through the gateway. @throws {SetupError} saying what was refused */
export interface AuthApi {
  call<S extends z.ZodType>(method: string, path: string, answer: S, body?: unknown): Promise<z.output<S>>;
  /** For answers without a body. */
  send(method: string, path: string, body?: unknown): Promise<void>;
}

const timeoutMs = 10_000;

export function createAuthApi({ gatewayUrl, base = "/api/auth", token, fetch }: AuthApiOptions): AuthApi {
  async function request(method: string, path: string, body: unknown): Promise<Response> {
    const url = `${gatewayUrl}${base}${path}`;
    const headers = {
      authorization: `Bearer ${await token()}`,
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers,
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMs),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw new SetupError(`${gatewayUrl} does not answer: is Vitrine running? Start it by \`bun run dev\`.`, {
        cause,
      });
    }
    if (response.ok) return response;
    throw new SetupError(await explain(response, `${method} ${url}`));
  }

  return {
    call: async (method, path, answer, body) => {
      const response = await request(method, path, body);
      const parsed = answer.safeParse(await readJson(response));
      if (parsed.success) return parsed.data;
      throw new SetupError(`${gatewayUrl} answered something else than Vitrine would.`);
    },
    send: async (method, path, body) => {
      await request(method, path, body);
    },
  };
}

async function explain(response: Response, what: string): Promise<string> {
  const told = problem.safeParse(await readJson(response));
  if (!told.success) return `${what} answered ${response.status}.`;
  const { title, detail, code, requestId } = told.data;
  return `${detail ?? title} (${code}, request ${requestId})`;
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    // Whatever this is, it is no answer of ours; the caller says so.
    return undefined;
  }
}
