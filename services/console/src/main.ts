import { runService } from "@vitrine/kit/service";
import { createTokenVerifier } from "@vitrine/kit/tokens";
import { createApp } from "./app.ts";
import { buildAssets } from "./assets/build.ts";
import { parseConfig } from "./config.ts";

await runService("console", process, parseConfig, async ({ config, logger, lifecycle }) => {
  const { readiness, stopping } = lifecycle;
  const verifier = createTokenVerifier(config.tokens);
  lifecycle.task("keys", () => verifier.ready());
  const assets = await buildAssets();
  const { http, ...rest } = config;
  lifecycle.serve(createApp({ ...rest, logger, readiness, stopping, verifier, assets, now: Date.now }), {
    ...http,
    // Logs that people bring along to have them analysed.
    maxBodyBytes: config.maxUploadBytes,
  });
});
