import { join } from "node:path";
import process from "node:process";
import { repositoryRoot } from "../engines/engines.ts";
import { secretsFolder, writeSettingsOnce } from "./installation.ts";
import { makeComposeSecrets } from "./secrets.ts";

const folder = secretsFolder(process.env);
const compose = await Bun.file(join(repositoryRoot, "compose.yaml")).text();
const { made, kept } = await makeComposeSecrets(compose, folder);
const isNew = await writeSettingsOnce(join(repositoryRoot, ".env"));
process.stdout.write(`Secrets in ${folder}: ${made.length} made, ${kept.length} were there and stay as they are.\n`);
process.stdout.write(`Settings in .env: ${isNew ? "made" : "were there and stay as they are"}.\n`);
