import type { StoredTarget } from "./store/targets.ts";
import type { Message } from "./told-change.ts";

/** What the test button sends: it looks like an alert, says that it is none, and stands in no history. */
export function testMessage(target: Pick<StoredTarget, "name" | "tiers">, id: string, now: number): Message {
  const at = new Date(now);
  const tier = target.tiers[0] ?? "warning";
  const annotations = {
    summary: `A test of the target ${target.name}: nothing is wrong`,
    description: "Somebody pressed the test button. Alerts sent to this target look like this.",
  };
  return {
    id,
    tier,
    createdAt: at,
    groupKey: `test ${target.name}`,
    test: true,
    changes: [
      {
        alertId: id,
        revision: 1,
        status: "firing",
        reminder: false,
        fingerprint: "0",
        name: "Test",
        tier,
        labels: { alertname: "Test" },
        annotations,
        startedAt: at.toISOString(),
        endedAt: null,
      },
    ],
  };
}
