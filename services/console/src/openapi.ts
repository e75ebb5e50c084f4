import {
  alertsNow,
  historyQuery,
  metricHistory,
  silenceMade,
  silenceRequest,
  summary,
  summaryQuery,
} from "@vitrine/contracts/console";
import { analysisReport, analysisRequest } from "@vitrine/contracts/log-analysis";
import { thresholdChange, thresholdList } from "@vitrine/contracts/thresholds";
import type { DocumentOptions } from "@vitrine/kit/openapi";
import type { Operation } from "@vitrine/kit/openapi/operation";

const base = "/api/console";
const mayRead = { by: "token", scopes: ["telemetry:read"] } as const;

const operations: readonly Operation[] = [
  {
    method: "get",
    path: `${base}/summary`,
    tag: "State",
    summary: "Services, firing alerts and failed requests of this minute; who does not answer is named",
    access: mayRead,
    query: summaryQuery,
    answers: { 200: { description: "How things are.", body: summary } },
  },
  {
    method: "get",
    path: `${base}/metrics/history`,
    tag: "State",
    summary: "The course of a metric, one series per service",
    access: mayRead,
    query: historyQuery,
    answers: { 200: { description: "Its points.", body: metricHistory } },
    refusals: [502, 504],
  },
  {
    method: "get",
    path: `${base}/alerts`,
    tag: "State",
    summary: "What fires now; the history is the notifier's",
    access: mayRead,
    answers: { 200: { description: "Firing alerts.", body: alertsNow } },
  },
  {
    method: "post",
    path: `${base}/silences`,
    tag: "State",
    summary: "Silence one alert that fires, by all of its labels, for a while",
    access: { by: "token", scopes: ["telemetry:admin"] },
    json: silenceRequest,
    answers: { 201: { description: "The silence.", body: silenceMade } },
    refusals: [404, 502],
  },
  {
    method: "get",
    path: `${base}/thresholds`,
    tag: "Thresholds",
    summary: "From which values on something is worth an alert, and who changed them",
    access: mayRead,
    answers: { 200: { description: "All thresholds.", body: thresholdList } },
  },
  {
    method: "post",
    path: `${base}/thresholds`,
    tag: "Thresholds",
    summary: "Set a threshold: your own, or with `alerts:admin` everyone's, which the alerts compare with",
    access: mayRead,
    json: thresholdChange,
    answers: { 200: { description: "All thresholds, as they are now.", body: thresholdList } },
  },
  {
    method: "post",
    path: `${base}/logs/analyze`,
    tag: "Logs",
    summary:
      "Patterns, bursts, addresses and slow actions of lines of the log store; a body of another type is the log",
    access: mayRead,
    json: analysisRequest,
    answers: { 200: { description: "The report.", body: analysisReport } },
    refusals: [502, 504],
  },
];

export function consoleDocument(url: string): DocumentOptions {
  return {
    base,
    title: "Vitrine console",
    description: "What the pages show, for scripts. Everything is asked of the engines with the caller's own rights.",
    url,
    operations,
  };
}
