/** Asks who holds the session to prove it once more. Resolves to false when they would rather not. */
export async function proveAgain(): Promise<boolean> {
  const dialog = document.querySelector<HTMLDialogElement>("#step-up");
  const form = dialog?.querySelector("form");
  if (dialog === null || form === null || form === undefined) return false;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const message = form.querySelector("[role=alert]");
  form.reset();
  const attempt = async (): Promise<void> => {
    const told = await prove(form);
    if (message !== null) message.textContent = told ?? "";
    if (told !== undefined) return;
    resolve(true);
    dialog.close();
  };
  const over = new AbortController();
  const onSubmit = (event: SubmitEvent): void => {
    event.preventDefault();
    void attempt();
  };
  form.addEventListener("submit", onSubmit, { signal: over.signal });
  form.querySelector("[data-close]")?.addEventListener("click", () => dialog.close(), { once: true });
  dialog.addEventListener("close", () => resolve(false), { once: true });
  dialog.showModal();
  return await promise.finally(() => over.abort());
}

/** What was wrong, or nothing. */
async function prove(form: HTMLFormElement): Promise<string | undefined> {
  const fields = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  const response = await fetch("/api/auth/step-up", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(fields),
  });
  if (response.ok) return undefined;
  const problem = (await response.json().catch(() => ({}))) as { readonly detail?: string; readonly title?: string };
  return problem.detail ?? problem.title ?? "That did not work.";
}
