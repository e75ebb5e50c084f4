/** Light or dark as the system has it, until somebody chooses. */
export function connectThemeToggle(): void {
  const root = document.documentElement;
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.addEventListener("click", () => {
      const dark = root.dataset["theme"] ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
      const next = dark === "dark" ? "light" : "dark";
      root.dataset["theme"] = next;
      localStorage.setItem("theme", next);
      dispatchEvent(new Event("vitrine:theme"));
    });
  }
}
