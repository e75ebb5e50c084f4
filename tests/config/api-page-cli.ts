import { renderApiPage } from "./api-page.ts";

/** `bun run docs:api` */
await Bun.write(new URL("../../docs/api.md", import.meta.url), renderApiPage());
