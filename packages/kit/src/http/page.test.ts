import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { pageQuery, toPage } from "./page.ts";

const query = pageQuery(z.string().regex(/^[a-z]+$/));

describe("pages", () => {
  test("following `next` visits every item once and ends with null", () => {
    const all = ["a", "b", "c", "d", "e"];
    const seen: string[] = [];
    let cursor: string | undefined = "";
    while (cursor !== undefined) {
      const after: string = cursor;
      const rows = all.filter((item) => item > after).slice(0, 3);
      const page = toPage(rows, 2, (item) => item);
      seen.push(...page.items);
      cursor = page.next === null ? undefined : query.parse({ cursor: page.next }).cursor;
    }
    expect(seen).toEqual(all);
  });

  test.each([
    [{}, 20],
    [{ limit: "1" }, 1],
    [{ limit: "100" }, 100],
  ])("%p asks for a page of %p", (input, limit) => {
    expect(query.parse(input).limit).toBe(limit);
  });

  test.each([
    [{ limit: "0" }, "limit"],
    [{ limit: "101" }, "limit"],
    [{ limit: "-1" }, "limit"],
    [{ limit: "1.5" }, "limit"],
    [{ limit: "" }, "limit"],
    [{ cursor: "!!" }, "cursor"],
    [{ cursor: Buffer.from("\u0000").toString("base64url") }, "cursor"],
    [{ cursor: "a".repeat(600) }, "cursor"],
  ])("%p is refused by name", (input, field) => {
    expect(query.safeParse(input).error?.issues[0]?.path).toEqual([field]);
  });
});
