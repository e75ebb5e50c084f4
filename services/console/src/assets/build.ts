import { createHash } from "node:crypto";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

export interface Asset {
  readonly type: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  /** Absent where compressing gains nothing, as with fonts. */
  readonly br?: Uint8Array<ArrayBuffer>;
  readonly gzip?: Uint8Array<ArrayBuffer>;
}

const entries = {
  "app.css": "styles/app.css",
  "app.js": "client/app.ts",
  "charts.js": "client/charts.ts",
  "dashboard.js": "client/dashboard.ts",
  "tail.js": "client/tail.ts",
  "theme.js": "client/theme.ts",
  "upload.js": "client/upload.ts",
} as const;

/** What pages name. */
export type EntryName = keyof typeof entries | "icon.svg";

export interface Assets {
  /** By file name, which holds a hash of the content: it may be cached for ever. */
  readonly files: ReadonlyMap<string, Asset>;
  /** Where a page finds an entry. */
  href(entry: EntryName): string;
  /** Where the fonts are that every page needs at once. */
  readonly fonts: readonly string[];
}

const fonts = [
  {
    family: "Cormorant Garamond",
    weight: "500",
    file: "@fontsource/cormorant-garamond/files/cormorant-garamond-latin-500-normal.woff2",
  },
  {
    family: "Hanken Grotesk",
    weight: "100 900",
    file: "@fontsource-variable/hanken-grotesk/files/hanken-grotesk-latin-wght-normal.woff2",
  },
] as const;

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

export const assetPrefix = "/assets";

/** Bundles scripts and styles from source, in memory. @throws when one of them is not valid */
export async function buildAssets(): Promise<Assets> {
  const files = new Map<string, Asset>();
  const add = (name: string, content: Uint8Array<ArrayBuffer>): string => {
    const extension = extname(name);
    const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
    const file = `${name.slice(0, -extension.length)}-${hash}${extension}`;
    files.set(file, toAsset(content, types[extension] ?? "application/octet-stream"));
    return `${assetPrefix}/${file}`;
  };
  const faces: string[] = [];
  const fontHrefs: string[] = [];
  for (const { family, weight, file } of fonts) {
    const content = await Bun.file(fileURLToPath(import.meta.resolve(file))).bytes();
    const href = add(file.slice(file.lastIndexOf("/") + 1), content);
    fontHrefs.push(href);
    // `optional`: text never jumps when a font comes late.
    faces.push(
      `@font-face{font-family:"${family}";font-display:optional;font-weight:${weight};src:url("${href}") format("woff2")}`,
    );
  }
  const icon = await Bun.file(join(import.meta.dir, "icon.svg")).bytes();
  const hrefs = new Map<string, string>([["icon.svg", add("icon.svg", icon)]]);
  for (const [name, path] of Object.entries(entries)) {
    const text = await bundle(join(import.meta.dir, "..", path));
    const content = name === "app.css" ? faces.join("") + text : text;
    hrefs.set(name, add(name, new TextEncoder().encode(content)));
  }
  return { files, fonts: fontHrefs, href: (entry) => hrefs.get(entry) ?? "" };
}

async function bundle(entrypoint: string): Promise<string> {
  const { outputs } = await Bun.build({ entrypoints: [entrypoint], target: "browser", minify: true });
  const [output] = outputs;
  if (output === undefined) throw new Error(`${entrypoint} gave nothing`);
  return await output.text();
}

function toAsset(plain: Uint8Array<ArrayBuffer>, type: string): Asset {
  // Fonts are compressed by themselves.
  if (type.startsWith("font/")) return { type, plain };
  const br = brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
  return { type, plain, br: new Uint8Array(br), gzip: new Uint8Array(gzipSync(plain, { level: 9 })) };
}
