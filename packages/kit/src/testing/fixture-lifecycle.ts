/** A service without a database whose start and end the lifecycle tests watch from outside. */
import { baseShape, flag, parseEnv, port, secret, text, toBaseConfig } from "../config.ts";
import { createBaseApp } from "../http/app.ts";
import { runService } from "../service.ts";

await runService(
  "fixture",
  process,
  (env) => {
    const shape = {
      ...baseShape,
      PORT: port(0),
      KEY: secret(),
      /** The start-up task fails until this file is there. */
      GATE_FILE: text(import.meta.path),
      FAIL_START: flag(false),
      HANG: flag(false),
    };
    const values = parseEnv(env, shape);
    return { ...toBaseConfig(values), values };
  },
  ({ config: { http, values }, logger, lifecycle }) => {
    const say = (message: string) => logger.info({ action: "service.ready" }, message);
    lifecycle.own("first", () => say("closed first"));
    lifecycle.own("second", () => {
      say("closed second");
      if (values.HANG) return new Promise(() => undefined);
      throw new Error("does not close");
    });
    if (values.FAIL_START) throw new Error("cannot start");
    lifecycle.task("migrations", async () => {
      if (!(await Bun.file(values.GATE_FILE).exists())) throw new Error("not yet");
    });
    const app = createBaseApp({ service: "fixture", logger, readiness: lifecycle.readiness });
    app.get("/slow", async (c) => {
      say("slow began");
      await Bun.sleep(300);
      return c.text("finished");
    });
    app.get("/crash", (c) => {
      setTimeout(() => {
        throw new Error("thrown past everyone");
      }, 0);
      return c.text("");
    });
    app.get("/reject", (c) => {
      void Promise.reject(new Error("rejected past everyone"));
      return c.text("");
    });
    app.get("/last", (c) => c.text(""));
    lifecycle.serve(app, http);
  },
);
