import { existsSync } from "node:fs";
import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";

const places = [
  process.env["CHROMIUM_PATH"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** The browser on this machine, if there is one; Debian: `apt-get install chromium`. */
export const chromiumPath = places.find((path) => path !== "" && existsSync(path));

/** Added to the name of what is skipped, so that its report says why. */
export const whySkipped = chromiumPath === undefined ? " (skipped: there is no chromium; set CHROMIUM_PATH)" : "";

export async function launchBrowser(executablePath: string): Promise<Browser> {
  return await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

/** Everything a page complained about: in the console, as an error nobody caught, against its content policy. */
export function complaintsOf(page: Page): readonly string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  return complaints;
}

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly where: readonly string[];
}

/** What axe finds against WCAG 2.2 A and AA that is serious or worse. */
export async function seriousViolations(page: Page): Promise<readonly Violation[]> {
  await page.evaluate(axe.source);
  return await page.evaluate(async () => {
    const { violations } = await (
      globalThis as unknown as { readonly axe: { run(options: unknown): Promise<AxeAnswer> } }
    ).axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
    interface AxeAnswer {
      readonly violations: readonly {
        readonly id: string;
        readonly impact: string | null;
        readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
      }[];
    }
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, impact, nodes }) => ({
        id,
        impact: impact ?? "",
        where: nodes
          .slice(0, 3)
          .map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary?.slice(0, 200) ?? ""}`),
      }));
  });
}

/** How far things moved after they were drawn (Layout Instability API); below 0.1 nobody minds. */
export async function layoutShift(page: Page): Promise<number> {
  return await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let sum = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries() as unknown as readonly { value: number; hadRecentInput: boolean }[])
            if (!entry.hadRecentInput) sum += entry.value;
        }).observe({ type: "layout-shift", buffered: true });
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
      }),
  );
}
