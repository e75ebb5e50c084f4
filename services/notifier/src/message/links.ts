import type { Alert } from "@vitrine/contracts/alerts";
import { parseRequestId } from "@vitrine/kit/context";

interface Linked {
  /** Of the history; absent in a test message. */
  readonly id?: string;
  readonly name: string;
  readonly fingerprint: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Where to look, as whole addresses. What rules say is taken for an address only if it is one of http. */
export function linksOf(publicUrl: string, alert: Linked): Alert["links"] {
  const { labels, annotations } = alert;
  const request = parseRequestId(
    labels["request_id"] ?? annotations["request_id"] ?? labels["trace_id"] ?? annotations["trace_id"],
  );
  const onConsole = `${publicUrl}/alerts?fingerprint=${encodeURIComponent(alert.fingerprint.slice(0, maxFingerprint).toWellFormed())}`;
  return {
    runbook: runbookLink(publicUrl, annotations["runbook_url"]),
    dashboard: webLink(publicUrl, annotations["dashboard_url"]),
    console: request === undefined ? onConsole : `${publicUrl}/requests/${encodeURIComponent(request)}`,
    silence: `${onConsole}&silence=1`,
  };
}

const maxLink = 2_000;
const maxFingerprint = 64;

function webLink(publicUrl: string, text: string | undefined): string | null {
  if (text === undefined || text === "") return null;
  const url = URL.parse(text, `${publicUrl}/`);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return null;
  return url.href.length > maxLink ? null : url.href;
}

const runbookFile = /^docs\/runbooks\/(\w{1,128})\.md$/;

/** Rules name the file in the repository; it is served beside the history. */
function runbookLink(publicUrl: string, text: string | undefined): string | null {
  const name = runbookFile.exec(text ?? "")?.[1];
  return name === undefined ? webLink(publicUrl, text) : `${publicUrl}/api/notifier/runbooks/${name}`;
}
