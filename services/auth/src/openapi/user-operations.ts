import { userChange } from "@vitrine/contracts/people";
import { createdUser, listedUser, listedUserPage, newUser, resetPassword } from "@vitrine/contracts/users";
import { pageQuery } from "@vitrine/kit/http/page";
import { z } from "zod";
import type { Operation } from "@vitrine/kit/openapi/operation";

const tag = "Administration of people";
const access = { by: "token", scopes: ["users:admin"] } as const;
const params = z.strictObject({ id: z.uuid().describe("Id of the person.") });

export const userOperations: readonly Operation[] = [
  {
    method: "get",
    path: "/api/auth/users",
    tag,
    summary: "People by name",
    access,
    query: pageQuery(z.string()),
    answers: { 200: { description: "A page of people.", body: listedUserPage } },
  },
  {
    method: "post",
    path: "/api/auth/users",
    tag,
    summary: "Make a person of any role; without a password one is made and told. A session needs a fresh proof",
    access,
    json: newUser,
    answers: { 201: { description: "The person exists.", body: createdUser } },
    refusals: [409],
  },
  {
    method: "patch",
    path: "/api/auth/users/{id}",
    tag,
    summary: "Change the role, disable or enable; the person's tokens end. A session needs a fresh proof",
    access,
    params,
    json: userChange,
    answers: { 200: { description: "As the person is now.", body: listedUser } },
    refusals: [404, 409],
  },
  {
    method: "post",
    path: "/api/auth/users/{id}/password",
    tag,
    summary: "Reset the password to one that is made and told; sessions and tokens end. A session needs a fresh proof",
    access,
    params,
    answers: { 200: { description: "The new password.", body: resetPassword } },
    refusals: [404],
  },
];
