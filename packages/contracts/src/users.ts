import { z } from "zod";
import { newPassword, userName } from "./auth.ts";
import { managedUser } from "./people.ts";
import { roles } from "./scopes.ts";

/** A person as administrators see them. */
export const listedUser = managedUser.omit({ secondFactor: true });

export type ListedUser = z.infer<typeof listedUser>;

export const listedUserPage = z.object({ items: z.array(listedUser), next: z.string().nullable() });

/** Without a password one is made, and is in the answer. */
export const newUser = z.strictObject({
  name: userName,
  role: z.enum(roles).default("viewer"),
  password: newPassword.optional(),
});

/** `password` is shown this once, and only where it was made here. */
export const createdUser = listedUser.extend({ password: z.string().optional() });

export const resetPassword = z.object({ password: z.string() });
