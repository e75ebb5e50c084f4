import type { Child } from "hono/jsx";
import type { Place } from "./links.ts";

/** Something that leads on; with more than one way, the first is taken by the name and the others stand beside it. */
export function Led({ places, children }: { readonly places: readonly Place[]; readonly children?: Child }) {
  const [first, ...others] = places;
  if (first === undefined) return <>{children}</>;
  return (
    <>
      <a href={first.href} title={first.title}>
        {children}
      </a>
      {others.map(({ title, href }) => (
        <>
          {" "}
          <a class="small" href={href}>
            {title}
          </a>
        </>
      ))}
    </>
  );
}
