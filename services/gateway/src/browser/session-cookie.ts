/** Set by the auth service; only this host can set a cookie of this name, over a secure connection (ASVS 3.3.1). */
export const sessionCookie = "__Host-vitrine_session";

const handleForm = /^[A-Za-z0-9._~-]{16,256}$/;

/** The handle of the session, unless there is none, it has no such form, or there are two to choose from. */
export function readSessionHandle(cookies: string | null | undefined): string | undefined {
  if (cookies === null || cookies === undefined) return undefined;
  const found = cookies.split(";").flatMap((pair) => {
    const [name = "", value = ""] = pair.trim().split("=", 2);
    return name === sessionCookie ? [value] : [];
  });
  const [handle] = found;
  return found.length === 1 && handle !== undefined && handleForm.test(handle) ? handle : undefined;
}
