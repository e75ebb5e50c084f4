import type { PanelChart } from "../dashboards/chart-data.ts";
import { written } from "../dashboards/units.ts";

/** So much of the time around a point belongs to it, at least, in seconds. */
const leastSpan = 60;

/** Offers where a point leads: its logs, traces and dashboards of that moment, and single requests behind it. */
export function openPoint(chart: PanelChart, series: number, at: number): void {
  const dialog = document.querySelector<HTMLDialogElement>("#point");
  const list = dialog?.querySelector("ul");
  const heading = dialog?.querySelector("h2");
  const line = chart.series[series];
  if (dialog === null || list === null || list === undefined || heading === null || heading === undefined) return;
  const seconds = chart.times[at] ?? chart.from;
  const value = line?.values[at];
  const when = new Date(seconds * 1_000).toISOString().slice(11, 19);
  heading.textContent = when;
  const items: HTMLElement[] = [];
  if (line !== undefined && value !== null && value !== undefined)
    items.push(item(`${line.label}: ${written(value, line.unit, chart.decimals)}`));
  const span = Math.max(chart.step, leastSpan);
  for (const { title, href, moment } of line?.places ?? [])
    items.push(link(`${title}${moment ? " of that moment" : ""}`, moment ? during(href, seconds, span) : href));
  items.push(link("Requests of that moment", during("/requests", seconds, span)));
  items.push(link("Logs of that moment", during("/logs", seconds, span)));
  items.push(link("Traces of that moment", during("/dashboards/traces", seconds, span)));
  for (const exemplar of chart.exemplars.filter((one) => Math.abs(one.at - seconds) <= span).slice(0, 5))
    items.push(link(`Request that took ${written(exemplar.value, chart.unit)}`, `/requests/${exemplar.traceId}`));
  list.replaceChildren(...items);
  dialog.showModal();
}

function item(text: string): HTMLElement {
  const element = document.createElement("li");
  element.textContent = text;
  return element;
}

function link(text: string, href: string): HTMLElement {
  const element = document.createElement("li");
  const anchor = document.createElement("a");
  anchor.href = href;
  anchor.textContent = text;
  element.append(anchor);
  return element;
}

function during(href: string, seconds: number, span: number): string {
  const address = new URL(href, location.origin);
  address.searchParams.delete("last");
  address.searchParams.set("from", new Date((seconds - span) * 1_000).toISOString());
  address.searchParams.set("to", new Date((seconds + span) * 1_000).toISOString());
  return address.pathname + address.search;
}
