import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { Hono } from "hono";
import type { Assets } from "../assets/build.ts";

const forever = "public, max-age=31536000, immutable";

/** Scripts, styles and fonts. Their names change with their content, so that browsers never ask twice. */
export function assetRoutes({ files }: Assets) {
  return new Hono<AppEnv>().get("/:file", (c) => {
    const asset = files.get(c.req.param("file"));
    if (asset === undefined) throw new ServiceError("not_found");
    const encoding = chooseEncoding(c.req.header("accept-encoding"));
    const packed = encoding === undefined ? undefined : asset[encoding];
    return c.body(packed ?? asset.plain, 200, {
      "content-type": asset.type,
      "cache-control": forever,
      vary: "accept-encoding",
      ...(packed === undefined || encoding === undefined ? {} : { "content-encoding": encoding }),
    });
  });
}

/** The best of what a client takes (RFC 9110 §12.5.3); one that is refused by `q=0` is not taken. */
export function chooseEncoding(accepted: string | undefined): "br" | "gzip" | undefined {
  const taken = new Set(
    (accepted ?? "").split(",").flatMap((item) => {
      const [name = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase());
      return parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter)) ? [] : [name];
    }),
  );
  return taken.has("br") ? "br" : taken.has("gzip") ? "gzip" : undefined;
}
