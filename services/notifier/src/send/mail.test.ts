import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { networks } from "@vitrine/kit/config";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import type { View } from "../message/view.ts";
import type { MailSettings } from "../settings.ts";
import { makeCertificate } from "../testing/certificate.ts";
import { viewOf } from "../testing/view.ts";
import type { Outcome } from "./outcome.ts";
import { sendMail } from "./mail.ts";

interface Mail {
  readonly secure: boolean;
  readonly user: string | undefined;
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
}

let certificate: Awaited<ReturnType<typeof makeCertificate>>;
let stop: (() => Promise<void>) | undefined;

beforeAll(async () => {
  certificate = await makeCertificate("mail.test");
});

afterEach(async () => {
  await stop?.();
  stop = undefined;
});

/** A real SMTP server; `refuse` throws with a `responseCode`. */
async function startServer(options: SMTPServerOptions = {}) {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    ...certificate,
    logger: false,
    authOptional: true,
    onAuth: ({ username, password }, _, done) => {
      if (username === "vitrine" && password === "right") done(null, { user: username });
      else done(Object.assign(new Error("no"), { responseCode: 535 }));
    },
    onData: (stream, session, done) => {
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          secure: session.secure,
          user: session.user?.toString(),
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          text: Buffer.concat(parts).toString("utf8"),
        });
        done();
      });
    },
    ...options,
  });
  server.on("error", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  stop = () => new Promise((resolve) => server.close(() => resolve()));
  return { mails, port: (server.server.address() as AddressInfo).port };
}

function send(port: number, changes: Partial<MailSettings> = {}, view: View = viewOf()): Promise<Outcome> {
  const settings = {
    host: "mail.test",
    port,
    security: "starttls",
    from: "vitrine@example.org",
    to: "ops@example.org",
    ...changes,
  } as const;
  return sendMail(view, settings, {
    policy: {
      allowed: networks("").parse("127.0.0.1"),
      resolve: () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]),
    },
    now: Date.now,
    timeoutMs: { http: 1_000, mail: 3_000 },
    attempts: 0,
    signal: new AbortController().signal,
    ca: certificate.cert,
  });
}

describe("a message by mail", () => {
  test("arrives over STARTTLS with sign-in, as text and HTML, under the same Message-ID in every attempt", async () => {
    const { mails, port } = await startServer();
    const view = viewOf();
    for (let attempt = 0; attempt < 2; attempt += 1)
      expect(await send(port, { user: "vitrine", password: "right" }, view)).toEqual({
        kind: "delivered",
        status: 250,
      });
    expect(mails).toHaveLength(2);
    for (const mail of mails) {
      expect(mail).toMatchObject({
        secure: true,
        user: "vitrine",
        from: "vitrine@example.org",
        to: ["ops@example.org"],
      });
      expect(mail.text).toContain(`Message-ID: <${view.id}@example.org>`);
      expect(mail.text).toContain("Subject: [Critical] Firing: HighErrorRate");
      expect(mail.text).toContain("Content-Type: text/plain; charset=utf-8");
      expect(mail.text).toContain("Content-Type: text/html; charset=utf-8");
      expect(mail.text).toContain("Auto-Submitted: auto-generated");
    }
  });

  test("arrives over TLS from the first byte", async () => {
    const { mails, port } = await startServer({ secure: true });
    expect(await send(port, { security: "tls" })).toMatchObject({ kind: "delivered" });
    expect(mails[0]?.secure).toBe(true);
  });

  test("is not sent in clear where STARTTLS is asked for and not offered, or stripped on the way", async () => {
    const { mails, port } = await startServer({ hideSTARTTLS: true, disabledCommands: ["STARTTLS"] });
    expect(await send(port, { user: "vitrine", password: "right" })).toMatchObject({ kind: "failed", failure: "tls" });
    expect(mails).toHaveLength(0);
  });

  test("is not sent to a server that cannot prove its name", async () => {
    const { mails, port } = await startServer();
    expect(await send(port, { host: "other.test" })).toMatchObject({ kind: "failed", failure: "tls" });
    expect(mails).toHaveLength(0);
  });

  test("is sent in clear to an allowed network only, when that is asked for", async () => {
    const { mails, port } = await startServer({ hideSTARTTLS: true });
    expect(await send(port, { security: "none" })).toMatchObject({ kind: "delivered" });
    expect(mails[0]?.secure).toBe(false);
    const outcome = await sendMail(
      viewOf(),
      { host: "mail.test", port, security: "none", from: "a@example.org", to: "b@example.org" },
      {
        policy: {
          allowed: networks("").parse(""),
          resolve: () => Promise.resolve([{ address: "1.1.1.1", family: 4 }]),
        },
        now: Date.now,
        timeoutMs: { http: 1_000, mail: 1_000 },
        attempts: 0,
        signal: new AbortController().signal,
      },
    );
    expect(outcome).toMatchObject({ failure: "address_refused" });
  });

  test("waits where the password is wrong: it can be mended", async () => {
    const { port } = await startServer();
    expect(await send(port, { user: "vitrine", password: "wrong" })).toEqual({
      kind: "failed",
      failure: "authentication",
      status: 535,
    });
  });

  test.each([
    ["RCPT", 550, "refused"],
    ["RCPT", 451, "failed"],
    ["DATA", 554, "refused"],
    ["DATA", 452, "failed"],
  ] as const)("answered %s %d is %s", async (command, responseCode, kind) => {
    const error = Object.assign(new Error("no"), { responseCode });
    const { port } = await startServer(
      command === "RCPT"
        ? { onRcptTo: (_, __, done) => done(error) }
        : {
            onData: (stream, _, done) => {
              stream.resume();
              stream.on("end", () => done(error));
            },
          },
    );
    expect(await send(port)).toEqual({ kind, failure: "refused", status: responseCode });
  });

  test("to a server that hangs is given up in time", async () => {
    const { port } = await startServer({ onMailFrom: () => undefined });
    const startedAt = performance.now();
    expect(await send(port)).toMatchObject({ kind: "failed", failure: "timeout" });
    expect(performance.now() - startedAt).toBeLessThan(6_000);
  });

  test("cannot have headers put into it by what an alert says", async () => {
    const { mails, port } = await startServer();
    const evil = "x\r\nBcc: thief@example.org\r\n\r\n<script>alert(1)</script>";
    const view = viewOf({ name: evil, labels: { alertname: evil }, annotations: { summary: evil, description: evil } });
    expect(await send(port, {}, view)).toMatchObject({ kind: "delivered" });
    const [head = ""] = mails[0]?.text.split("\r\n\r\n") ?? [];
    expect(head).not.toMatch(/^bcc:/im);
    expect(mails[0]?.to).toEqual(["ops@example.org"]);
  });
});
