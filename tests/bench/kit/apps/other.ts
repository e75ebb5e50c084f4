/** The other service that is called: a process of its own, the same for every variant, without telemetry. */
const answerTo = { hostname: "127.0.0.1", port: 0, fetch: () => new Response("answer") };
process.stdout.write(`${Bun.serve(answerTo).url.origin}\n`);
