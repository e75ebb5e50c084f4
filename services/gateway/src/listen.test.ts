import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { connect } from "node:tls";
import { createBaseApp } from "@vitrine/kit/http";
import { createLifecycle } from "@vitrine/kit/lifecycle";
import { memoryLogger } from "@vitrine/kit/testing/log";
import { until } from "@vitrine/kit/testing/eventually";
import { readCertificate } from "./certificate.ts";
import { parseConfig } from "./config.ts";
import { listen } from "./listen.ts";
import { makeCertificates, type TestCertificates } from "./testing/certificates.ts";

let certificates: TestCertificates;
const { logger, lines } = memoryLogger("gateway");
const lifecycle = createLifecycle({ logger });
let port = 0;
const held = Promise.withResolvers<void>();

beforeAll(() => {
  certificates = makeCertificates("first");
  const app = createBaseApp({ service: "gateway", logger, readiness: lifecycle.readiness });
  app.get("/slow", async (c) => {
    await held.promise;
    return c.text("done");
  });
  port = listen(lifecycle, app, {
    host: "127.0.0.1",
    port: 0,
    logger,
    certificate: certificates.files,
    certificateEveryMs: 10,
  });
});
afterAll(async () => {
  held.resolve();
  await lifecycle.stop();
  certificates[Symbol.dispose]();
});

/** The name in the certificate a new connection is shown. */
function shown(): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
    resolve(String(socket.getPeerCertificate().subject.CN));
    socket.destroy();
  });
  socket.on("error", reject);
  return promise;
}

const get = (path: string) =>
  fetch(`https://127.0.0.1:${port}${path}`, { tls: { rejectUnauthorized: false } }).then((response) => response.text());

describe("a listener with a certificate", () => {
  test("takes a renewed one without losing a request it has begun, and keeps the old one while the new is no good", async () => {
    expect(await shown()).toBe("first");
    const slow = get("/slow");
    await Bun.sleep(20);
    certificates.renew("second");
    await until(async () => (await shown().catch(() => "reset")) === "second");
    expect(lines).toContainEqual(expect.objectContaining({ action: "gateway.certificate_changed" }));
    held.resolve();
    expect(await slow).toBe("done");

    writeFileSync(certificates.files.certFile, "half a certif");
    await until(() => lines.some(({ action }) => action === "gateway.certificate_failed"));
    expect(await shown()).toBe("second");
    const other = makeCertificates("other");
    writeFileSync(certificates.files.certFile, await Bun.file(other.files.certFile).text());
    expect(() => readCertificate(certificates.files)).toThrow("is not the key of");
    expect(await shown()).toBe("second");
    other[Symbol.dispose]();
    certificates.renew("third");
    await until(async () => (await shown().catch(() => "reset")) === "third");
    expect(lines.filter(({ action }) => action === "gateway.certificate_changed")).toHaveLength(2);
  });

  test("tells browsers to stay with TLS, on every answer", async () => {
    for (const path of ["/health/live", "/nowhere"]) {
      const response = await fetch(`https://127.0.0.1:${port}${path}`, { tls: { rejectUnauthorized: false } });
      expect(response.headers.get("strict-transport-security")).toBe("max-age=31536000");
    }
  });

  test("does not speak plain HTTP", async () => {
    const outcome = await fetch(`http://127.0.0.1:${port}/health/live`).then(
      ({ status }) => status,
      () => "refused",
    );
    expect(outcome).not.toBe(200);
  });
});

test("the configuration needs both files, and ones that belong together", () => {
  using pair = makeCertificates("pair");
  using other = makeCertificates("other");
  expect(() => parseConfig({ TLS_CERT_FILE: pair.files.certFile })).toThrow(/TLS_KEY_FILE/);
  expect(() => parseConfig({ TLS_CERT_FILE: pair.files.certFile, TLS_KEY_FILE: other.files.keyFile })).toThrow(
    /is not the key of/,
  );
  expect(() => parseConfig({ TLS_CERT_FILE: "/nowhere", TLS_KEY_FILE: "/nowhere" })).toThrow(/TLS_CERT_FILE/);
  expect(parseConfig({ TLS_CERT_FILE: pair.files.certFile, TLS_KEY_FILE: pair.files.keyFile }).tls).toEqual(pair.files);
});

describe("a listener without one", () => {
  let plain = 0;

  beforeAll(() => {
    const app = createBaseApp({ service: "gateway", logger, readiness: lifecycle.readiness });
    const options = { host: "127.0.0.1", port: 0, logger, certificate: undefined, idleTimeoutSeconds: 4 };
    plain = listen(lifecycle, app, options);
  });

  /** What comes back until the connection ends, while a byte is dripped every so often. */
  function drip(start: string, byte: string): Promise<{ readonly text: string; readonly ms: number }> {
    const startedAt = performance.now();
    const { promise, resolve } = Promise.withResolvers<{ readonly text: string; readonly ms: number }>();
    let text = "";
    const socket = connectPlain(plain, "127.0.0.1", () => socket.write(start));
    const timer = setInterval(() => socket.write(byte), 300);
    socket.on("data", (data) => (text += data.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearInterval(timer);
      resolve({ text, ms: performance.now() - startedAt });
    });
    return promise;
  }

  test("cuts off who drips its head, however steadily", async () => {
    const ended = await drip("GET /health/live HTTP/1.1\r\nHost: x\r\nX: ", "y");
    expect(ended.text).not.toContain("200");
    expect(ended.ms).toBeLessThan(20_000);
  }, 60_000);

  test.each([
    ["a thousand headers", Array.from({ length: 1_000 }, (_, at) => `x-${at}: y\r\n`).join("")],
    ["a header of a hundred kilobytes", `x: ${"y".repeat(100_000)}\r\n`],
  ])(
    "takes no %s",
    async (_, headers) => {
      const ended = await drip(`GET /health/live HTTP/1.1\r\nHost: x\r\n${headers}Connection: close\r\n\r\n`, "");
      expect(ended.text).toMatch(/^(?:HTTP\/1\.1 431 |$)/);
    },
    30_000,
  );
});
