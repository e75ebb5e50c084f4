import { setTimeout as sleep } from "node:timers/promises";
import { runService } from "@vitrine/kit/service";
import { createTokenVerifier } from "@vitrine/kit/tokens";
import { createApp } from "./app.ts";
import { parseConfig } from "./config.ts";
import { createSimulation } from "./simulation.ts";

const roundMs = 60_000;

await runService("generator", process, parseConfig, ({ config, logger, lifecycle }) => {
  const simulation = createSimulation({
    config,
    logger,
    now: () => Date.now(),
    clock: () => performance.now(),
    // Waiting for the next arrival must not keep a stopped process alive.
    sleep: (ms) => sleep(ms, undefined, { ref: false }),
  });
  lifecycle.own(simulation, (s) => s.close());
  lifecycle.own(
    setInterval(() => void simulation.round(), roundMs),
    clearInterval,
  );
  lifecycle.task("seed", async () => {
    await simulation.seed();
    simulation.open();
  });
  const verifier = createTokenVerifier(config.tokens);
  lifecycle.task("keys", () => verifier.ready());
  const { issuer } = config.tokens;
  lifecycle.serve(createApp({ logger, readiness: lifecycle.readiness, verifier, issuer, simulation }), config.http);
});
