import { z } from "zod";
import { type Answer, call } from "./call.ts";
import type { ExamineOptions, Hop } from "./hop.ts";

const status = z.object({ config: z.object({ original: z.string().min(1) }) });
const receivers = z.object({ data: z.object({ activeAlertmanagers: z.array(z.object({ url: z.string() })) }) });
const samples = z.object({
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
});

const reloaded = new URLSearchParams({ query: "alertmanager_config_last_reload_successful" });

type Finding = Pick<Hop, "hop" | "detail" | "mend">;

/** Whether an alert would get anywhere: Alertmanager answers, runs the configuration there is, and Prometheus sends to it. */
export async function checkAlerting(options: ExamineOptions, token: string): Promise<Hop> {
  const startedAt = options.now();
  const ask = (path: string) =>
    call(options, options.addresses.gateway + path, { headers: { authorization: `Bearer ${token}` } });
  const [told, reload, sending] = await Promise.all([
    ask("/alertmanager/api/v2/status"),
    ask(`/prometheus/api/v1/query?${reloaded}`),
    ask("/prometheus/api/v1/alertmanagers"),
  ]);
  const fault =
    told.status === 200
      ? (judgeConfiguration(options, told, reload) ?? judgeSending(options, sending))
      : await explainSilence(options, told);
  const ms = options.now() - startedAt;
  if (fault !== undefined) return { ...fault, ok: false, ms };
  return { hop: "alertmanager", ok: true, detail: "is ready, and Prometheus sends alerts to it", ms };
}

async function explainSilence({ addresses, advice, ...options }: ExamineOptions, told: Answer): Promise<Finding> {
  if (told.status === 401 || told.status === 403)
    return {
      hop: "token",
      detail: `the token may not ask alertmanager. ${said(told)}`,
      mend: "the token needs the scope telemetry:read",
    };
  const ready = await call(options, addresses.alertmanagerReady);
  if (ready.status === undefined || ready.status >= 500)
    return {
      hop: "alertmanager",
      detail: `alertmanager does not answer at ${addresses.alertmanagerReady} (${ready.status ?? ready.text}); nobody is told of alerts`,
      mend: `${advice.isThere}? Otherwise ${advice.read("alertmanager")}`,
    };
  return {
    hop: "gateway",
    detail: `alertmanager is up but the question through the gateway failed. ${said(told)}`,
    mend: advice.read("gateway"),
  };
}

function judgeConfiguration({ advice }: ExamineOptions, told: Answer, reload: Answer): Finding | undefined {
  const hop = "alertmanager";
  if (parse(status, told) === undefined)
    return { hop, detail: `alertmanager is up but has no configuration. ${said(told)}`, mend: advice.read(hop) };
  // Where nobody has scraped it yet there is no sample, and nothing to say.
  if (parse(samples, reload)?.data.result.some(({ value: [, value] }) => Number(value) === 0) !== true)
    return undefined;
  return {
    hop,
    detail: "alertmanager could not load its changed configuration, and goes on with the one before",
    mend: `${advice.read(hop)}; \`amtool check-config alertmanager/alertmanager.yml\` names the line`,
  };
}

function judgeSending({ advice }: ExamineOptions, sending: Answer): Finding | undefined {
  const hop = "prometheus";
  const active = parse(receivers, sending)?.data.activeAlertmanagers;
  if (active === undefined)
    return {
      hop,
      detail: `prometheus does not say where it sends alerts. ${said(sending)}`,
      mend: `${advice.isThere}? Otherwise ${advice.read(hop)}`,
    };
  if (active.length > 0) return undefined;
  return {
    hop,
    detail: "prometheus knows no alertmanager: alerts fire and nobody is told",
    mend: `name its address under \`alerting\` in prometheus/prometheus.yml; ${advice.read(hop)}`,
  };
}

function said(answer: Answer): string {
  return `It answered ${answer.status ?? "nothing"}: ${answer.text.slice(0, 200)}`;
}

/** What an engine answered; `undefined` where that is something else. */
function parse<T>(schema: z.ZodType<T>, answer: Answer): T | undefined {
  if (answer.status !== 200) return undefined;
  try {
    return schema.safeParse(JSON.parse(answer.text)).data;
  } catch {
    // What is no JSON is no answer of an engine.
    return undefined;
  }
}
