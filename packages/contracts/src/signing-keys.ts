import { z } from "zod";

export const keyRotation = z.strictObject({
  /** `compromised` ends every token at once; `planned` none. */
  mode: z.enum(["planned", "compromised"]).default("planned"),
});

export const signingKey = z.object({
  kid: z.string(),
  /** `next` is published and waits for its time, `retiring` is published for the tokens it signed. */
  status: z.enum(["next", "signing", "retiring", "retired"]),
  signsFrom: z.iso.datetime(),
  publishedUntil: z.iso.datetime().optional(),
});

export type SigningKey = z.infer<typeof signingKey>;

export const signingKeyList = z.object({ items: z.array(signingKey) });
