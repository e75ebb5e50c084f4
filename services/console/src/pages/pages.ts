import type { Page } from "../live/live-page.tsx";
import { accountPage } from "./account.tsx";
import { overviewPage } from "./overview.tsx";

/** Every page of somebody who is signed in. */
export const pages: readonly Page[] = [overviewPage, accountPage];
