import { metrics } from "@vitrine/contracts/telemetry";
import type { TokenConfig } from "@vitrine/kit/config";
import type { Lifecycle } from "@vitrine/kit/lifecycle";
import type { Logger } from "@vitrine/kit/log";
import { observe } from "@vitrine/kit/telemetry";
import { createTokenVerifier, type JwtVerifier, type TokenVerifier } from "@vitrine/kit/tokens";
import { followFeed } from "@vitrine/kit/tokens/feed";
import { createKeyring } from "@vitrine/kit/tokens/keyring";
import { createTokenSource } from "@vitrine/kit/tokens/source";

export interface IdentityOptions {
  readonly tokens: TokenConfig;
  /** Address of the feed and who may read it; without it there are no ingest keys and no revocations. */
  readonly feed: FeedConfig | undefined;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
}

export interface FeedConfig {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** The feed answers every ten seconds at least, news or none. */
const staleMs = 30_000;

/**
 * What judges tokens and ingest keys: signatures by the key set, revocations and keys by the feed. Neither is asked per
 * request, and the gateway takes nothing before both were there once: a token it cannot judge is no good token. While
 * either is away afterwards, what is known stays known, what was revoked included.
 */
export function createIdentity({ tokens, feed, logger, lifecycle }: IdentityOptions): TokenVerifier {
  if (feed === undefined) {
    const verifier = createTokenVerifier(tokens);
    observeKeys(verifier);
    lifecycle.task("keys", () => verifier.ready());
    return verifier;
  }
  const keyring = createKeyring({ issuer: tokens.issuer, audience: tokens.audience });
  const signed = createTokenVerifier({ ...tokens, isRevoked: keyring.isRevoked });
  observeKeys(signed);
  const verifier = keyring.accept(signed);
  lifecycle.task("keys", () => verifier.ready());
  const { url, clientId, clientSecret } = feed;
  const follower = lifecycle.own(
    followFeed({
      url,
      keyring,
      token: createTokenSource({ tokenUrl: tokens.tokenUrl, clientId, clientSecret, scopes: ["feed:read"] }),
      onLost: (err) => {
        // Auth may be told to stop at the same time: then this is no news.
        if (lifecycle.stopping.aborted) return;
        logger.warn({ action: "gateway.feed_lost", err, extra: { feed_age_ms: age() } }, "the feed is away");
      },
    }),
    (following) => following.stop(),
  );
  const age = () => (Number.isFinite(follower.ageMs()) ? follower.ageMs() : null);
  lifecycle.task("feed", () => follower.ready());
  lifecycle.inform("feed", async () => {
    if (follower.ageMs() > staleMs) throw new Error(`no answer for ${Math.round(follower.ageMs() / 1_000)} s`);
  });
  observe(metrics.gatewayFeedAge, (report) => {
    if (Number.isFinite(follower.ageMs())) report(follower.ageMs() / 1_000);
  });
  return verifier;
}

function observeKeys(verifier: JwtVerifier): void {
  observe(metrics.gatewayKeysAge, (report) => {
    if (Number.isFinite(verifier.keysAgeMs())) report(verifier.keysAgeMs() / 1_000);
  });
}
