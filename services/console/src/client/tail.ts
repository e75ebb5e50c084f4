/** Lines a page keeps; older ones go. */
const maxShown = 500;

/** Follows new lines for who asks for it. */
function connectTail(box: HTMLElement): void {
  const button = box.querySelector("button");
  const list = box.querySelector<HTMLElement>("ol");
  const status = box.querySelector("[role=status]");
  const address = box.dataset["tail"];
  if (button === null || list === null || status === null || address === undefined) return;
  let source: EventSource | undefined;

  const say = (text: string): void => {
    status.textContent = text;
  };
  const stop = (): void => {
    source?.close();
    source = undefined;
    button.setAttribute("aria-pressed", "false");
    button.textContent = "Follow";
    say("Not following.");
  };
  const start = (): void => {
    list.hidden = false;
    button.setAttribute("aria-pressed", "true");
    button.textContent = "Stop";
    say("Waiting for the next line …");
    source = new EventSource(address);
    source.addEventListener("lines", ({ data }: MessageEvent<string>) => {
      say("");
      add(list, JSON.parse(data) as string);
    });
    source.addEventListener("missing", ({ data }: MessageEvent<string>) => {
      status.innerHTML = JSON.parse(data) as string;
    });
    source.addEventListener("error", () => {
      if (source?.readyState === EventSource.CLOSED) stop();
    });
  };
  button.addEventListener("click", () => (source === undefined ? start() : stop()));
}

function add(list: HTMLElement, html: string): void {
  const template = document.createElement("template");
  template.innerHTML = html;
  list.prepend(...(template.content.firstElementChild?.children ?? []));
  while (list.childElementCount > maxShown) list.lastElementChild?.remove();
}

for (const box of document.querySelectorAll<HTMLElement>("[data-tail]")) connectTail(box);
