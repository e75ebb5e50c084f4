interface FragmentEvent {
  readonly id: string;
  readonly hash: string;
  readonly html: string;
}

const firstRetryMs = 2_000;
const maxRetryMs = 30_000;
/** A stream that ends is there again sooner; one that is away longer is not live. */
const patienceMs = 4_000;

/** Follows the stream of the page, and puts each fragment in its place. */
export function followStream(): void {
  const badge = document.querySelector<HTMLElement>("[data-live]");
  const address = badge?.dataset["live"];
  if (badge === null || address === undefined) return;
  let retryMs = firstRetryMs;
  let source: EventSource | undefined;
  let away: ReturnType<typeof setTimeout> | undefined;

  const show = (state: "live" | "paused" | "settled"): void => {
    badge.dataset["state"] = state;
    const text = state === "settled" ? "" : state;
    if (badge.textContent?.trim() !== text) badge.textContent = text;
  };

  const open = (): void => {
    source = new EventSource(address);
    source.addEventListener("open", () => {
      retryMs = firstRetryMs;
      clearTimeout(away);
      away = undefined;
      show("live");
    });
    source.addEventListener("fragment", ({ data }: MessageEvent<string>) => fill(JSON.parse(data) as FragmentEvent));
    source.addEventListener("settled", () => {
      source?.close();
      show("settled");
    });
    source.addEventListener("error", () => {
      // A browser comes back by itself from a stream that ended, and gives up on one that was refused.
      if (source?.readyState !== EventSource.CLOSED) {
        away ??= setTimeout(() => show("paused"), patienceMs);
        return;
      }
      show("paused");
      void leaveIfSignedOut();
      setTimeout(open, retryMs);
      retryMs = Math.min(retryMs * 2, maxRetryMs);
    });
  };

  // Nobody looks at a hidden page, and every look costs the engines something.
  document.addEventListener("visibilitychange", () => {
    if (badge.dataset["state"] === "settled") return;
    source?.close();
    if (document.visibilityState === "visible") open();
    else show("paused");
  });
  open();
}

/** A stream does not tell why it was refused. Whoever signed out elsewhere is led to sign in, and back here. */
async function leaveIfSignedOut(): Promise<void> {
  const response = await fetch("/api/auth/me").catch(() => undefined);
  if (response?.status === 401) location.reload();
}

function fill({ id, hash, html }: FragmentEvent): void {
  const slot = document.getElementById(id);
  if (slot === null || slot.dataset["slot"] === hash || isBusy(slot)) return;
  const opened = new Set([...slot.querySelectorAll("details[open][id]")].map((details) => details.id));
  const focused = slot.contains(document.activeElement) ? document.activeElement?.id : undefined;
  const scrolled = [...slot.querySelectorAll<HTMLElement>("[data-keep-scroll]")].map((part) => part.scrollLeft);
  slot.innerHTML = html;
  slot.dataset["slot"] = hash;
  slot.removeAttribute("aria-busy");
  for (const details of slot.querySelectorAll<HTMLDetailsElement>("details[id]"))
    if (opened.has(details.id)) details.open = true;
  for (const [at, part] of slot.querySelectorAll<HTMLElement>("[data-keep-scroll]").entries())
    part.scrollLeft = scrolled[at] ?? 0;
  if (focused !== undefined && focused !== "") document.getElementById(focused)?.focus({ preventScroll: true });
  dispatchEvent(new CustomEvent("vitrine:filled", { detail: slot }));
}

/** Whoever selects a text or fills in a field there keeps what they have in hand; the next look is soon. */
function isBusy(slot: HTMLElement): boolean {
  const selection = getSelection();
  if (selection !== null && !selection.isCollapsed && slot.contains(selection.anchorNode)) return true;
  return slot.querySelector("input:focus, textarea:focus, select:focus") !== null;
}
