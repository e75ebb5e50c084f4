import { readProblem, tellRefusal } from "./problem.ts";
import { proveAgain } from "./step-up.ts";

/**
 * Forms that speak to an API: `data-api="POST /path"` sends the fields as JSON, and then
 * `data-then="/path"` goes there, `data-then="reload"` draws the page anew, `data-show="#id"` fills the answer into
 * that element. `data-confirm` is asked first.
 */
export function connectForms(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.dataset["api"] === undefined) return;
    event.preventDefault();
    const question = form.dataset["confirm"];
    // oxlint-disable-next-line no-alert -- the browser's own question works with every keyboard and screen reader
    if (question !== undefined && !confirm(question)) return;
    void send(form);
  });
}

async function send(form: HTMLFormElement): Promise<void> {
  const buttons = [...form.querySelectorAll("button")];
  for (const button of buttons) button.disabled = true;
  complain(form, "");
  try {
    const response = await exchange(form);
    if (response === undefined) return;
    if (response.ok) await proceed(form, response);
    else await refuse(form, response);
  } catch {
    complain(form, "There is no answer. Is the network there?");
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

async function exchange(form: HTMLFormElement): Promise<Response | undefined> {
  const response = await call(form);
  if (response.status !== 401) return response;
  const problem = await readProblem(response.clone());
  if (problem.code !== "step_up_required") return response;
  return (await proveAgain()) ? await call(form) : undefined;
}

async function call(form: HTMLFormElement): Promise<Response> {
  const [method = "POST", path = ""] = (form.dataset["api"] ?? "").split(" ");
  const fields = toFields(form);
  const bodiless = method === "DELETE" || Object.keys(fields).length === 0;
  return await fetch(path, {
    method,
    headers: bodiless
      ? { accept: "application/json" }
      : { accept: "application/json", "content-type": "application/json" },
    ...(bodiless ? {} : { body: JSON.stringify(fields) }),
  });
}

/** What a field holds as JSON has it: by `data-type`, numbers (times `data-scale`), lists, labels, JSON; an empty one is left out. */
function toFields(form: HTMLFormElement): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const element of form.elements) {
    if (!(
      element instanceof HTMLInputElement ||
      element instanceof HTMLSelectElement ||
      element instanceof HTMLTextAreaElement
    ))
      continue;
    const { name, value } = element;
    if (name === "") continue;
    if (element instanceof HTMLInputElement && element.type === "checkbox") {
      if (element.dataset["type"] === "list") {
        const list = (fields[name] ??= []) as string[];
        if (element.checked) list.push(value);
      } else fields[name] = element.checked;
    } else if (element.dataset["type"] === "labels") fields[name] = toLabels(value);
    else if (value !== "") fields[name] = toValue(value, element.dataset);
  }
  return nested(fields);
}

function toValue(text: string, { type, scale = "1" }: DOMStringMap): unknown {
  // Rounded: 7 % is 0.07, and no sum of powers of two near it.
  if (type === "number") return Number((Number(text) * Number(scale)).toPrecision(12));
  return type === "json" ? JSON.parse(text) : text;
}

/** A `name=value` of each line. */
function toLabels(text: string): Record<string, string> {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return Object.fromEntries(
    lines.map((line) => {
      const [name = "", ...value] = line.split("=");
      return [name.trim(), value.join("=").trim()];
    }),
  );
}

/** `settings.url` is the field `url` within `settings`, `windows.0.from` that of the first of the list `windows`. */
function nested(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const whole: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    const path = name.split(".");
    const last = path.pop() ?? "";
    let place = whole;
    for (const [index, key] of path.entries()) {
      const isList = /^\d+$/.test(path[index + 1] ?? last);
      place = (place[key] ??= isList ? [] : {}) as Record<string, unknown>;
    }
    place[last] = value;
  }
  return whole;
}

async function proceed(form: HTMLFormElement, response: Response): Promise<void> {
  const target = form.dataset["show"];
  if (target !== undefined) show(target, (await response.json()) as Readonly<Record<string, unknown>>);
  const then = form.dataset["then"];
  if (then === "reload") location.reload();
  else if (then !== undefined) location.assign(then);
}

/** Fills an answer into elements named by `data-field`; as text, or as the source of a picture. */
function show(target: string, answer: Readonly<Record<string, unknown>>): void {
  const place = document.querySelector<HTMLElement>(target);
  if (place === null) return;
  for (const part of place.querySelectorAll<HTMLElement>("[data-field]")) {
    const text = inWords(answer[part.dataset["field"] ?? ""]);
    if (part instanceof HTMLImageElement) part.src = text;
    else part.textContent = text;
  }
  place.hidden = false;
  place.querySelector<HTMLElement>("input, button, [tabindex]")?.focus();
}

function inWords(value: unknown): string {
  if (Array.isArray(value)) return value.join("\n");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (value === null || value === undefined) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}

async function refuse(form: HTMLFormElement, response: Response): Promise<void> {
  const problem = await readProblem(response);
  const next = form.dataset["secondFactor"];
  if (problem.code === "mfa_required" && next !== undefined) {
    const second = document.querySelector<HTMLFormElement>(next);
    const challenge = second?.querySelector<HTMLInputElement>("[name=challenge]");
    if (second === null || challenge === null || challenge === undefined) return;
    challenge.value = problem.challenge ?? "";
    form.hidden = true;
    second.hidden = false;
    second.querySelector<HTMLInputElement>("[name=code]")?.focus();
    return;
  }
  tellRefusal(alertLine(form), response, problem);
}

function complain(form: HTMLFormElement, text: string): void {
  alertLine(form).textContent = text;
}

function alertLine(form: HTMLFormElement): HTMLElement {
  const there = form.querySelector<HTMLElement>("[role=alert]");
  if (there !== null) return there;
  const line = document.createElement("p");
  line.className = "problem";
  line.setAttribute("role", "alert");
  form.append(line);
  return line;
}
