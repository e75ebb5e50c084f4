import { describe, expect, test } from "bun:test";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { pid } from "node:process";
import { caught } from "./engines/testing.ts";
import { checkPorts, portNames, portsOf, portVariable, readPorts } from "./ports.ts";
import { processNames } from "./process-names.ts";
import { SetupError } from "./setup-error.ts";

interface Listener extends AsyncDisposable {
  readonly port: number;
  /** The first connection. */
  readonly accepted: Promise<Socket>;
}

async function listen(host: string): Promise<Listener> {
  const { promise: accepted, resolve: accept } = Promise.withResolvers<Socket>();
  const server = createServer(accept);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    port,
    accepted,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

describe("ports", () => {
  test("every one has a variable that changes it", () => {
    for (const name of portNames) expect(readPorts({ [portVariable(name)]: "60000" })[name]).toBe(60_000);
  });

  test("the variables are named as the documentation names them", () => {
    expect(portNames.map(portVariable)).toEqual(
      expect.arrayContaining(["GATEWAY_PORT", "OTLP_PORT", "POSTGRES_PORT", "COLLECTOR_OTLP_PORT", "LOKI_GRPC_PORT"]),
    );
  });

  test("the README names the one of every service, of every engine and of the database", async () => {
    const readme = await Bun.file(new URL("../README.md", import.meta.url)).text();
    const main = processNames.flatMap((name) => portsOf(name).slice(0, 1));
    const named = new Set([...readme.matchAll(/\d{4,5}/g)].map(([port]) => Number(port)));
    const ports = readPorts({});
    expect([...main, "otlp" as const].filter((name) => !named.has(ports[name]))).toEqual([]);
  });

  test("an offset moves all that have no variable of their own", () => {
    const ports = readPorts({ PORT_OFFSET: "100", LOKI_PORT: "3333" });
    expect(ports).toMatchObject({ gateway: 8180, postgres: 54_420, loki: 3333 });
  });

  test("a variable that is empty counts as not set", () => {
    expect(readPorts({ GATEWAY_PORT: "", PORT_OFFSET: " " }).gateway).toBe(8080);
  });

  test("every variable that is wrong is named, all at once", () => {
    const env = { GATEWAY_PORT: "80a", AUTH_PORT: "70000", ORDERS_PORT: "0" };
    for (const name of Object.keys(env)) expect(() => readPorts(env)).toThrow(name);
  });

  test("two processes cannot be given one port", () => {
    expect(() => readPorts({ ORDERS_PORT: "8081" })).toThrow("AUTH_PORT and ORDERS_PORT are both 8081");
  });

  test("every process but none listens somewhere, and every port belongs to one process", () => {
    expect(processNames.flatMap((name) => portsOf(name)).sort()).toEqual([...portNames].sort());
  });

  test.each(["127.0.0.1", "0.0.0.0"])("a port in use on %s is named with its variable and its holder", async (host) => {
    await using listener = await listen(host);
    const ports = readPorts({ LOKI_GRPC_PORT: String(listener.port) });
    const fault = await caught(checkPorts({ ...ports, loki: await freePort() }, ["loki"]));
    expect(fault).toBeInstanceOf(SetupError);
    expect(String(fault)).toContain(`Port ${listener.port}, which loki needs, is in use by process ${pid} (`);
    expect(String(fault)).toContain("set LOKI_GRPC_PORT to another port");
  });

  test("a port lent to an outgoing connection is waited for, and told if it does not come back", async () => {
    await using server = await listen("127.0.0.1");
    const connection = connect({ port: server.port, host: "127.0.0.1" });
    const [accepted] = await Promise.all([server.accepted, once(connection, "connect")]);
    const port = connection.localPort ?? 0;
    const ports = { ...readPorts({}), postgres: port };
    const fault = await caught(checkPorts(ports, ["postgres"], 100));
    expect(String(fault)).toContain(`Port ${port}, which postgres needs, is lent to an outgoing connection`);
    const checked = checkPorts(ports, ["postgres"], 20_000);
    // Who closes first keeps the number for a minute, so that must not be this side.
    connection.resume();
    accepted.destroy();
    await once(connection, "close");
    expect(await checked).toBeUndefined();
  }, 60_000);

  test("ports of processes that are not started are not looked at", async () => {
    await using listener = await listen("127.0.0.1");
    const ports = { ...readPorts({}), orders: listener.port, auth: await freePort() };
    expect(await checkPorts(ports, ["auth"])).toBeUndefined();
  });
});

async function freePort(): Promise<number> {
  await using listener = await listen("127.0.0.1");
  return listener.port;
}
