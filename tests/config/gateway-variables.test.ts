import { expect, test } from "bun:test";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");

test("docs/gateway.md names every variable the gateway reads", async () => {
  const text = await Bun.file(join(root, "docs/gateway.md")).text();
  const config = await Bun.file(join(root, "services/gateway/src/config.ts")).text();
  const kit = await Bun.file(join(root, "packages/kit/src/config.ts")).text();
  const shared = ["baseShape", "tokenShape"].map(
    (name) => kit.split(`const ${name} = {`)[1]?.split("} as const")[0] ?? "",
  );
  const named = [config, ...shared].flatMap((source) =>
    [...source.matchAll(/^ {2}([A-Z][A-Z_]+): /gm)].map(([, name = ""]) => name),
  );
  const quotas = [...config.matchAll(/quotaShape\("([A-Z]+)"\)/g)].flatMap(([, name]) =>
    ["REQUESTS_PER_SECOND", "BYTES_PER_SECOND", "IN_FLIGHT"].map((part) => `QUOTA_${name}_${part}`),
  );
  const variables = [...named, ...quotas];
  expect(variables.length).toBeGreaterThan(25);
  expect(variables.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});

test("the collector of deploy/gateway puts verified names in place as our own does", async () => {
  const processors = async (path: string) => {
    const config = Bun.YAML.parse(await Bun.file(join(root, path)).text()) as {
      readonly processors: Readonly<Record<string, unknown>> & { readonly "transform/claim": Claim };
    };
    return config.processors;
  };
  const [theirs, ours] = [
    await processors("deploy/gateway/collector.yaml"),
    await processors("otel-collector/config.yaml"),
  ];
  expect(theirs["resource/identity"]).toEqual(ours["resource/identity"]);
  const signals = ["trace_statements", "metric_statements", "log_statements"] as const;
  for (const signal of signals) {
    const [claimed, own] = [theirs, ours].map((of) =>
      of["transform/claim"][signal].flatMap(({ statements }) => statements),
    );
    expect(claimed).toHaveLength(2);
    // What our own does there besides is for the engines behind it: no name of a service is in it.
    expect(own?.filter((statement) => statement.includes("service.name"))).toEqual(claimed?.slice(1) ?? []);
    expect(own?.filter((statement) => statement.includes("client.claimed_service"))).toEqual(claimed ?? []);
  }
});

type Claim = Readonly<
  Record<
    "trace_statements" | "metric_statements" | "log_statements",
    readonly { readonly context: string; readonly statements: readonly string[] }[]
  >
>;
