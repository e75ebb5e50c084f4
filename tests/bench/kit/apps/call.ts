import type { Call } from "./routes.ts";

/** By the platform's own `fetch`, in variants that do not run the kit. */
export function callBy(url: string): Call {
  return async () => (await fetch(url)).text();
}
