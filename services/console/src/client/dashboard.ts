import type { Happened } from "../dashboards/annotations.ts";
import { drawPanelChart, type DrawnChart } from "./dashboard-chart.ts";
import { openPoint } from "./dashboard-point.ts";

/** Panels that are asked for at once: more would only wait in the browser. */
const atOnce = 5;

const board = document.querySelector<HTMLElement>("[data-board]");
const charts = new Map<HTMLElement, DrawnChart>();
const seen = new Set<HTMLElement>();
let happened: readonly Happened[] = [];

/** A panel that is out of sight is not asked for again. */
const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries)
    if (isIntersecting) seen.add(target as HTMLElement);
    else seen.delete(target as HTMLElement);
});

async function load(address: string): Promise<unknown> {
  const response = await fetch(address, { headers: { accept: "application/json" } });
  if (response.status === 401) location.reload();
  if (!response.ok) throw new Error(`the answer was ${response.status}`);
  return await response.json();
}

async function fill(panel: HTMLElement, root: string, search: string): Promise<void> {
  const content = panel.querySelector<HTMLElement>(".content");
  if (content === null) return;
  try {
    const { html } = (await load(`${root}/panels/${panel.dataset["panel"] ?? ""}?${search}`)) as {
      readonly html: string;
    };
    if (!isBusy(content)) put(panel, content, html);
  } catch {
    const note = document.createElement("p");
    note.className = "missing";
    note.textContent = "The console does not answer. It is asked again soon.";
    charts.get(panel)?.destroy();
    charts.delete(panel);
    content.replaceChildren(note);
    written.delete(content);
  } finally {
    content.removeAttribute("aria-busy");
  }
}

const written = new WeakMap<HTMLElement, string>();

function put(panel: HTMLElement, content: HTMLElement, html: string): void {
  if (written.get(content) === html) return;
  written.set(content, html);
  const hidden = charts.get(panel)?.hidden();
  const opened = new Set([...content.querySelectorAll("details[open][id]")].map(({ id }) => id));
  const top = content.scrollTop;
  charts.get(panel)?.destroy();
  charts.delete(panel);
  content.innerHTML = html;
  for (const details of content.querySelectorAll<HTMLDetailsElement>("details[id]"))
    if (opened.has(details.id)) details.open = true;
  content.scrollTop = top;
  const drawing = content.querySelector<HTMLElement>("[data-panel-chart]");
  if (drawing !== null)
    charts.set(panel, drawPanelChart(drawing, { happened: () => happened, hidden: hidden ?? new Set(), openPoint }));
}

function isBusy(content: HTMLElement): boolean {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && content.contains(selection.anchorNode);
}

async function fillAll(panels: readonly HTMLElement[], root: string, search: string): Promise<void> {
  const waiting = [...panels];
  const worker = async (): Promise<void> => {
    for (let panel = waiting.shift(); panel !== undefined; panel = waiting.shift()) await fill(panel, root, search);
  };
  const lookBack = async (): Promise<void> => {
    const answer = (await load(`${root}/happened?${search}`)) as { readonly items: readonly Happened[] };
    happened = answer.items;
    for (const chart of charts.values()) chart.redraw();
  };
  await Promise.all([lookBack().catch(() => undefined), ...Array.from({ length: atOnce }, worker)]);
}

function follow(root: string, search: string, everyMs: number, panels: readonly HTMLElement[]): void {
  const look = async (): Promise<void> => {
    const inSight = panels.filter((panel) => seen.has(panel));
    // Nobody looks at a hidden page, and every look costs the engines something.
    if (document.visibilityState === "visible") await fillAll(inSight, root, search);
    setTimeout(() => void look(), everyMs);
  };
  setTimeout(() => void look(), everyMs);
}

async function start({ dataset }: HTMLElement): Promise<void> {
  const { board: root = "", search = "", every = "0" } = dataset;
  const panels = [...document.querySelectorAll<HTMLElement>("[data-panel]")];
  for (const panel of panels) sight.observe(panel);
  await fillAll(panels, root, search);
  if (Number(every) > 0) follow(root, search, Number(every) * 1_000, panels);
}

function repaint(): void {
  for (const chart of charts.values()) chart.repaint();
}

if (board !== null) void start(board);
addEventListener("vitrine:theme", repaint);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
new ResizeObserver(() => {
  for (const chart of charts.values()) chart.fit();
}).observe(document.body);
