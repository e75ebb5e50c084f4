import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { z } from "zod";
import { repositoryRoot } from "../../dev/engines/engines.ts";

/** What must not come back into the collector's config: each of these lost telemetry, or let it stand still for good. */
const queueSchema = z.looseObject({
  storage: z.string().optional(),
  sizer: z.string(),
  batch: z.looseObject({ sizer: z.string(), max_size: z.int(), partition: z.unknown().optional() }).optional(),
});

const exporterSchema = z.looseObject({
  retry_on_failure: z.looseObject({ enabled: z.boolean(), max_elapsed_time: z.int() }),
  sending_queue: queueSchema,
});

const configSchema = z.looseObject({
  extensions: z.looseObject({ file_storage: z.looseObject({ fsync: z.boolean(), recreate: z.boolean() }) }),
  processors: z.record(z.string(), z.unknown()),
  exporters: z.record(z.string(), z.unknown()),
});

const { extensions, processors, exporters } = configSchema.parse(
  Bun.YAML.parse(await Bun.file(join(repositoryRoot, "otel-collector/config.yaml")).text()),
);

const toEngines = Object.entries(exporters)
  .filter(([name]) => name.startsWith("otlp_http/"))
  .map(([name, exporter]) => [name, exporterSchema.parse(exporter)] as const);

test("there is an exporter for each engine that stores", () => {
  expect(toEngines.map(([name]) => name).sort()).toEqual([
    "otlp_http/jaeger",
    "otlp_http/loki",
    "otlp_http/prometheus",
  ]);
});

describe.each(toEngines)("%s", (_, { retry_on_failure: retry, sending_queue: queue }) => {
  test("never gives up, and waits on a disk that a power cut does not empty", () => {
    expect(retry).toMatchObject({ enabled: true, max_elapsed_time: 0 });
    expect(queue.storage).toBe("file_storage");
    expect(extensions.file_storage).toMatchObject({ fsync: true, recreate: true });
  });

  // opentelemetry-collector#15894: partitions that fall idle together block all workers, and nothing is sent any more.
  test("does not batch apart by client, which stands still for good once clients fall idle together", () => {
    expect(queue.batch ?? {}).not.toHaveProperty("partition");
  });

  test("sends no batch that an engine refuses for its size", () => {
    if (queue.batch !== undefined) expect(queue.batch).toMatchObject({ sizer: "bytes" });
    expect(queue.batch?.max_size ?? 0).toBeLessThan(4 * 1_048_576);
  });
});

test("metrics of several clients are not merged: Prometheus refuses a whole request for one bad point", () => {
  const toPrometheus = toEngines.find(([name]) => name === "otlp_http/prometheus");
  expect(toPrometheus?.[1].sending_queue.batch).toBeUndefined();
});

test("nothing is held in memory on its way to a queue", () => {
  expect(Object.keys(processors).filter((name) => /^batch(\/|$)/.test(name))).toEqual([]);
});
