import { expect, test } from "bun:test";
import { ConfigError } from "@vitrine/kit/config";
import { parseConfig } from "./config.ts";

const env = {
  DATABASE_URL: "postgres://notifier:secret@127.0.0.1:5432/vitrine",
  KEY_ENCRYPTION_KEY: "A".repeat(43),
  ALERTMANAGER_TOKEN: "a".repeat(32),
};

test("a database, a key and Alertmanager's secret are all it needs", () => {
  expect(parseConfig(env)).toMatchObject({
    http: { port: 8085 },
    publicUrl: "http://localhost:8080",
    presetTargets: [],
    runbooksDir: undefined,
    historyDays: 90,
  });
});

test.each([
  ["not JSON", "{", "TARGETS: is not JSON"],
  ["no array", "{}", "TARGETS: is not a JSON array"],
  [
    "a name twice",
    '[{"name":"a","channel":"slack","settings":{"url":"https://a.test"}},{"name":"a","channel":"slack","settings":{"url":"https://a.test"}}]',
    "[1] name: another target has it",
  ],
  ["a channel that does not exist", '[{"name":"a","channel":"pager","settings":{}}]', "[0] channel"],
])("targets that are %s are a fault that says where", (_, targets, fault) => {
  let faults: readonly string[] = [];
  try {
    parseConfig({ ...env, TARGETS: targets });
  } catch (error) {
    if (error instanceof ConfigError) faults = error.faults;
  }
  expect(faults.join("\n")).toContain(fault);
});

test.each(["short-token", `${"a".repeat(40)} b`, `${"a".repeat(40)}=`])(
  "%s is no secret Alertmanager can send",
  (token) => {
    expect(() => parseConfig({ ...env, ALERTMANAGER_TOKEN: token })).toThrow("ALERTMANAGER_TOKEN");
  },
);

test("the targets that the README shows are targets", async () => {
  const readme = await Bun.file(new URL("../README.md", import.meta.url)).text();
  const [, shown = ""] = /```json\n(.*?)```/s.exec(readme) ?? [];
  const targets = shown.replaceAll("whsec_…", `whsec_${"A".repeat(32)}`);
  expect(parseConfig({ ...env, TARGETS: targets }).presetTargets).toHaveLength(3);
});
