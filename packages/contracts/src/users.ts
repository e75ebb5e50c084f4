import { z } from "zod";
import { newPassword, userName } from "./auth.ts";
import { managedUser } from "./people.ts";
import { roles } from "./scopes.ts";

/** A person as administrators see them. */
export const listedUser = managedUser.omit({ secondFactor: true });

export type ListedUser = z.infer<typeof listedUser>;

export const listedUserPage = z.object({
  items: z.array(listedUser).describe("By name."),
  next: z.string().nullable().describe("Cursor of the page after this one; null on the last."),
});

/** Without a password one is made, and is in the answer. */
export const newUser = z.strictObject({
  name: userName,
  role: z.enum(roles).default("viewer").describe("Default viewer."),
  password: newPassword.optional().describe("Without one a password is made, and is in the answer."),
});

/** `password` is shown this once, and only where it was made here. */
export const createdUser = listedUser.extend({
  password: z.string().optional().describe("Shown this once, and only where it was made here."),
});

export const resetPassword = z.object({ password: z.string().describe("Shown this once.") });
