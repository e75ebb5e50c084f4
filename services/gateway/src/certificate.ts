import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

export interface CertificateFiles {
  /** PEM: the certificate and what stands between it and a root. */
  readonly certFile: string;
  readonly keyFile: string;
}

export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** When it ends, as the certificate says it. */
  readonly validTo: string;
}

/** Reads both files. @throws Error when they cannot be read, are no PEM, or do not belong together */
export function readCertificate({ certFile, keyFile }: CertificateFiles): Certificate {
  const [cert, key] = [readFileSync(certFile, "utf8"), readFileSync(keyFile, "utf8")];
  const parsed = new X509Certificate(cert);
  if (!parsed.checkPrivateKey(createPrivateKey(key))) throw new Error(`${keyFile} is not the key of ${certFile}`);
  return { cert, key, validTo: parsed.validTo };
}

export interface CertificateWatch {
  readonly files: CertificateFiles;
  readonly current: Certificate;
  readonly changed: (certificate: Certificate) => void;
  /** Hears once of each content that is no certificate. */
  readonly failed: (error: unknown) => void;
  readonly everyMs?: number;
}

/**
 * Reads the files again every few seconds: a change is taken once both belong together. Watching the file system would
 * miss what mounts and symbolic links do, by which certificates are renewed in containers.
 */
export function watchCertificate({ files, current, changed, failed, everyMs = 5_000 }: CertificateWatch): () => void {
  let known = current;
  let fault: string | undefined;
  const timer = setInterval(() => {
    try {
      const next = readCertificate(files);
      fault = undefined;
      if (next.cert === known.cert && next.key === known.key) return;
      known = next;
      changed(next);
    } catch (error) {
      const text = String(error);
      if (text !== fault) failed(error);
      fault = text;
    }
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
