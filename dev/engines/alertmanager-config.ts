import { join } from "node:path";
import { z } from "zod";
import { EngineError } from "./error.ts";
import type { EnginePorts } from "./ports.ts";

const configSchema = z.looseObject({
  receivers: z.array(
    z.looseObject({
      webhook_configs: z.array(
        z.looseObject({
          url: z.string(),
          http_config: z.looseObject({ authorization: z.looseObject({ credentials_file: z.string() }) }),
        }),
      ),
    }),
  ),
});

const composeNotifier = "http://notifier:8085/";
const composeToken = "/run/secrets/alertmanager_token";

/**
 * The committed alertmanager.yml for use on loopback.
 *
 * @throws {EngineError} `unknown_target` for a receiver elsewhere, or with another secret: it would be told of nothing
 */
export function renderAlertmanagerConfig(
  source: string,
  options: { readonly ports: EnginePorts; readonly secretsDir: string },
): string {
  const config = configSchema.parse(Bun.YAML.parse(source));
  for (const webhook of config.receivers.flatMap(({ webhook_configs }) => webhook_configs)) {
    const { authorization } = webhook.http_config;
    if (!webhook.url.startsWith(composeNotifier) || authorization.credentials_file !== composeToken)
      throw new EngineError(
        "unknown_target",
        `alertmanager.yml names ${webhook.url} with ${authorization.credentials_file}, which have no counterpart at a desk`,
      );
    webhook.url = webhook.url.replace(composeNotifier, `http://127.0.0.1:${options.ports.notifier}/`);
    authorization.credentials_file = join(options.secretsDir, "alertmanager-token");
  }
  return Bun.YAML.stringify(config, null, 2);
}
