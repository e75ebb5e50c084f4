import { z } from "zod";

export const keyRotation = z.strictObject({
  mode: z
    .enum(["planned", "compromised"])
    .default("planned")
    .describe("`compromised` ends every token at once; `planned`, the default, none."),
});

export const signingKey = z.object({
  kid: z.string().describe("Thumbprint of the key (RFC 7638)."),
  status: z
    .enum(["next", "signing", "retiring", "retired"])
    .describe("`next` is published and waits for its time, `retiring` is published for the tokens it signed."),
  signsFrom: z.iso.datetime().describe("When it begins to sign."),
  publishedUntil: z.iso.datetime().optional().describe("When the last token it may have signed has expired."),
});

export type SigningKey = z.infer<typeof signingKey>;

export const signingKeyList = z.object({ items: z.array(signingKey).describe("Newest first.") });
