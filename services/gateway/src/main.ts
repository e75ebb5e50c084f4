import { runService } from "@vitrine/kit/service";
import { parseConfig } from "./config.ts";
import { superviseProcesses } from "./processes.ts";
import { serve } from "./serve.ts";

await runService("gateway", process, parseConfig, (parts) => {
  if (parts.config.processes === 1) {
    serve(parts);
    return;
  }
  const env = { ...process.env, GATEWAY_PROCESSES: "1", REUSE_PORT: "on" };
  superviseProcesses(parts, () =>
    Bun.spawn([process.execPath, ...process.execArgv, import.meta.path], {
      env,
      stdio: ["ignore", "inherit", "inherit"],
    }),
  );
});
