import { join, resolve } from "node:path";
import process from "node:process";
import { repositoryRoot } from "../engines/engines.ts";
import { makeComposeSecrets } from "./secrets.ts";

const folder = resolve(repositoryRoot, process.env["VITRINE_SECRETS_DIR"] || ".vitrine/compose");
const compose = await Bun.file(join(repositoryRoot, "compose.yaml")).text();
const { made, kept } = await makeComposeSecrets(compose, folder);
process.stdout.write(`Secrets in ${folder}: ${made.length} made, ${kept.length} were there and stay as they are.\n`);
