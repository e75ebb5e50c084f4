import { dashboardPage } from "../dashboards/page.tsx";
import type { Page } from "../live/live-page.tsx";
import { accountPage } from "./account.tsx";
import { alertsPage } from "./alerts.tsx";
import { analysisPage } from "./analysis.tsx";
import { auditPage } from "./audit.tsx";
import { clientsPage } from "./clients.tsx";
import { dashboardsPage } from "./dashboards.tsx";
import { faultsPage } from "./faults.tsx";
import { logQueryPage } from "./log-query.tsx";
import { logsPage } from "./logs.tsx";
import { notificationsPage } from "./notifications.tsx";
import { overviewPage } from "./overview.tsx";
import { pipelinePage } from "./pipeline.tsx";
import { requestPage } from "./request.tsx";
import { requestsPage } from "./requests.tsx";
import { thresholdsPage } from "./thresholds.tsx";
import { traceSearchPage } from "./trace-search.tsx";
import { usersPage } from "./users.tsx";

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
  alertsPage,
  thresholdsPage,
  clientsPage,
  pipelinePage,
  notificationsPage,
  faultsPage,
  usersPage,
  auditPage,
  accountPage,
];
