import { expect, test } from "bun:test";
import { renderApiPage } from "./api-page.ts";

test("docs/api.md is what `bun run docs:api` makes of the services' descriptions", async () => {
  expect(await Bun.file(new URL("../../docs/api.md", import.meta.url)).text()).toBe(renderApiPage());
});
