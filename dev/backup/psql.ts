import { SetupError } from "../setup-error.ts";

const end = "--- the answer ends here ---";

/**
 * One session of psql, whose input and output are those of a command: the only way to a server that listens on an
 * internal network. Closing its input ends the session.
 *
 * @throws {SetupError} with what psql said when a statement fails
 */
export async function withPsql<T>(
  command: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  work: (ask: (statement: string) => Promise<string>) => Promise<T>,
): Promise<T> {
  const options = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"];
  const child = Bun.spawn([...command, "psql", ...options, "--username=postgres"], {
    env: { ...env },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const said = new Response(child.stderr).text();
  const decoder = new TextDecoder();
  const reader = child.stdout.getReader();
  let read = "";
  const ask = async (statement: string): Promise<string> => {
    await child.stdin.write(`${statement};\n\\echo '${end}'\n`);
    await child.stdin.flush();
    for (let at = read.indexOf(`${end}\n`); ; at = read.indexOf(`${end}\n`)) {
      if (at >= 0) {
        const answer = read.slice(0, at).replace(/\n$/, "");
        read = read.slice(at + end.length + 1);
        return answer;
      }
      const { done, value } = await reader.read();
      if (done) throw new SetupError(`psql: ${(await said).trim()}`);
      read += decoder.decode(value, { stream: true });
    }
  };
  try {
    return await work(ask);
  } finally {
    await child.stdin.end();
    await child.exited;
  }
}
