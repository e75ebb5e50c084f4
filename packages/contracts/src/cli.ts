import { renderTelemetryPage } from "./telemetry-page.ts";

/** `bun run docs:telemetry` */
await Bun.write(new URL("../../../docs/telemetry.md", import.meta.url), renderTelemetryPage());
