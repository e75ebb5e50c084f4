import type { Faults } from "@vitrine/kit/faults";
import type { Readiness } from "@vitrine/kit/lifecycle";
import type { Logger } from "@vitrine/kit/log";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import type { Idempotent } from "./idempotent.ts";
import type { PlacingDeps } from "./placing.ts";
import type { CollectionStore } from "./store/collections.ts";
import type { CustomerStore } from "./store/customers.ts";
import type { WalletStore } from "./store/wallets.ts";

/** What the app is made of; `main.ts` makes the real ones, tests their own. */
export interface Deps extends PlacingDeps {
  readonly logger: Logger;
  readonly readiness: Readiness;
  readonly verifier: TokenVerifier;
  /** Public address of the API, as its description tells it. */
  readonly issuer: string;
  readonly idempotent: Idempotent;
  readonly wallets: WalletStore;
  readonly collections: CollectionStore;
  readonly customers: CustomerStore;
  readonly faults: Faults;
}
