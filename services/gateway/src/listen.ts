import type { App, Lifecycle, ServeOptions } from "@vitrine/kit/lifecycle";
import type { Logger } from "@vitrine/kit/log";
import { type CertificateFiles, readCertificate, watchCertificate } from "./certificate.ts";

export interface ListenOptions<W> extends ServeOptions<W> {
  readonly certificate: CertificateFiles | undefined;
  readonly logger: Logger;
  /** Milliseconds between looks at the certificate's files. Default 5,000. */
  readonly certificateEveryMs?: number;
}

/**
 * Serves an app, with TLS where there is a certificate. A renewed one gets a listener of its own on the same port; the
 * old one takes no more connections and ends when those it has are done. A connection that was about to be accepted in
 * that moment is reset, before any request was read from it.
 *
 * @returns the port
 */
export function listen<W>(lifecycle: Lifecycle, app: App, options: ListenOptions<W>): number {
  const { certificate, logger, certificateEveryMs, ...rest } = options;
  if (certificate === undefined) return lifecycle.serve(app, rest).port ?? 0;
  const strict = withTransportSecurity(app);
  const current = readCertificate(certificate);
  // The second listener of a renewal needs the first one's leave to share the port.
  const shared = { ...rest, reusePort: true };
  let server = lifecycle.serve(strict, { ...shared, tls: current });
  const port = server.port ?? 0;
  lifecycle.own(
    watchCertificate({
      files: certificate,
      current,
      ...(certificateEveryMs === undefined ? {} : { everyMs: certificateEveryMs }),
      changed: (next) => {
        const old = server;
        server = lifecycle.serve(strict, { ...shared, port, tls: next });
        void old.stop();
        logger.info(
          { action: "gateway.certificate_changed", extra: { port, valid_to: next.validTo } },
          "a new certificate is in use",
        );
      },
      failed: (err) =>
        logger.error(
          { action: "gateway.certificate_failed", err, extra: { port } },
          "the certificate files changed and are no good: the old one stays",
        ),
    }),
    (stop) => stop(),
  );
  return port;
}

/** A year, and this host alone: of its neighbours the gateway knows nothing (RFC 6797 §6.1, ASVS 3.4.1). */
function withTransportSecurity(app: App): App {
  return {
    fetch: async (request, bindings) => {
      const response = await app.fetch(request, bindings);
      response.headers.set("strict-transport-security", "max-age=31536000");
      return response;
    },
  };
}
