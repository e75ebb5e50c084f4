import { z } from "zod";

export const pieceId = z.string().regex(/^[a-z0-9][a-z0-9-]{2,63}$/, "lower-case letters, digits and dashes, 3 to 64");

/**
 * Text people read: no control characters, which neither a page nor PostgreSQL's `text` can hold. The pattern means the
 * same with and without the flag `u`, since a description of it is read either way.
 */
export const displayText = z.string().regex(/^[\x20-\x7e\u00a0-\uffff]+$/, "no control characters");

export const maison = displayText.min(1).max(80);

export const pieceKinds = ["watch", "jewellery", "leather", "couture"] as const;

export const pieceKind = z.enum(pieceKinds);

export type PieceKind = z.infer<typeof pieceKind>;
