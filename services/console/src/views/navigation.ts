import type { Scope } from "@vitrine/contracts/scopes";
import type { Person } from "../page-context.ts";

interface NavigationItem {
  readonly title: string;
  readonly path: string;
  /** Shown to those who have it; everyone unless given. The page itself refuses the others. */
  readonly scope?: Scope;
}

interface NavigationGroup {
  readonly title: string;
  readonly items: readonly NavigationItem[];
}

const groups: readonly NavigationGroup[] = [
  {
    title: "Look",
    items: [
      { title: "Overview", path: "/" },
      { title: "Dashboards", path: "/dashboards" },
      { title: "Requests", path: "/requests" },
      { title: "Logs", path: "/logs" },
      { title: "Log analysis", path: "/analysis" },
    ],
  },
  { title: "Yours", items: [{ title: "Account", path: "/account" }] },
];

/** What a person is offered. */
export function navigationFor(person: Pick<Person, "may">): readonly NavigationGroup[] {
  return groups
    .map(({ title, items }) => ({
      title,
      items: items.filter(({ scope }) => scope === undefined || person.may(scope)),
    }))
    .filter(({ items }) => items.length > 0);
}
