/**
 * The service nginx asks by `auth_request`: Bun and jose, the keys held, one signature checked for each request. It is
 * as lean as such a service can be, so that what is measured is the design and not the code.
 */
import { createRemoteJWKSet, jwtVerify } from "jose";

const keys = createRemoteJWKSet(new URL(process.env["JWKS_URL"] ?? ""));
const bearer = /^Bearer ([\w.-]+)$/;

async function isValid(authorization: string | null): Promise<boolean> {
  const token = bearer.exec(authorization ?? "")?.[1];
  if (token === undefined) return false;
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ["EdDSA"],
      typ: "at+jwt",
      issuer: process.env["TOKEN_ISSUER"] ?? "",
      audience: process.env["TOKEN_AUDIENCE"] ?? "",
      requiredClaims: ["exp", "sub", "scope"],
    });
    return typeof payload["scope"] === "string" && payload["scope"].split(" ").includes("telemetry:write");
  } catch {
    // Whatever is wrong with a token, the answer is no.
    return false;
  }
}

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: async (request) =>
    new Response(null, { status: (await isValid(request.headers.get("authorization"))) ? 204 : 401 }),
});
process.stdout.write(`${server.url.origin}\n`);
