import { describe, expect, test } from "bun:test";
import { webhookMessage } from "@vitrine/contracts/alerts";
import { Webhook } from "standardwebhooks";
import { mailText } from "../message/mail.ts";
import { publicUrl, viewOf } from "../testing/view.ts";
import { discordPost } from "./discord.ts";
import { slackPost } from "./slack.ts";
import { webhookPost } from "./webhook.ts";

const secret = (fill: number) => `whsec_${Buffer.alloc(32, fill).toString("base64")}`;
const at = Date.now();
const chat = { url: "https://chat.test/hooks/T0/B0/x?thread_id=7" };

const channels = [
  ["slack", () => slackPost(viewOf(), chat).body],
  ["discord", () => discordPost(viewOf(), chat).body.replaceAll("\\\\", "")],
  ["mail as text", () => mailText(viewOf()).text],
  ["mail as HTML", () => mailText(viewOf()).html],
  ["webhook", () => webhookPost(viewOf(), { url: chat.url, secrets: [{ secret: secret(1), until: null }] }, at).body],
] as const;

describe.each(channels)("a message by %s", (_, body) => {
  test.each([
    ["what", "orders fails 12 % of its requests"],
    ["which alert", "HighErrorRate"],
    ["since when", /2026-11-21(T10:02:00| 10:02 UTC)/],
    ["how bad", /critical/i],
    ["what to look at first", "Which route fails?"],
    ["the runbook", `${publicUrl}/api/notifier/runbooks/HighErrorRate`],
    ["the dashboard", `${publicUrl}/grafana/d/vitrine-api-performance?var-service=orders`],
    ["the console", `${publicUrl}/alerts?fingerprint=00000000000000aa`],
    ["how to silence it", "silence=1"],
  ] as const)("says %s", (__, said) => {
    if (typeof said === "string") expect(body().replaceAll("&amp;", "&")).toContain(said);
    else expect(body()).toMatch(said);
  });
});

test("an alert that names a request leads to that request", () => {
  const view = viewOf({ labels: { alertname: "X", request_id: "req-1" } });
  for (const text of [slackPost(view, chat).body, discordPost(view, chat).body, mailText(view).html])
    expect(text).toContain(`${publicUrl}/requests/req-1`);
});

describe("a webhook", () => {
  const read = (post: ReturnType<typeof webhookPost>, by: string) =>
    new Webhook(by).verify(post.body, { ...post.headers });

  test("verifies with the reference library, and not with another secret or another body", () => {
    const post = webhookPost(viewOf(), { url: chat.url, secrets: [{ secret: secret(1), until: null }] }, at);
    expect(webhookMessage.parse(read(post, secret(1)))).toEqual(JSON.parse(post.body));
    expect(() => read(post, secret(2))).toThrow();
    expect(() => read({ ...post, body: `${post.body} ` }, secret(1))).toThrow();
  });

  test("is signed with the old secret and the new one, until the old one's time is over", () => {
    const secrets = [
      { secret: secret(2), until: null },
      { secret: secret(1), until: at + 1 },
    ];
    const during = webhookPost(viewOf(), { url: chat.url, secrets }, at);
    for (const one of [secret(1), secret(2)]) expect(() => read(during, one)).not.toThrow();
    const after = webhookPost(viewOf(), { url: chat.url, secrets }, at + 1);
    expect(() => read(after, secret(2))).not.toThrow();
    expect(() => read(after, secret(1))).toThrow();
  });
});

const hostile = [
  "<script>alert(1)</script>",
  "<!channel> <@U123> <https://evil.test|Runbook>",
  "@everyone @here <@&1> [Runbook](https://evil.test) ||hidden|| # big",
  "\u202egnp.exe \u0000\u0007\r\nSubject: x",
  "&lt;b&gt; &amp; \"quoted\" 'single'",
  "javascript:alert(1)",
  "x".repeat(1_000_000),
  "&".repeat(10_000),
  "😀".repeat(5_000),
];

describe.each(hostile.map((text) => [text.slice(0, 60), text]))("hostile data (%j)", (_, text) => {
  const annotations = { summary: text, description: text, runbook_url: text, dashboard_url: text, request_id: text };
  const one = { name: text, labels: { alertname: text, [text.slice(0, 100)]: text }, annotations, fingerprint: text };
  const view = viewOf(...Array.from({ length: 12 }, () => one));

  test("is text and nothing else in Slack, within its limits", () => {
    const { body } = slackPost(view, chat);
    const message = JSON.parse(body) as {
      text: string;
      blocks: {
        type: string;
        text?: { type: string; text: string };
        fields?: { type: string; text: string }[];
        elements?: { type: string; text: string }[];
      }[];
    };
    expect(message.blocks.length).toBeLessThanOrEqual(50);
    for (const { type, text: own, fields = [], elements = [] } of message.blocks) {
      for (const part of [...(own === undefined ? [] : [own]), ...fields, ...elements]) {
        expect(part.text.length).toBeGreaterThan(0);
        expect(part.text.length).toBeLessThanOrEqual(type === "header" ? 150 : fields.includes(part) ? 2_000 : 3_000);
        if (part.type === "plain_text") expect(part.text).not.toMatch(/[<>]/);
        // Links are ours alone, whatever stands in the data.
        else
          for (const [link] of part.text.matchAll(/<[^>]*>/g))
            expect(link).toMatch(/^<https:\/\/vitrine\.test\/[^<>|]*\|(Runbook|Dashboard|Console|Request|Silence)>$/);
      }
    }
    expect(message.text).not.toMatch(/[<>]/);
  });

  test("is text and nothing else in Discord, within its limits", () => {
    const message = JSON.parse(discordPost(view, chat).body) as {
      content: string;
      allowed_mentions: unknown;
      embeds: { title: string; description: string; fields: { name: string; value: string }[] }[];
    };
    expect(message.allowed_mentions).toEqual({ parse: [] });
    expect(message.content.length).toBeLessThanOrEqual(2_000);
    expect(message.embeds.length).toBeGreaterThan(0);
    expect(message.embeds.length).toBeLessThanOrEqual(10);
    let total = 0;
    for (const { title, description, fields } of message.embeds) {
      expect(title.length).toBeLessThanOrEqual(256);
      expect(description.length).toBeLessThanOrEqual(4_096);
      for (const { value } of fields) {
        expect(value.length).toBeGreaterThan(0);
        expect(value.length).toBeLessThanOrEqual(1_024);
      }
      total +=
        title.length +
        description.length +
        fields.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
      for (const part of [title, description, message.content.split("\n")[0]?.slice(2, -2) ?? ""])
        expect(part.replaceAll(/\\[^\w\s]/g, "")).not.toMatch(/[@<[\]`|#]/);
    }
    expect(total).toBeLessThanOrEqual(6_000);
  });

  test("is escaped in mail, in one subject line of bounded length", () => {
    const mail = mailText(view);
    expect(mail.subject.length).toBeLessThan(250);
    expect(mail.subject).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
    const tags = [...mail.html.matchAll(/<(\/?[a-z0-9!]+)/gi)].map(([, tag = ""]) =>
      tag.replace("/", "").toLowerCase(),
    );
    const ours = new Set([
      "!doctype",
      "html",
      "head",
      "meta",
      "title",
      "body",
      "h1",
      "h2",
      "section",
      "p",
      "ul",
      "li",
      "a",
    ]);
    expect(tags.filter((tag) => !ours.has(tag))).toEqual([]);
    for (const [, href = ""] of mail.html.matchAll(/href="([^"]*)"/g))
      expect(href).toMatch(/^https:\/\/vitrine\.test\//);
    expect(mail.html.length).toBeLessThan(400_000);
  });

  test("leaves a webhook that verifies", () => {
    const post = webhookPost(view, { url: chat.url, secrets: [{ secret: secret(1), until: null }] }, at);
    expect(() => new Webhook(secret(1)).verify(post.body, { ...post.headers })).not.toThrow();
  });
});

test("who is told of more than fits is told how much more", () => {
  const view = viewOf(...Array.from({ length: 30 }, (_, index) => ({ name: `Alert${index}` })));
  for (const text of [slackPost(view, chat).body, mailText(view).text, mailText(view).html])
    expect(text).toContain("22 more");
  expect(discordPost(view, chat).body).toMatch(/\d+ more are on the console/);
});

test("Discord is asked to answer once it has the message, and keeps the thread it was given", () => {
  const url = new URL(discordPost(viewOf(), chat).url);
  expect(Object.fromEntries(url.searchParams)).toEqual({ thread_id: "7", wait: "true" });
});
