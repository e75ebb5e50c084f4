import { mkdir } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { freePort } from "@vitrine/kit/testing/postgres";
import type { BenchScope, Variant } from "../harness/bench.ts";
import { startHelper } from "../harness/child-process.ts";
import type { Cores } from "./cores.ts";
import { startOwn } from "./process.ts";

/**
 * nginx with `auth_request`, tuned for this very load: connections kept on all sides, no access log, bodies in memory,
 * one worker. Verify service and nginx share the gate's core.
 */
export async function startNginx(
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
  const sink = new URL(scope.otlpEndpoint("nginx"));
  try {
    const pid = await startOwn(scope, {
      urls: [`http://127.0.0.1:${port}/`],
      command: async (directory) => {
        const config = join(directory, "nginx.conf");
        await mkdir(join(directory, "temp"));
        await Bun.write(config, nginxConfig(directory, port, sink, verify.url));
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

function nginxConfig(directory: string, port: number, sink: URL, verify: URL): string {
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
  upstream sink { server ${sink.host}; keepalive 64; keepalive_requests 1000000000; }
  upstream verify { server ${verify.host}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location /v1/ {
      auth_request /verify;
      proxy_pass http://sink${sink.pathname}/v1/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Authorization "";
    }
    location = /verify {
      internal;
      proxy_pass http://verify;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
    }
  }
}
`;
}
