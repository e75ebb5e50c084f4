import { z } from "zod";

/** Currencies a price or a wallet can be in, and how many decimals their minor unit stands for (ISO 4217). */
export const currencyDecimals = {
  AED: 2,
  BHD: 3,
  CHF: 2,
  CNY: 2,
  EUR: 2,
  GBP: 2,
  JPY: 0,
  KRW: 0,
  KWD: 3,
  SGD: 2,
  USD: 2,
} as const satisfies Readonly<Record<string, 0 | 2 | 3>>;

export type Currency = keyof typeof currencyDecimals;

export const currencies = Object.keys(currencyDecimals) as readonly Currency[];

/** A currency that may be asked for. */
export const currency = z.enum(Object.keys(currencyDecimals) as [Currency, ...Currency[]]);

/** An amount in minor units of an ISO 4217 currency: 1250000 EUR is twelve thousand five hundred euros. */
export const money = z.object({
  amount: z.int().nonnegative(),
  currency: z.string().regex(/^[A-Z]{3}$/),
});

export type Money = z.infer<typeof money>;

/** The price of one piece: at most what a hundred of stay an exact number (2^53 - 1). */
export const price = z.strictObject({ amount: z.int().nonnegative().max(90_071_992_547_409), currency });

/** Whole units, for metrics and displays only: what is kept and compared are minor units. */
export function toWholeUnits({ amount, currency: code }: Money): number {
  const decimals: Readonly<Record<string, number>> = currencyDecimals;
  return amount / 10 ** (decimals[code] ?? 2);
}
