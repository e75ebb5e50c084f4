/** Runs before anything is drawn, so that a page never shows in the wrong colours first. */
const chosen = localStorage.getItem("theme");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset["theme"] = chosen;
