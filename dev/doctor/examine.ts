import { checkAlerting } from "./alerting.ts";
import { type Answer, call } from "./call.ts";
import { explainMissing, refusedAtDoor } from "./explain.ts";
import { engineOf, type ExamineOptions, type Hop } from "./hop.ts";
import { createProbe, holdsProbe, type Probe, probeQuery, type ProbeSignal, probeSignals } from "./probe.ts";

const maxSkewMs = 30_000;
/** Longer than the gateway waits for the collector: its answer tells a hung collector from a hung gateway. */
const doorTimeoutMs = 12_000;

/**
 * Sends one marked log, metric and span through the gateway and follows them; stops at the first broken hop of each. Then
 * whether alerts would get anywhere.
 */
export async function examine(options: ExamineOptions): Promise<readonly Hop[]> {
  const door = await checkDoor(options);
  if (!door.every((hop) => hop.ok)) return door;
  const [token, tokenHop] = await checkToken(options);
  if (token === undefined) return [...door, tokenHop];
  const probe = createProbe(options.now());
  const [alerting, ...routes] = await Promise.all([
    checkAlerting(options, token),
    ...probeSignals.map((signal) => follow(options, probe, signal, token)),
  ]);
  return [...door, tokenHop, ...routes.flat(), alerting];
}

async function checkDoor(options: ExamineOptions): Promise<readonly Hop[]> {
  const startedAt = options.now();
  const answer = await call(options, `${options.addresses.gateway}/health/live`);
  const ms = options.now() - startedAt;
  if (answer.status === undefined) {
    const detail = `nothing answers at ${options.addresses.gateway} (${answer.text})`;
    return [
      {
        hop: "gateway",
        ok: false,
        detail,
        mend: `${options.advice.start}; if it runs, ${options.advice.read("gateway")}`,
        ms,
      },
    ];
  }
  const hop: Hop = {
    hop: "gateway",
    ok: answer.status === 200,
    detail: `answers ${answer.status} at ${options.addresses.gateway}`,
    ms,
  };
  const skew = answer.date === undefined ? 0 : Math.abs(options.now() - answer.date);
  // `Date` has whole seconds, so half a minute is far above what it can mislead by.
  if (skew > maxSkewMs) {
    const detail = `this clock and the gateway's differ by ${Math.round(skew / 1_000)} s; tokens expire after 15 minutes and allow 5 s`;
    return [hop, { hop: "clock", ok: false, detail, mend: "set both clocks by NTP, then run doctor again", ms: 0 }];
  }
  return [hop.ok ? hop : { ...hop, mend: options.advice.read("gateway") }];
}

async function checkToken(options: ExamineOptions): Promise<readonly [string | undefined, Hop]> {
  const startedAt = options.now();
  try {
    const token = await options.token();
    return [token, { hop: "auth", ok: true, detail: "issued a token", ms: options.now() - startedAt }];
  } catch (error) {
    const detail = `no token could be had: ${error instanceof Error ? error.message : String(error)}`;
    const mend = `${options.advice.read("auth")}; ${options.advice.secretsLost}`;
    return [undefined, { hop: "auth", ok: false, detail, mend, ms: options.now() - startedAt }];
  }
}

async function follow(
  options: ExamineOptions,
  probe: Probe,
  signal: ProbeSignal,
  token: string,
): Promise<readonly Hop[]> {
  const startedAt = options.now();
  const sent = await call(
    options,
    `${options.addresses.otlp}/v1/${signal}`,
    {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: probe.payloads[signal],
    },
    doorTimeoutMs,
  );
  const ms = options.now() - startedAt;
  if (sent.status !== 200) return [await refusedAtDoor(options, signal, sent, ms)];
  const taken: Hop = { hop: "collector", signal, ok: true, detail: "took the probe from the gateway", ms };
  if (signal === "traces" && options.keepsTraces === false) return [taken];
  return [taken, await findProbe(options, probe, signal, token)];
}

async function findProbe(options: ExamineOptions, probe: Probe, signal: ProbeSignal, token: string): Promise<Hop> {
  const engine = engineOf[signal];
  const startedAt = options.now();
  let last: Answer = { status: undefined, text: "", date: undefined };
  while (options.now() - startedAt < options.deadlineMs) {
    last = await call(options, options.addresses.gateway + probeQuery(probe, signal, options.now()), {
      headers: { authorization: `Bearer ${token}` },
    });
    const ms = options.now() - startedAt;
    if (last.status === 200 && holdsProbe(probe, signal, last.text))
      return { hop: engine, signal, ok: true, detail: `shows the probe after ${ms} ms`, ms };
    await options.sleep(100);
  }
  return await explainMissing(options, signal, last, options.now() - startedAt);
}
