import { createHmac } from "node:crypto";

export interface Identity {
  readonly name: string;
  readonly password: string;
}

/**
 * The people the generator plays. Names and passwords come from the client's secret, so that a restart meets the same
 * accounts, another installation other ones, and no password is stored or can be guessed.
 */
export function makePopulation(count: number, seed: string, secret: string): readonly Identity[] {
  const derive = (purpose: string) => createHmac("sha256", secret).update(`${purpose} ${seed}`).digest("base64url");
  const group = createHmac("sha256", secret).update(`group ${seed}`).digest("hex").slice(0, 6);
  return Array.from({ length: count }, (_, index) => ({
    name: `customer-${group}-${String(index + 1).padStart(3, "0")}`,
    password: derive(`password ${index + 1}`),
  }));
}
