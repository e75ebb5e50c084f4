import { dashboardPage } from "../dashboards/page.tsx";
import type { Page } from "../live/live-page.tsx";
import { accountPage } from "./account.tsx";
import { analysisPage } from "./analysis.tsx";
import { dashboardsPage } from "./dashboards.tsx";
import { logQueryPage } from "./log-query.tsx";
import { logsPage } from "./logs.tsx";
import { overviewPage } from "./overview.tsx";
import { requestPage } from "./request.tsx";
import { requestsPage } from "./requests.tsx";
import { traceSearchPage } from "./trace-search.tsx";

/** Every page of somebody who is signed in. Where two paths fit, the first is taken. */
export const pages: readonly Page[] = [
  overviewPage,
  requestsPage,
  requestPage,
  logsPage,
  analysisPage,
  dashboardsPage,
  logQueryPage,
  traceSearchPage,
  dashboardPage,
  accountPage,
];
