import { runService } from "@vitrine/kit/service";
import { parseConfig } from "./config.ts";
import { serve } from "./serve.ts";

await runService("gateway", process, parseConfig, serve);
