import { mkdir } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { freePort } from "@vitrine/kit/testing/postgres";
import type { BenchScope, Variant } from "../harness/bench.ts";
import { startHelper } from "../harness/child-process.ts";
import type { Cores } from "./cores.ts";
import { startOwn } from "./process.ts";

/**
 * nginx with `auth_request`, no access log, bodies in memory, one worker; `nginx` is tuned for this very load and keeps
 * its connections to sink and verify service, `nginx-plain` has them as nginx's documentation of `auth_request` shows:
 * one for each request. Verify service and nginx share the gate's core.
 */
export const nginxVariants = ["nginx", "nginx-plain"] as const;

/** Starts one of them; or why it cannot be had. */
export async function startNginx(
  name: (typeof nginxVariants)[number],
  scope: BenchScope,
  cores: Cores,
  issuer: Readonly<Record<string, string>>,
): Promise<Required<Pick<Variant, "target" | "beside">> | { readonly reason: string }> {
  const nginx = Bun.which("nginx", { PATH: scope.runtime.path });
  if (nginx === null) return { reason: "no nginx on PATH (Debian: apt-get install nginx-light)" };
  const verify = await startHelper(join(import.meta.dir, "verify/main.ts"), scope.runtime, {
    before: cores.gate,
    env: { ...issuer },
  });
  scope.own(() => verify.stop());
  const port = await freePort();
  const sink = new URL(scope.otlpEndpoint(name));
  try {
    const pid = await startOwn(scope, {
      urls: [`http://127.0.0.1:${port}/`],
      command: async (directory) => {
        const config = join(directory, "nginx.conf");
        await mkdir(join(directory, "temp"));
        await Bun.write(config, nginxConfig({ directory, port, sink, verify: verify.url, kept: name === "nginx" }));
        return [...cores.gate, nginx, "-e", "stderr", "-p", directory, "-c", config];
      },
    });
    return {
      target: new URL(`http://127.0.0.1:${port}`),
      beside: [pid, ...(verify.pid === undefined ? [] : [verify.pid])],
    };
  } catch (error) {
    return { reason: `nginx ${error instanceof Error ? error.message : "did not start"}` };
  }
}

interface NginxConfig {
  readonly directory: string;
  readonly port: number;
  readonly sink: URL;
  readonly verify: URL;
  readonly kept: boolean;
}

function nginxConfig({ directory, port, sink, verify, kept }: NginxConfig): string {
  const keep = kept ? "keepalive 64; keepalive_requests 1000000000;" : "";
  const connection = kept ? 'proxy_http_version 1.1; proxy_set_header Connection "";' : "";
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${join(directory, "temp", kind)};`,
  );
  return `${userInfo().uid === 0 ? "user root;" : ""}
worker_processes 1;
daemon off;
pid ${join(directory, "nginx.pid")};
events { worker_connections 1024; }
http {
  access_log off;
  ${temp.join("\n  ")}
  client_max_body_size 20m;
  client_body_buffer_size 2m;
  keepalive_requests 1000000000;
  upstream sink { server ${sink.host}; ${keep} }
  upstream verify { server ${verify.host}; ${keep} }
  server {
    listen 127.0.0.1:${port};
    location /v1/ {
      auth_request /verify;
      proxy_pass http://sink${sink.pathname}/v1/;
      ${connection}
      proxy_set_header Authorization "";
    }
    location = /verify {
      internal;
      proxy_pass http://verify;
      ${connection}
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
    }
  }
}
`;
}
