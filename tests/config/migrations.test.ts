import { expect, test } from "bun:test";
import { join } from "node:path";
import { repositoryRoot } from "../../dev/engines/engines.ts";

/**
 * Every migration by the beginning of its SHA-256. A database remembers what was applied to it and its service does not
 * start when that has changed: a line of this table is added with a migration, and never altered or removed.
 */
const applied: Readonly<Record<string, string>> = {
  "auth/0001-identity.sql": "cb0cdfe38dfbd041",
  "auth/0002-audit.sql": "8191ee057048c331",
  "auth/0003-revocations.sql": "07cc1d9b4051fe8a",
  "auth/0004-sessions.sql": "48289bf466e90185",
  "auth/0005-ingest-keys.sql": "dba4bb701bb65eee",
  "auth/0006-second-factor.sql": "d6346cba0071e057",
  "auth/0007-client-keys.sql": "054eb3123f216e4b",
  "auth/0008-defence.sql": "c57d6eadd4aa7afc",
  "auth/0009-compromised-signing-keys.sql": "54790870484837f3",
  "auth/0010-audit-search.sql": "2177ac6d9de697e7",
  "console/0001-thresholds.sql": "99da72525687ed62",
  "inventory/0001-stock.sql": "55d2a0aebe0ba4b4",
  "inventory/0002-sold-and-expiry.sql": "2fe125bc87bca5ab",
  "notifier/0001-alerts-and-outbox.sql": "6f7f3d5a0460ea5c",
  "notifier/0002-what-a-message-waits-for.sql": "0da75a14303d2a94",
  "notifier/0003-what-waited-before.sql": "0e40587c304f8b2d",
  "orders/0001-catalogue-and-orders.sql": "7c90087bc73b32b8",
  "orders/0002-editions-and-search.sql": "cbfcc2c8260c5576",
  "orders/0003-ledger.sql": "dd43d0e0e674f1c1",
  "orders/0004-order-steps.sql": "3b7f956ebcb0792e",
  "orders/0005-idempotency-keys.sql": "a47bdc3011f6033e",
  "orders/0006-light-balances.sql": "52c8433085671326",
  "orders/0007-words-without-punctuation.sql": "11cf52b05d887fbc",
  "orders/0008-answers-as-they-were.sql": "706b46ac95fcadc6",
};

test("a migration that may have been applied somewhere is what it was", async () => {
  const found: Record<string, string> = {};
  for (const path of new Bun.Glob("services/*/migrations/*.sql").scanSync(repositoryRoot)) {
    const text = await Bun.file(join(repositoryRoot, path)).text();
    found[path.replace("services/", "").replace("/migrations", "")] = new Bun.CryptoHasher("sha256")
      .update(text)
      .digest("hex")
      .slice(0, 16);
  }
  expect(found).toEqual(applied);
});
