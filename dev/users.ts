import { auditCheck } from "@vitrine/contracts/people";
import { roles } from "@vitrine/contracts/scopes";
import { createdUser, listedUser, type ListedUser, listedUserPage, resetPassword } from "@vitrine/contracts/users";
import { readArguments } from "./arguments.ts";
import type { AuthApi } from "./auth-api.ts";
import { SetupError, UsageError } from "./setup-error.ts";
import { formatTable } from "./table.ts";

export const usersUsage = `Usage: bun run users <command>

  list                         people, their roles, who is disabled
  create NAME [--role ROLE]    make a person; the password is printed once
  role NAME ROLE               give a person another role; their tokens end
  disable NAME                 sign a person out everywhere, and let them not sign in
  enable NAME                  let them sign in again
  reset NAME                   a new password, printed once; sessions and tokens end
  audit-check [ROWS:HEAD]      whether any security event was altered or removed, since an earlier check if named

  Roles: ${roles.join(", ")}. Any command: --json.
  As the administrator \`admin\` of this checkout, or by VITRINE_TOKEN at VITRINE_URL.`;

export interface UsersWorld {
  readonly api: AuthApi;
  readonly write: (text: string) => void;
}

/** Runs one command. @throws {UsageError} for one that cannot be understood; {SetupError} for one that is refused */
export async function runUsers(args: readonly string[], { api, write }: UsersWorld): Promise<void> {
  const { values, positionals } = parse(args);
  const [command = "help", name, extra, ...rest] = positionals;
  if (values.help || command === "help") return write(`${usersUsage}\n`);
  if (rest.length > 0 || (extra !== undefined && command !== "role"))
    throw new UsageError(`"${rest[0] ?? extra}" is one word too many. See --help.`);
  const print = (value: unknown, text: string) => write(`${values.json ? JSON.stringify(value) : text}\n`);
  switch (command) {
    case "list": {
      const people = await listUsers(api);
      return print(people, describeUsers(people));
    }
    case "create": {
      const made = await api.call("POST", "/users", createdUser, {
        name: need(name, command),
        role: parseRole(values.role),
      });
      return print(made, `${made.password ?? ""}\n\nPassword of "${made.name}" (${made.role}). It is shown this once.`);
    }
    case "role":
      return await change(api, need(name, command), { role: parseRole(extra ?? "") }, print);
    case "disable":
    case "enable":
      return await change(api, need(name, command), { disabled: command === "disable" }, print);
    case "reset": {
      const user = await findUser(api, need(name, command));
      const reset = await api.call("POST", `/users/${user.id}/password`, resetPassword);
      return print(reset, `${reset.password}\n\nNew password of "${user.name}". It is shown this once.`);
    }
    case "audit-check":
      return await checkAudit(api, name, print);
    default:
      throw new UsageError(`There is no command "users ${command}".\n\n${usersUsage}`);
  }
}

type Print = (value: unknown, text: string) => void;

async function checkAudit(api: AuthApi, since: string | undefined, print: Print): Promise<void> {
  const query = since === undefined ? "" : `?head=${encodeURIComponent(since)}`;
  const checked = await api.call("POST", `/audit/check${query}`, auditCheck);
  const { intact, rows, head, brokenAt, follows } = checked;
  print(
    checked,
    `${rows}:${head}\n\n${rows} rows of the audit log hold. Keep the line above where nobody here writes.`,
  );
  if (intact) return;
  throw new SetupError(
    follows === false && brokenAt === null
      ? "The audit log does not hold the head you named: it was cut short or made anew."
      : `The audit log does not hold from row ${brokenAt} on: it was altered, or rows were removed or put in between.`,
  );
}

async function change(api: AuthApi, name: string, body: object, print: Print): Promise<void> {
  const { id } = await findUser(api, name);
  const user = await api.call("PATCH", `/users/${id}`, listedUser, body);
  print(user, describeUsers([user]));
}

async function listUsers(api: AuthApi): Promise<readonly ListedUser[]> {
  const people: ListedUser[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await api.call("GET", `/users?limit=100${query}`, listedUserPage);
    people.push(...page.items);
    cursor = page.next;
  } while (cursor !== null);
  return people;
}

async function findUser(api: AuthApi, name: string): Promise<ListedUser> {
  const user = (await listUsers(api)).find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (user === undefined) throw new SetupError(`There is no person named "${name}": \`bun run users list\` shows all.`);
  return user;
}

function describeUsers(people: readonly ListedUser[]): string {
  const rows = people.map(({ id, name, role, demo, disabled, createdAt }) => [
    name,
    role,
    disabled ? "disabled" : demo ? "demo" : "active",
    createdAt,
    id,
  ]);
  return formatTable(["NAME", "ROLE", "STATUS", "SINCE", "ID"], rows);
}

function parseRole(text: string) {
  const role = roles.find((one) => one === text);
  if (role === undefined) throw new UsageError(`A role is one of ${roles.join(", ")}, not "${text}".`);
  return role;
}

function need(name: string | undefined, command: string): string {
  if (name === undefined) throw new UsageError(`users ${command} needs the name of a person. See --help.`);
  return name;
}

function parse(args: readonly string[]) {
  return readArguments(args, {
    role: { type: "string", default: "viewer" },
  });
}
