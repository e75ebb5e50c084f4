/** Asks a URL whether a process is ready: undefined when it answers 2xx, else what it says or how it fails. */
export async function askReady(url: string, timeoutMs = 2_000): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: "manual", keepalive: false });
    const text = await answer.text();
    return answer.ok ? undefined : (missingChecks(text) ?? `it answers ${answer.status} at ${url}`);
  } catch {
    return `nothing answers at ${url}`;
  }
}

/** What the readiness report of a service names as missing. */
function missingChecks(text: string): string | undefined {
  try {
    const report: unknown = JSON.parse(text);
    if (typeof report !== "object" || report === null || !("checks" in report)) return undefined;
    const missing = Object.entries(report.checks ?? {}).filter(([, outcome]) => outcome !== "ok");
    return missing.length === 0 ? undefined : missing.map(([name, outcome]) => `${name} (${outcome})`).join(", ");
  } catch {
    return undefined;
  }
}
