import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { repositoryRoot } from "../../dev/engines/engines.ts";

const labels = z.record(z.string(), z.string());

const ruleSchema = z.strictObject({
  record: z.string().optional(),
  alert: z.string().optional(),
  expr: z.string(),
  for: z.string().optional(),
  labels: labels.optional(),
  annotations: labels.optional(),
});

const groupsSchema = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), interval: z.string(), rules: z.array(ruleSchema) })),
});

export type Rule = z.infer<typeof ruleSchema>;

export type Alert = Rule & { readonly alert: string };

export type RuleGroups = z.infer<typeof groupsSchema>;

export interface RuleFile extends RuleGroups {
  /** `service.rules.yaml` */
  readonly name: string;
  readonly path: string;
}

export const prometheusRules: readonly RuleFile[] = await readRules("prometheus/rules", ".rules.yaml");

export const lokiRules: readonly RuleFile[] = await readRules("loki/rules/fake", ".yaml");

export function rulesOf({ groups }: RuleGroups): readonly Rule[] {
  return groups.flatMap(({ rules }) => rules);
}

export function alertsOf(file: RuleGroups): readonly Alert[] {
  return rulesOf(file).flatMap((rule) => (rule.alert === undefined ? [] : [{ ...rule, alert: rule.alert }]));
}

async function readRules(folder: string, suffix: string): Promise<readonly RuleFile[]> {
  const names = (await readdir(join(repositoryRoot, folder))).filter((name) => name.endsWith(suffix)).sort();
  return Promise.all(
    names.map(async (name) => {
      const path = join(repositoryRoot, folder, name);
      const { groups } = groupsSchema.parse(Bun.YAML.parse(await Bun.file(path).text()));
      return { name: basename(path), path, groups };
    }),
  );
}
