import { plugin } from "bun";

/**
 * What `@opentelemetry/sdk-node` imports at its top and this kit never runs: exporters by gRPC, which bring its client,
 * and the set-up from a configuration file, which brings schemas and YAML. Three tenths of the CPU of a start, and 7 MiB.
 */
const unused =
  /\/@opentelemetry\/(?:exporter-(?:logs|metrics|trace)-otlp-grpc\/dist\/index|sdk-node\/dist\/start)\.mjs$/;

/** Has them replaced, as they are loaded, by functions of the same names that throw. To be called before the SDK is. */
export function leaveOutUnusedModules(): void {
  plugin({
    name: "unused modules of the OpenTelemetry SDK",
    setup: (build) => {
      build.onLoad({ filter: unused }, async ({ path }) => {
        const source = await Bun.file(path).text();
        return { contents: withoutContent(source), loader: "js" };
      });
    },
  });
}

/** What exports otherwise than by one list stays as it is: what others import of it must be there. */
export function withoutContent(source: string): string {
  const [list = "", another] = source.match(/^export\b.*$/gm) ?? [];
  const names = /^export \{ (\w+(?:, \w+)*) \};$/.exec(list)?.[1];
  if (names === undefined || another !== undefined) return source;
  return names
    .split(", ")
    .map((name) => `export function ${name}() { throw new Error("${name} is left out by @vitrine/kit"); }`)
    .join("\n");
}
