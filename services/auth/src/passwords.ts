import { createLimiter, type LimiterOptions } from "./limiter.ts";

export interface Passwords {
  /** Makes what {@link verify} needs for unknown names, so that the first of them takes no longer than others. */
  ready(): Promise<void>;
  /** @throws ServiceError `unavailable` when too many hashes wait */
  hash(password: string): Promise<string>;
  /**
   * Whether the password belongs to the hash. Without a hash it takes the same time and is false, so that an unknown
   * name cannot be told from a wrong password (ASVS 6.3.8). @throws ServiceError `unavailable` when too many wait
   */
  verify(password: string, hash: string | undefined): Promise<boolean>;
}

/** The two primitives; tests count and hold them. */
export interface PasswordFunction {
  hash(password: string): Promise<string>;
  verify(password: string, hash: string): Promise<boolean>;
}

/** OWASP Password Storage Cheat Sheet: argon2id with 19 MiB and two passes. Memory is in KiB. */
const argon2id: PasswordFunction = {
  hash: (password) => Bun.password.hash(password, { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 }),
  verify: (password, hash) => Bun.password.verify(password, hash),
};

/** Every hash holds 19 MiB and a core while it runs: `limits` bound both, or a flood of sign-ins ends the process. */
export function createPasswords(limits: LimiterOptions, primitive = argon2id): Passwords {
  const limited = createLimiter(limits);
  let dummy: Promise<string> | undefined;

  /** A real hash with today's parameters, of a password nobody has. */
  function dummyHash(): Promise<string> {
    dummy ??= limited(() => primitive.hash(crypto.randomUUID())).catch((error: unknown) => {
      dummy = undefined;
      throw error;
    });
    return dummy;
  }

  return {
    ready: async () => {
      await dummyHash();
    },
    hash: (password) => limited(() => primitive.hash(normalise(password))),
    verify: async (password, stored) => {
      const against = stored ?? (await dummyHash());
      const matches = await limited(() => primitive.verify(normalise(password), against));
      return matches && stored !== undefined;
    },
  };
}

/** One password has one form however a keyboard composed it (NIST SP 800-63B §5.1.1.2). */
function normalise(password: string): string {
  return password.normalize("NFKC");
}
