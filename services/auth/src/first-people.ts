import { randomBytes } from "node:crypto";
import type { Database } from "@vitrine/kit/postgres";
import type { Audit } from "./audit.ts";
import { ourselves } from "./caller.ts";
import { locked, takeLock } from "./locked.ts";
import type { Passwords } from "./passwords.ts";
import { createUserStore } from "./store/users.ts";

export const firstAdminName = "admin";

/** Known to everyone on purpose: a viewer, and only where `DEMO` is on. */
const demoVisitor = { name: "vip", password: "1234" } as const;

export interface FirstPeopleOptions {
  readonly database: Database;
  readonly passwords: Passwords;
  readonly audit: Audit;
  readonly newId: () => string;
  readonly demo: boolean;
  readonly adminPassword: string | undefined;
  /**
   * Shows the one-time password to whoever starts the service; it must not pass the logger. Where the start fails right
   * after it the next one shows another: the one shown last counts.
   */
  readonly print: (line: string) => void;
}

/** Makes the first administrator where there is none, and the demo visitor where it is wanted; else it is disabled. */
export async function ensureFirstPeople(options: FirstPeopleOptions): Promise<void> {
  await ensureAdmin(options);
  await ensureDemoVisitor(options);
}

async function ensureAdmin({ passwords, audit, newId, adminPassword, print }: FirstPeopleOptions) {
  const password = adminPassword ?? randomBytes(18).toString("base64url");
  const id = newId();
  await audit.transaction(ourselves, async (tx, note) => {
    await takeLock(tx, "first people");
    const users = createUserStore(tx);
    if (await users.hasAdmin()) return;
    const passwordHash = await passwords.hash(password);
    // Whoever holds the name is not made an administrator by it.
    if (!(await users.add({ id, name: firstAdminName, role: "admin", passwordHash })))
      throw new Error(`there is no administrator, and the name ${firstAdminName} belongs to somebody else`);
    note({ event: "user_created", outcome: "success", action: "first_admin", target: id });
    // Before the commit: a process that ends in between leaves no administrator whose password nobody saw.
    if (adminPassword === undefined)
      print(`First administrator: name ${firstAdminName}, password ${password} (shown once, kept nowhere)\n`);
  });
}

async function ensureDemoVisitor({ database, passwords, newId, demo }: FirstPeopleOptions): Promise<void> {
  await locked(database, "first people", async (tx) => {
    const users = createUserStore(tx);
    if ((await users.setDemoEnabled(demo)) || !demo) return;
    const passwordHash = await passwords.hash(demoVisitor.password);
    await users.add({ id: newId(), name: demoVisitor.name, role: "viewer", passwordHash, demo: true });
  });
}
