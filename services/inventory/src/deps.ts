import type { Faults } from "@vitrine/kit/faults";
import type { Readiness } from "@vitrine/kit/lifecycle";
import type { Logger } from "@vitrine/kit/log";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import type { Events } from "./events.ts";
import type { ReservationStore } from "./store/reservations.ts";
import type { StockStore } from "./store/stock.ts";

/** What the app is made of; `main.ts` makes the real ones, tests their own. */
export interface Deps {
  readonly logger: Logger;
  readonly readiness: Readiness;
  readonly verifier: TokenVerifier;
  /** Public address of the API, as its description tells it. */
  readonly issuer: string;
  readonly stock: StockStore;
  readonly reservations: ReservationStore;
  readonly events: Events;
  readonly faults: Faults;
}
