import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { createTransport } from "nodemailer";
import type { View } from "../message/view.ts";
import { mailText } from "../message/mail.ts";
import type { MailSettings } from "../settings.ts";
import { AddressRefused, pinAddress } from "./address.ts";
import { judgeError, type SendContext } from "./http.ts";
import { failed, type Outcome } from "./outcome.ts";

/**
 * Hands one mail to the target's server, at an address that was judged; TLS is checked against the server's name. The
 * `Message-ID` is the same in every attempt, so that a mailbox can tell that it has the mail already.
 */
export async function sendMail(view: View, settings: MailSettings, context: SendContext): Promise<Outcome> {
  const deadline = AbortSignal.any([AbortSignal.timeout(context.timeoutMs.mail), context.signal]);
  const { promise: late, reject } = Promise.withResolvers<never>();
  deadline.addEventListener("abort", () => reject(deadline.reason));
  let transport: ReturnType<typeof createTransport> | undefined;
  try {
    const pinned = await Promise.race([pinAddress(settings.host, context.policy, context.attempts), late]);
    if (settings.security === "none" && !pinned.isAllowed)
      throw new AddressRefused("only allowed networks take mail in clear");
    transport = createTransport(transportOptions(settings, pinned.address, context));
    const info = await Promise.race([transport.sendMail(toMail(view, settings)), late]);
    return { kind: "delivered", status: statusOf(info.response) };
  } catch (error) {
    return judgeMailError(error, deadline);
  } finally {
    transport?.close();
  }
}

function transportOptions(settings: MailSettings, address: string, { timeoutMs, ca }: SendContext) {
  const { host, port, security, user, password } = settings;
  return {
    host: address,
    port,
    secure: security === "tls",
    requireTLS: security === "starttls",
    ignoreTLS: security === "none",
    ...(user === undefined ? {} : { auth: { user, pass: password ?? "" } }),
    tls: {
      minVersion: "TLSv1.2",
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(ca === undefined ? {} : { ca }),
    },
    connectionTimeout: timeoutMs.mail,
    greetingTimeout: timeoutMs.mail,
    socketTimeout: timeoutMs.mail,
    // Text is text: what stands in an alert is never read as a file or an address to fetch.
    disableFileAccess: true,
    disableUrlAccess: true,
  } as const;
}

function toMail(view: View, settings: MailSettings) {
  const domain = settings.from.slice(settings.from.lastIndexOf("@") + 1);
  const thread = createHash("sha256").update(view.groupKey).digest("hex").slice(0, 32);
  return {
    ...mailText(view),
    from: settings.from,
    to: settings.to,
    messageId: `<${view.id}@${domain}>`,
    // Mail programs show what is about the same group of alerts together.
    references: `<group-${thread}@${domain}>`,
    headers: { "auto-submitted": "auto-generated", "x-vitrine-message-id": view.id },
  };
}

function statusOf(response: unknown): number | null {
  const code = /^(\d{3})\b/.exec(typeof response === "string" ? response : "")?.[1];
  return code === undefined ? null : Number(code);
}

/** A 5yz answer to the mail itself is final (RFC 5321 §4.2.1); that sign-in fails or TLS is not there can be mended. */
function judgeMailError(error: unknown, deadline: AbortSignal): Outcome {
  if (deadline.aborted || !(error instanceof Error)) return judgeError(error, deadline);
  const { code, responseCode } = error as { readonly code?: unknown; readonly responseCode?: unknown };
  const status = typeof responseCode === "number" ? responseCode : null;
  switch (code) {
    case "EAUTH":
    case "ENOAUTH":
      return failed("authentication", status);
    case "ETLS":
    case "EREQUIRETLS":
      return failed("tls", status);
    case "ESOCKET":
      // Nodemailer's code for a broken connection stands in the place of that of TLS.
      return failed(/certificate|altnames|self[- ]signed|TLS|SSL/i.test(error.message) ? "tls" : "unreachable");
    case "ETIMEDOUT":
      return failed("timeout");
    case "EENVELOPE":
    case "EMESSAGE":
      if (status === null || status < 400) return failed("unreachable");
      return { kind: status >= 500 ? "refused" : "failed", failure: "refused", status };
    default:
      return judgeError(error, deadline);
  }
}
