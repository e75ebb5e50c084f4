import { runService } from "@vitrine/kit/service";
import { parseConfig } from "./config.ts";
import { superviseProcesses } from "./processes.ts";
import { serve } from "./serve.ts";

/** The argument of a process that another one of the gateway started. */
const worker = "worker";

await runService("gateway", process, parseConfig, (parts) => {
  const isWorker = process.argv.includes(worker);
  if (parts.config.processes === 1 || isWorker) {
    serve(parts);
    if (isWorker) followSupervisor();
    return;
  }
  superviseProcesses(parts, () =>
    Bun.spawn([process.execPath, ...process.execArgv, import.meta.path, worker], {
      env: { ...process.env, REUSE_PORT: "on" },
      stdio: ["ignore", "inherit", "inherit"],
      ipc: () => undefined,
    }),
  );
});

/** Whoever comes in the place of a supervisor that was killed must not share the ports with what that one left. */
function followSupervisor(): void {
  const stop = () => process.kill(process.pid, "SIGTERM");
  process.once("disconnect", stop);
  // To be told is no reason to stay.
  process.channel?.unref();
  if (!process.connected) stop();
}
