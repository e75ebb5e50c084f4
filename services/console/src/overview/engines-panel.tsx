import { z } from "zod";
import { type Answer, type Ask, mapAnswer, type Source, sources } from "../engines/ask.ts";
import type { Engines } from "../engines/engines.ts";
import type { RunnerProcess } from "./runner-state.ts";
import { drawnReason } from "../views/missing.tsx";
import { duration } from "../views/format.tsx";
import { Panel } from "../views/panel.tsx";
import { State } from "../views/state.tsx";

const buildInfo = z.object({ data: z.object({ version: z.string() }) });
const lokiInfo = z.object({ version: z.string() });
const alertmanagerInfo = z.object({ versionInfo: z.object({ version: z.string() }) });
const anything = z.unknown();

/** A short question each engine answers from memory. */
const probes: readonly (readonly [Source, (ask: Ask) => Promise<Answer<string>>])[] = [
  [
    "prometheus",
    async (ask) =>
      mapAnswer(
        await ask({ source: "prometheus", path: "/prometheus/api/v1/status/buildinfo", answer: buildInfo }),
        ({ data }) => data.version,
      ),
  ],
  [
    "loki",
    async (ask) =>
      mapAnswer(
        await ask({ source: "loki", path: "/loki/api/v1/status/buildinfo", answer: lokiInfo }),
        ({ version }) => version,
      ),
  ],
  [
    "jaeger",
    async (ask) => mapAnswer(await ask({ source: "jaeger", path: "/jaeger/api/services", answer: anything }), () => ""),
  ],
  [
    "alertmanager",
    async (ask) =>
      mapAnswer(
        await ask({ source: "alertmanager", path: "/alertmanager/api/v2/status", answer: alertmanagerInfo }),
        ({ versionInfo }) => versionInfo.version,
      ),
  ],
];

interface EngineHealth {
  readonly name: string;
  readonly answer: Answer<string>;
  readonly tookMs: number;
}

export async function enginesPanel(ask: Ask, { prometheus }: Engines, runner: readonly RunnerProcess[]) {
  const [engines, collector] = await Promise.all([
    Promise.all(probes.map(([source, probe]) => examine(source, () => probe(ask)))),
    prometheus.instant('max(up{job="collector"})'),
  ]);
  const building = new Map(runner.map(({ name, words }) => [name, words]));
  return (
    <Panel title="Engines">
      <ul class="rows">
        {engines.map(({ name, answer, tookMs }) => (
          <li>
            <span class="name">{sources[name as Source]}</span>
            {answer.ok ? (
              <>
                <State kind="good">answers</State>
                <small class="end">
                  {[answer.value.replace(/^v/, ""), duration(tookMs)].filter((part) => part !== "").join(" · ")}
                </small>
              </>
            ) : (
              <State kind={building.has(name) ? "warn" : "bad"}>
                {building.get(name) ?? drawnReason(answer.missing)}
              </State>
            )}
          </li>
        ))}
        <li>
          <span class="name">Collector</span>
          <CollectorState
            up={collector.ok ? collector.value[0]?.value : undefined}
            building={building.get("collector")}
          />
        </li>
      </ul>
    </Panel>
  );
}

function CollectorState({ up, building }: { readonly up: number | undefined; readonly building: string | undefined }) {
  if (building !== undefined) return <State kind="warn">{building}</State>;
  if (up === undefined) return <State kind="idle">not known: Prometheus tells of it</State>;
  return up === 1 ? <State kind="good">answers</State> : <State kind="bad">cannot be reached</State>;
}

async function examine(name: string, probe: () => Promise<Answer<string>>): Promise<EngineHealth> {
  const startedAt = performance.now();
  const answer = await probe();
  // Rounded, so that a page does not change when nothing has.
  return { name, answer, tookMs: Math.ceil((performance.now() - startedAt) / 10) * 10 };
}
