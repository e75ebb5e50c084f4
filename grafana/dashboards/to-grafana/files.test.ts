import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { dashboards } from "../all.ts";
import { jsonFiles } from "./files.ts";

const folder = join(import.meta.dir, "../json");
const made = jsonFiles(dashboards);

test("there is a file for every dashboard, and no other", async () => {
  expect((await readdir(folder)).sort()).toEqual([...made.keys()].sort());
});

test.each([...made])(
  "%s is what its definition makes: else run `bun grafana/dashboards/cli.ts`",
  async (name, text) => {
    expect(await Bun.file(join(folder, name)).json()).toEqual(JSON.parse(text));
  },
);
