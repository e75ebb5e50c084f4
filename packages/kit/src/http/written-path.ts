import type { BunRequest, Server } from "bun";

/**
 * Bun resolves `.`, `..` and `\` before `request.url` is seen, and shows what was written as parameters of a route alone:
 * so there is a route for every depth. What matches none, for its depth or an empty segment, is not as it was written.
 *
 * @param maxSegments of the deepest path that is told apart
 */
export function writtenPathRoutes<W>(
  maxSegments: number,
  answer: (request: Request, server: Server<W>, asWritten: boolean) => Response | Promise<Response>,
): Record<string, (request: BunRequest, server: Server<W>) => Response | Promise<Response>> {
  const told = (request: BunRequest, server: Server<W>) => answer(request, server, isAsWritten(request.params));
  const routes: ReturnType<typeof writtenPathRoutes<W>> = { "/": told };
  let path = "";
  for (let depth = 0; depth < maxSegments; depth += 1) {
    path += `/:s${depth}`;
    routes[path] = told;
  }
  return routes;
}

function isAsWritten(segments: Readonly<Record<string, string>>): boolean {
  for (const at in segments) {
    const segment = segments[at] ?? "";
    if (segment === "." || segment === ".." || segment.includes("\\")) return false;
  }
  return true;
}
