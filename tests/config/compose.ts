import { join } from "node:path";
import { z } from "zod";
import { repositoryRoot } from "../../dev/engines/engines.ts";

const serviceSchema = z.looseObject({
  image: z.string(),
  build: z.looseObject({ args: z.record(z.string(), z.string()) }).optional(),
  command: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  secrets: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  networks: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  depends_on: z
    .record(z.string(), z.looseObject({ condition: z.string(), required: z.boolean().default(true) }))
    .default({}),
  healthcheck: z.looseObject({ disable: z.boolean().default(false) }).optional(),
  user: z.string().default("of the image"),
  restart: z.string(),
  profiles: z.array(z.string()).default([]),
  cpus: z.number().positive(),
  mem_limit: z.string().regex(/^\d+m$/),
  pids_limit: z.int().positive(),
});

const composeSchema = z.looseObject({
  services: z.record(z.string(), serviceSchema),
  networks: z.record(z.string(), z.object({ internal: z.boolean().default(false) })),
  volumes: z.record(z.string(), z.object({})),
  secrets: z.record(z.string(), z.strictObject({ file: z.string() })),
});

export type ComposeService = z.output<typeof serviceSchema>;

export const composeText = await Bun.file(join(repositoryRoot, "compose.yaml")).text();

export const compose = composeSchema.parse(Bun.YAML.parse(composeText));

export const composeServices: readonly (readonly [string, ComposeService])[] = Object.entries(compose.services);

/** Those that run this repository's code. */
export const ownServices = composeServices.filter(([, { build }]) => build !== undefined);

export function composeService(name: string): ComposeService {
  const service = compose.services[name];
  if (service === undefined) throw new Error(`compose.yaml has no service ${name}`);
  return service;
}
