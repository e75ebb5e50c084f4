import { readProblem, tellRefusal } from "./problem.ts";

/** Sends a file as it is, and shows the page's part that comes back. */
function connectUpload(form: HTMLFormElement): void {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void upload(form);
  });
}

async function upload(form: HTMLFormElement): Promise<void> {
  const input = form.querySelector<HTMLInputElement>("input[type=file]");
  const place = document.querySelector<HTMLElement>(form.dataset["into"] ?? "");
  const message = form.querySelector<HTMLElement>("[role=alert]");
  const button = form.querySelector("button");
  const file = input?.files?.[0];
  if (file === undefined || place === null || message === null || button === null) return;
  if (file.size > Number(input?.dataset["maxBytes"])) {
    message.textContent = "The file is too large.";
    return;
  }
  message.textContent = "";
  button.disabled = true;
  place.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(form.dataset["upload"] ?? "", {
      method: "POST",
      headers: { accept: "text/html", "content-type": "text/plain" },
      body: file,
    });
    if (response.ok) {
      place.innerHTML = await response.text();
      place.scrollIntoView();
    } else tellRefusal(message, response, await readProblem(response));
  } catch {
    message.textContent = "There is no answer. Is the network there?";
  } finally {
    button.disabled = false;
    place.removeAttribute("aria-busy");
  }
}

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-upload]")) connectUpload(form);
