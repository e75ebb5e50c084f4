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
  {
    title: "Mind",
    items: [
      { title: "Alerts", path: "/alerts" },
      { title: "Thresholds", path: "/thresholds" },
      { title: "Notifications", path: "/notifications", scope: "alerts:admin" },
      { title: "Pipeline", path: "/pipeline" },
      { title: "Clients and keys", path: "/clients" },
    ],
  },
  {
    title: "House",
    items: [
      { title: "Users", path: "/users", scope: "users:admin" },
      { title: "Audit log", path: "/audit", scope: "users:admin" },
      { title: "Faults", path: "/faults", scope: "faults:admin" },
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
