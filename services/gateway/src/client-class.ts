import type { AccessClaims } from "@vitrine/contracts/auth";

export type ClientClass = "service" | "key" | "person" | "client" | "anonymous";

/** What kind of client asks: few enough for every metric to carry. */
export function clientClass(claims: AccessClaims | undefined): ClientClass {
  if (claims === undefined) return "anonymous";
  if (claims.client_id.startsWith("key:")) return "key";
  if (claims.role !== undefined) return "person";
  return claims.service === undefined ? "client" : "service";
}

/** Label values are kept for as long as the process runs, so only so many clients get one of their own. */
const maxClients = 500;

/** Who showed no valid token. Without a value of its own the series would bear the id of the gateway, which sends it. */
export const anonymous = "_anonymous";

/** Names a client in metrics: the first {@link maxClients} by their id, all others together. */
export function createClientLabels(max: number = maxClients): (clientId: string) => string {
  const known = new Set<string>();
  return (clientId) => {
    if (known.has(clientId)) return clientId;
    if (known.size >= max) return "_other";
    known.add(clientId);
    return clientId;
  };
}
