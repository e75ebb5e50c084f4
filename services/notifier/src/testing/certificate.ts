import { mkdtemp, readFile, rm } from "node:fs/promises";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate for one name that signs itself, and its key, as PEM. */
export async function makeCertificate(name: string): Promise<{ readonly cert: string; readonly key: string }> {
  const directory = await mkdtemp(join(tmpdir(), "vitrine-notifier-"));
  const [keyFile, certFile] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const made = Bun.spawn(
    ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"].concat([
      "-keyout",
      keyFile,
      "-out",
      certFile,
      "-days",
      "2",
      "-subj",
      `/CN=${name}`,
      "-addext",
      `subjectAltName=${isIP(name) === 0 ? "DNS" : "IP"}:${name}`,
    ]),
    { stdout: "ignore", stderr: "pipe" },
  );
  if ((await made.exited) !== 0) throw new Error(`openssl: ${await new Response(made.stderr).text()}`);
  const pair = { cert: await readFile(certFile, "utf8"), key: await readFile(keyFile, "utf8") };
  await rm(directory, { recursive: true });
  return pair;
}
