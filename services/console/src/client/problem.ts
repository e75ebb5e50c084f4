/** Of a refusal, as RFC 9457 has it. */
export interface Problem {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
  readonly challenge?: string;
  readonly instance?: string;
}

export async function readProblem(response: Response): Promise<Problem> {
  try {
    return (await response.json()) as Problem;
  } catch {
    return {};
  }
}

/** Tells a refusal in `place`, and where it leads: to sign in, or to what is known of the request. */
export function tellRefusal(place: HTMLElement, response: Response, problem: Problem): void {
  // What programs are told of tokens says nothing to people.
  if (problem.code === "unauthenticated" || problem.code === "invalid_token") {
    place.textContent = "You are not signed in any more.";
    lead(place, "Sign in", location.href);
    return;
  }
  const wait = response.headers.get("retry-after");
  const told = problem.detail ?? problem.title ?? `The answer was ${response.status}.`;
  place.textContent = wait === null ? told : `${told} Try again in ${wait} s.`;
  if (problem.instance?.startsWith("/requests/") === true) lead(place, "What became of the request", problem.instance);
}

function lead(place: HTMLElement, text: string, href: string): void {
  const link = document.createElement("a");
  link.href = href;
  link.textContent = text;
  place.append(" ", link);
}
