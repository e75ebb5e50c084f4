import { raw } from "hono/html";
import type { Fragment, Painted } from "./fragments.ts";

/** The place of a fragment. Before its first content it keeps room and says what it waits for. */
export function Slot({ fragment, painted }: { readonly fragment: Fragment; readonly painted: Painted | undefined }) {
  if (painted === undefined) {
    return (
      <div class="slot" id={fragment.id} data-slot="" aria-busy="true">
        <p class="waiting">Asking {fragment.waitsFor} …</p>
      </div>
    );
  }
  return (
    <div class="slot" id={fragment.id} data-slot={painted.hash}>
      {/* Written by our own elements a moment ago: everything in it is escaped. */}
      {raw(painted.html)}
    </div>
  );
}
