import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CertificateFiles } from "../certificate.ts";

export interface TestCertificates extends Disposable {
  readonly files: CertificateFiles;
  /** Writes a new self-signed pair for `localhost` and 127.0.0.1 over the files; `commonName` tells them apart. */
  renew(commonName: string): void;
}

/** A folder with a certificate made by openssl, gone when disposed. */
export function makeCertificates(commonName: string): TestCertificates {
  const folder = mkdtempSync(join(tmpdir(), "vitrine-tls-"));
  const files = { certFile: join(folder, "tls.crt"), keyFile: join(folder, "tls.key") };
  const renew = (name: string) => {
    const subject = ["-days", "2", "-subj", `/CN=${name}`, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    const out = ["-keyout", files.keyFile, "-out", files.certFile];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const made = Bun.spawnSync(["openssl", "req", "-x509", ...curve, ...out, ...subject]);
    if (made.exitCode !== 0) throw new Error(`openssl failed: ${made.stderr.toString()}`);
  };
  renew(commonName);
  return { files, renew, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}
