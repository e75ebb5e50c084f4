import type { Page } from "../live/live-page.tsx";
import { accountPage } from "./account.tsx";
import { overviewPage } from "./overview.tsx";
import { analysisPage } from "./analysis.tsx";
import { logsPage } from "./logs.tsx";
import { requestPage } from "./request.tsx";
import { requestsPage } from "./requests.tsx";

/** Every page of somebody who is signed in. */
export const pages: readonly Page[] = [overviewPage, requestsPage, requestPage, logsPage, analysisPage, accountPage];
