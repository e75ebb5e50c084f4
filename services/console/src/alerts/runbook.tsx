import { z } from "zod";
import type { Ask } from "../engines/ask.ts";
import { visible } from "../views/format.tsx";
import { drawn } from "../views/missing.tsx";

/** What an alert means and what to do, as the repository has it. */
export async function runbookOf(ask: Ask, name: string) {
  if (!/^\w{1,128}$/.test(name)) return <p class="empty">There is no runbook of that name.</p>;
  const answer = await ask({
    source: "notifier",
    path: `/api/notifier/runbooks/${name}`,
    plain: true,
    answer: z.string().max(50_000),
  });
  return drawn(answer, (text) => <div class="runbook">{blocksOf(text).map(drawBlock)}</div>);
}

type Block =
  | { readonly kind: "heading" | "text"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "code"; readonly text: string };

/** The Markdown runbooks are written in: headings, paragraphs, lists and code. All of it stays text. */
export function blocksOf(markdown: string): readonly Block[] {
  return markdown
    .split(/\n{2,}/)
    .map((part) => part.trim())
    .filter((part) => part !== "" && !part.startsWith("# "))
    .map((part): Block => {
      if (part.startsWith("#")) return { kind: "heading", text: part.replace(/^#+ */, "") };
      if (part.startsWith("```")) return { kind: "code", text: part.replaceAll(/^```.*$/gm, "").trim() };
      if (/^(?:[-*]|\d+\.) /.test(part))
        return {
          kind: "list",
          items: part.split(/\n(?=(?:[-*]|\d+\.) )/).map((item) => item.replace(/^(?:[-*]|\d+\.) /, "")),
        };
      return { kind: "text", text: part };
    });
}

function drawBlock(block: Block) {
  switch (block.kind) {
    case "heading":
      return <h3>{block.text}</h3>;
    case "code":
      return <pre>{block.text}</pre>;
    case "list":
      return (
        <ul>
          {block.items.map((item) => (
            <li>
              <Inline text={item} />
            </li>
          ))}
        </ul>
      );
    case "text":
      return (
        <p>
          <Inline text={block.text} />
        </p>
      );
    default:
      return block satisfies never;
  }
}

function Inline({ text }: { readonly text: string }) {
  return (
    <>
      {visible(text.replaceAll(/\s+/g, " "))
        .split("`")
        .map((part, at) => (at % 2 === 1 ? <code>{part}</code> : <Linked text={part} />))}
    </>
  );
}

/** Runbooks name each other as `[Name](Name.md)`: here that is what the other alert means. Other links stay their text. */
function Linked({ text }: { readonly text: string }) {
  const [before = "", ...parts] = text.split(/\[([^\]]*)\]\(([^)\s]*)\)/);
  const links = parts.flatMap((label, at) => {
    if (at % 3 !== 0) return [];
    const [, name] = /^(\w{1,128})\.md$/.exec(parts[at + 1] ?? "") ?? [];
    return [name === undefined ? label : <a href={`/alerts?name=${name}`}>{label}</a>, parts[at + 2] ?? ""];
  });
  return (
    <>
      {before}
      {links}
    </>
  );
}
