import { join } from "node:path";

export interface Runbooks {
  /** The text of the runbook of an alert, as Markdown. */
  find(alertName: string): Promise<string | undefined>;
  /** What its section "First look" says, one line per entry, without marks. */
  firstLook(alertName: string): Promise<readonly string[]>;
}

/** No name is a path: it is what an alert may be called, and nothing else. */
const nameForm = /^\w{1,128}$/;
const maxLines = 5;
const maxLineLength = 300;
const heading = "## First look";

/** Reads `<directory>/<alert name>.md`; without a directory there are no runbooks. */
export function createRunbooks(directory: string | undefined): Runbooks {
  async function find(alertName: string): Promise<string | undefined> {
    if (directory === undefined || !nameForm.test(alertName)) return undefined;
    try {
      return await Bun.file(join(directory, `${alertName}.md`)).text();
    } catch {
      return undefined;
    }
  }
  return {
    find,
    firstLook: async (alertName) => toFirstLook((await find(alertName)) ?? ""),
  };
}

export function toFirstLook(markdown: string): readonly string[] {
  const [, section = ""] = markdown.split(`\n${heading}\n`);
  const [text = ""] = section.split(/\n#{1,6} /);
  return text
    .split("\n")
    .map((row) =>
      row
        .replace(/^\s*(?:[-*]|\d+\.)\s+/, "")
        .replaceAll(/`|\*\*/g, "")
        .trim(),
    )
    .filter((row) => row !== "")
    .slice(0, maxLines)
    .map((row) => row.slice(0, maxLineLength));
}
