import { expect, test } from "bun:test";
import { join } from "node:path";
import { z } from "zod";
import { renderAlertmanagerConfig } from "./alertmanager-config.ts";
import { repositoryRoot } from "./engines.ts";
import { defaultEnginePorts } from "./ports.ts";

const committed = await Bun.file(join(repositoryRoot, "alertmanager/alertmanager.yml")).text();
const options = { ports: { ...defaultEnginePorts, notifier: 18_085 }, secretsDir: "/secrets" };

test("every receiver is the notifier on loopback, with the token of this checkout", () => {
  const rendered = renderAlertmanagerConfig(committed, options);
  expect([...(rendered.match(/https?:\/\/[^\s/]+/g) ?? [])]).toEqual(
    Array.from({ length: 5 }, () => "http://127.0.0.1:18085"),
  );
  expect([...(rendered.match(/credentials_file: \S+/g) ?? [])]).toEqual(
    Array.from({ length: 5 }, () => "credentials_file: /secrets/alertmanager-token"),
  );
});

test("all else stays as committed", () => {
  const parse = (text: string) => z.looseObject({ receivers: z.unknown() }).parse(Bun.YAML.parse(text));
  const { receivers: _1, ...rest } = parse(committed);
  expect(parse(renderAlertmanagerConfig(committed, options))).toMatchObject(rest);
});

test.each([
  ["http://notifier:8085/", "http://pager:8085/"],
  ["/run/secrets/alertmanager_token", "/run/secrets/other"],
])("a receiver with %s changed is an error that names it", (from, to) => {
  expect(() => renderAlertmanagerConfig(committed.replaceAll(from, to), options)).toThrow(to);
});
