import { expect, test } from "bun:test";
import { z } from "zod";
import { buildDocument } from "./document.ts";
import { renderMarkdown } from "./markdown.ts";

test("a page tells what each route needs, takes and answers, in types people can read", () => {
  const document = buildDocument({
    base: "/api/things",
    title: "Things",
    description: "What there is.",
    url: "http://localhost",
    operations: [
      {
        method: "put",
        path: "/api/things/{id}",
        tag: "Things",
        summary: "Change a thing",
        access: { by: "token", scopes: ["orders:write"] },
        params: z.strictObject({ id: z.uuid() }),
        query: z.object({ dry: z.boolean().optional() }),
        json: z.strictObject({
          kind: z.enum(["a", "b"]),
          count: z.int().min(1).max(9).default(2),
          tags: z.array(z.string().nullable()),
          extra: z.record(z.string(), z.number()).optional(),
        }),
        answers: { 200: { description: "As it is now.", body: z.object({ at: z.iso.datetime() }) } },
        refusals: [404],
      },
    ],
  });
  const page = renderMarkdown([document]);
  expect(page).toStartWith("## Things\n\nWhat there is.\n\n### Things\n\n#### `PUT /api/things/{id}`");
  expect(page).toContain("Change a thing. Needs `orders:write`.");
  expect(page).toContain("- path `id`: `uuid`");
  expect(page).toContain("- query `dry` (optional): `boolean`");
  expect(page).toContain(
    '- body: `{ kind: "a" | "b", count?: integer 1…9 = 2, tags: (string | null)[], extra?: { [name]: number } }`',
  );
  expect(page).toContain("- **200** As it is now: `{ at: date-time }`");
  expect(page).toContain("- refusals: 400, 401, 403, 404, 413, 429, 503");
  expect(page).toContain("#### `GET /api/things/openapi.json`");
});
