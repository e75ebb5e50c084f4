import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { withoutContent } from "./unused-modules.ts";

/** Processes of their own are slow on a busy machine. */
setDefaultTimeout(30_000);

/** What a process has loaded of gRPC and YAML after `setup.ts`, and what came of asking for the other way to set up. */
async function loaded(preload: readonly string[]): Promise<{ readonly unused: number; readonly answer: string }> {
  const program = `
    await import(${JSON.stringify(join(import.meta.dir, "setup.ts"))});
    const unused = Object.keys(require.cache).filter((path) => /node_modules\\/(?:@grpc\\/grpc-js|yaml)\\//.test(path));
    const { NodeSDK, startNodeSDK } = await import("@opentelemetry/sdk-node");
    let answer = typeof NodeSDK + " " + typeof startNodeSDK;
    try {
      if (${preload.length > 0}) startNodeSDK();
    } catch ({ message }) {
      answer = message;
    }
    console.log(JSON.stringify({ unused: unused.length, answer }));
  `;
  const child = Bun.spawn([process.execPath, ...preload, "-e", program], {
    cwd: import.meta.dir,
    env: {},
    stdout: "pipe",
    stderr: "inherit",
  });
  const text = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  return JSON.parse(text) as Awaited<ReturnType<typeof loaded>>;
}

test("the preload leaves out gRPC and YAML, and says so to whom asks for what they are for", async () => {
  const { unused, answer } = await loaded(["--preload", join(import.meta.dir, "preload.ts")]);
  expect(unused).toBe(0);
  expect(answer).toBe("startNodeSDK is left out by @vitrine/kit");
});

test("without it the SDK loads them: the day it does not, there is nothing to leave out", async () => {
  const { unused, answer } = await loaded([]);
  expect(unused).toBeGreaterThan(100);
  expect(answer).toBe("function function");
});

test("every name of a file's one list of exports is there, and throws", () => {
  expect(withoutContent('import { a } from "./a.mjs";\nconst b_c = 1;\nexport { a, b_c };\n')).toBe(
    'export function a() { throw new Error("a is left out by @vitrine/kit"); }\n' +
      'export function b_c() { throw new Error("b_c is left out by @vitrine/kit"); }',
  );
});

test.each([
  ["names something otherwise", "const a = 1;\nexport { a as b };\n"],
  ["has a default", "export default 1;\n"],
  ["exports all of another", 'export * from "./a.mjs";\n'],
  ["exports in two places", "const a = 1;\nexport { a };\nexport const b = 2;\n"],
  ["exports nothing", "globalThis.a = 1;\n"],
])("a file that %s is loaded as it is", (_, source) => {
  expect(withoutContent(source)).toBe(source);
});
