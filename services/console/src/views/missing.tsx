import { RequestLink } from "./request-link.tsx";
import { type Answer, type Missing, type MissingReason, sources } from "../engines/ask.ts";
import type { Child } from "hono/jsx";

const reasons: Readonly<Record<MissingReason, string>> = {
  unreachable: "cannot be reached: it is down, or still being built or started",
  slow: "did not answer in time",
  forbidden: "may not be asked by you",
  signed_out: "needs you to sign in again",
  not_found: "has no such thing",
  busy: "is asked too often right now",
  refused: "did not take the question",
  odd: "gave an answer nobody can read",
};

/** Says who is missing and why; the rest of the page goes on without. */
export function MissingNote({ missing, what }: { readonly missing: Missing; readonly what?: string }) {
  const { source, reason, detail, requestId } = missing;
  return (
    <div class="missing" role="note">
      <p>
        {what === undefined ? null : <>{what} is missing: </>}
        <b>{sources[source]}</b> {reasons[reason]}.
        {/* The page itself: who has no session is led to sign in, and back to it. */}
        {reason === "signed_out" ? (
          <>
            {" "}
            <a href="">Sign in</a>
          </>
        ) : null}
      </p>
      {detail === undefined ? null : <p class="data small">{detail}</p>}
      {requestId === undefined ? null : (
        <p class="small">
          <RequestLink id={requestId}>What became of the question</RequestLink>
        </p>
      )}
    </div>
  );
}

/** The reason alone, where the source is named already. */
export function drawnReason({ reason }: Missing): string {
  return reasons[reason];
}

/** Draws what an answer holds, or who is missing. */
export function drawn<T>(answer: Answer<T>, draw: (value: T) => Child, what?: string): Child {
  if (answer.ok) return draw(answer.value);
  return <MissingNote missing={answer.missing} {...(what === undefined ? {} : { what })} />;
}
