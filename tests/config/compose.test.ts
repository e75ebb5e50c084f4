import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { scopes as everyScope } from "@vitrine/contracts/scopes";
import { z } from "zod";
import { engineCommand } from "../../dev/engines/command.ts";
import { engines, repositoryRoot } from "../../dev/engines/engines.ts";
import { readPin } from "../../dev/engines/pin.ts";
import { defaultEnginePorts } from "../../dev/engines/ports.ts";
import { runCommand } from "../../dev/engines/run-command.ts";
import { clients as deskClients } from "../../dev/services.ts";
import { compose, composeService, composeServices, composeText, ownServices } from "./compose.ts";

const oneBinary = "its image holds one binary and nothing that could ask it; Prometheus scrapes it, doctor asks it";
const oneShot = "it changes the owner of two volumes and ends";

/** What a container may lack, and why. */
const reasons: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  collector: { healthcheck: oneBinary },
  loki: { healthcheck: oneBinary },
  "volume-owner": { healthcheck: oneShot, restart: oneShot, user: `${oneShot}: only root may` },
};

const clientSchema = z.strictObject({
  clientId: z.string(),
  clientSecretFile: z.string(),
  service: z.string().optional(),
  scopes: z.array(z.enum(everyScope)),
});

const dockerfile = await Bun.file(join(repositoryRoot, "Dockerfile")).text();

const hasCompose = (await runCommand(["docker", "compose", "version"], { env: Bun.env }).catch(() => undefined))
  ?.exitCode;

describe("what runs", () => {
  test.each([...engines])("$name is the pinned release", async (engine) => {
    expect(composeService(engine.name).image).toBe((await readPin(engine, repositoryRoot)).image);
  });

  test("every image but our own names an exact version", () => {
    const foreign = composeServices.filter(([, { build }]) => build === undefined).map(([, { image }]) => image);
    expect(foreign.filter((image) => !/^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?$/.test(image))).toEqual([]);
  });

  test("every service of the repository has a container, built from its own folder", () => {
    const folders = readdirSync(join(repositoryRoot, "services")).filter((name) =>
      existsSync(join(repositoryRoot, "services", name, "src/main.ts")),
    );
    expect(ownServices.map(([name]) => name).sort()).toEqual(folders.sort());
    for (const [name, { build }] of ownServices) expect(build?.args["SERVICE"]).toBe(name);
  });

  test("the Bun of the images is the one package.json pins", async () => {
    const { packageManager } = z
      .looseObject({ packageManager: z.string() })
      .parse(await Bun.file(join(repositoryRoot, "package.json")).json());
    expect(packageManager).toBe(`bun@${/^ARG BUN_VERSION=(.+)$/m.exec(dockerfile)?.[1]}`);
  });

  test("the Dockerfile copies the manifest of every workspace, or the lock file would not fit", () => {
    const manifests = [...new Bun.Glob("{packages,services}/*/package.json").scanSync(repositoryRoot)];
    const copied = [...dockerfile.matchAll(/^COPY (\S+\/package\.json) /gm)].map(([, path]) => path);
    expect(new Set(copied)).toEqual(
      new Set([...manifests, "dev/package.json", "grafana/dashboards/package.json", "tests/package.json"]),
    );
  });

  test("what the Dockerfile copies from here is let into the build", async () => {
    const rules = (await Bun.file(join(repositoryRoot, ".dockerignore")).text()).split("\n");
    const admitted = new Set(rules.filter((rule) => rule.startsWith("!")).map((rule) => rule.slice(1)));
    const copied = [...dockerfile.matchAll(/^COPY ([^-].*) \S+$/gm)].flatMap(([, sources = ""]) => sources.split(" "));
    const outside = copied.filter((path) => ![...admitted].some((rule) => `${path}/`.startsWith(`${rule}/`)));
    // Of the dashboards it is their definitions only.
    expect(outside).toEqual(["grafana/dashboards"]);
    expect(admitted).toContain("grafana/dashboards/*.ts");
  });

  test.each([...engines])("$name is started as at a desk, but for addresses and folders", (engine) => {
    const options = {
      ports: defaultEnginePorts,
      dataDir: "/data",
      retention: "7d",
      repoRoot: repositoryRoot,
      secretsDir: "/secrets",
    };
    const native = engineCommand(engine, { kind: "binary", path: engine.name, from: "cache" }, options);
    const { command, environment } = composeService(engine.name);
    expect(command.map(flagOf).sort()).toEqual(native.argv.slice(1).map(flagOf).sort());
    expect(Object.keys(environment).filter((name) => native.env[name] === undefined)).toEqual([]);
  });
});

describe("what is reached", () => {
  test("only the gateway publishes ports", () => {
    const published = composeServices.flatMap(([name, { ports }]) => ports.map((port) => ({ name, port })));
    expect(published.map(({ name }) => name)).toEqual(["gateway", "gateway"]);
    expect(published.map(({ port }) => port.split(":").at(-1))).toEqual(["8080", "4318"]);
  });

  test("a network is internal unless all on it publish ports", () => {
    for (const [network, { internal }] of Object.entries(compose.networks)) {
      const members = composeServices.filter(([, { networks }]) => networks.includes(network));
      expect(members.length).toBeGreaterThan(0);
      // Whom alerts are told is elsewhere: the notifier alone may go there.
      if (network === "outside") expect(members.map(([name]) => name)).toEqual(["notifier"]);
      else expect(internal, network).toBe(!members.every(([, { ports }]) => ports.length > 0));
    }
  });

  test("nothing but the gateway and Grafana shares a network with the collector or an engine", () => {
    const names = new Set<string>(engines.map(({ name }) => name));
    const alsoOn: Readonly<Record<string, readonly string[]>> = { alertmanager: ["alerts"], collector: ["statistics"] };
    for (const name of names)
      expect(composeService(name).networks).toEqual([...(alsoOn[name] ?? []), "engines"].sort());
    const neighbours = composeServices.filter(
      ([name, { networks }]) => networks.includes("engines") && !names.has(name),
    );
    expect(neighbours.map(([name]) => name).sort()).toEqual(["gateway", "grafana"]);
  });

  test("nothing but the services that own a schema and the collector shares a network with PostgreSQL", () => {
    expect(composeService("postgres").networks).toEqual(["database", "statistics"]);
    const neighbours = composeServices.filter(([, { networks }]) => networks.includes("statistics"));
    expect(neighbours.map(([name]) => name).sort()).toEqual(["collector", "postgres"]);
    for (const [name, { networks, secrets }] of ownServices)
      expect(networks.includes("database"), name).toBe(secrets.includes(`${name}_database_url`));
  });

  test("Grafana lets in whom the gateway names, by headers that a client cannot set, and nobody otherwise", () => {
    const { environment } = composeService("grafana");
    expect(environment).toMatchObject({
      GF_AUTH_PROXY_ENABLED: "true",
      GF_AUTH_PROXY_HEADER_NAME: "X-WEBAUTH-USER",
      GF_AUTH_PROXY_HEADERS: "Role:X-WEBAUTH-ROLE",
      GF_AUTH_BASIC_ENABLED: "false",
      GF_AUTH_DISABLE_LOGIN_FORM: "true",
      GF_AUTH_PROXY_ENABLE_LOGIN_TOKEN: "false",
    });
    expect(environment).toMatchObject({ GF_AUTH_ANONYMOUS_ENABLED: "false", GF_USERS_ALLOW_SIGN_UP: "false" });
    expect(environment["GF_SECURITY_ADMIN_PASSWORD__FILE"]).toBe("/run/secrets/grafana_admin_password");
  });
});

describe.each([...composeServices])("the container of %s", (name, service) => {
  const check = (aspect: string, holds: boolean) => {
    expect(holds || reasons[name]?.[aspect] !== undefined, `${name} lacks ${aspect}, and no reason is given`).toBe(
      true,
    );
    expect(holds && reasons[name]?.[aspect] !== undefined, `${name} has ${aspect}: its reason is stale`).toBe(false);
  };

  test("has limits, also to its log", () => {
    // Memory, processes and processors: the schema asks for all three.
    expect(service["logging"]).toEqual({ driver: "json-file", options: { "max-size": "10m", "max-file": "3" } });
    // More than one processor would be refused on a machine that has one.
    expect(service.cpus).toBeLessThanOrEqual(1);
  });

  test("cannot write its root, gain rights, or run as root", () => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"] });
    check("user", !/^(0|root)(:|$)/.test(service.user));
  });

  test("is started again when it dies and says whether it is well", () => {
    check("restart", service.restart === "unless-stopped");
    const inImage = service.build !== undefined && /^HEALTHCHECK /m.test(dockerfile);
    check("healthcheck", inImage || service.healthcheck?.disable === false);
  });

  test("waits only for conditions that can come true", () => {
    for (const [other, { condition }] of Object.entries(service.depends_on)) {
      if (condition === "service_healthy") expect(reasons[other]?.["healthcheck"], other).toBeUndefined();
      if (condition === "service_completed_successfully") expect(composeService(other).restart).toBe("no");
    }
  });

  test("mounts only files that exist, read-only, and volumes that are declared", () => {
    for (const mount of service.volumes) {
      const [source = "", , mode] = mount.split(":");
      if (source === "/") expect(`${name} ${mount}`).toBe("collector /:/hostfs:ro");
      else if (!source.startsWith("./")) expect(Object.keys(compose.volumes)).toContain(source);
      else {
        expect(existsSync(join(repositoryRoot, source)), source).toBe(true);
        expect(mode, mount).toBe("ro");
      }
    }
  });

  test("gets its secrets as files that it is granted, and none by value", () => {
    const values = Object.entries(service.environment);
    const files = values.filter(([, value]) => value.startsWith("/run/secrets/"));
    for (const [variable, path] of files) {
      expect(variable).toMatch(/_FILE$/);
      expect(service.secrets).toContain(path.slice("/run/secrets/".length));
    }
    const secretNames = /(PASSWORD|SECRET|_KEY|DATABASE_URL|LOKI_PUSH_TOKEN)$/;
    expect(values.filter(([variable]) => secretNames.test(variable))).toEqual([]);
  });
});

describe("secrets", () => {
  test("every one is a file of its own outside the repository, and somebody needs it", () => {
    const granted = new Set(composeServices.flatMap(([, { secrets }]) => secrets));
    for (const [name, { file }] of Object.entries(compose.secrets))
      expect(file).toBe(`\${VITRINE_SECRETS_DIR:-.vitrine/compose}/${name}`);
    expect([...granted].sort()).toEqual(Object.keys(compose.secrets).sort());
  });

  test("auth knows exactly the clients that the containers log in as, and none that impersonates", async () => {
    const file = Bun.file(join(repositoryRoot, "deploy/compose/clients.json"));
    const clients = z.array(clientSchema).parse(await file.json());
    const own = new Set(ownServices.map(([name]) => name));
    expect(clients.map(({ clientId }) => clientId).sort()).toEqual([...own, "collector", "doctor"].sort());
    for (const { clientId, clientSecretFile, service, scopes } of clients) {
      expect(service).toBe(own.has(clientId) ? clientId : undefined);
      expect(clientSecretFile).toBe(`/run/secrets/${clientId}_client_secret`);
      expect(composeService("auth").secrets).toContain(`${clientId}_client_secret`);
      // `bun run doctor --compose`, from outside: it may do what the doctor does, and no more.
      if (clientId === "doctor") {
        expect(scopes).toEqual(["telemetry:read", "telemetry:write"]);
        continue;
      }
      // What a client may do is the same in both worlds; `cli`, which may be anybody, is a desk's alone.
      expect<readonly string[]>(scopes).toEqual(deskClients.find((desk) => desk.clientId === clientId)?.scopes ?? []);
      // The collector, which is none of our services, has the name of its client in its config.
      expect(composeService(clientId).environment).toMatchObject(
        own.has(clientId)
          ? { CLIENT_ID: clientId, CLIENT_SECRET_FILE: clientSecretFile }
          : { COLLECTOR_CLIENT_SECRET_FILE: clientSecretFile },
      );
    }
  });
});

test("what telemetry flows through stops after what sends it: services, gateway, collector, engines", () => {
  const others = ownServices.map(([name]) => name).filter((name) => name !== "gateway");
  expect(others.filter((name) => !stopsBefore(name, "gateway"))).toEqual([]);
  expect(stopsBefore("gateway", "collector")).toBe(true);
  for (const engine of ["jaeger", "loki", "prometheus"]) expect(stopsBefore("collector", engine)).toBe(true);
});

test("one variable says how long engines keep what they have, 30 days unless set, and the archive keeps it no longer", () => {
  const texts = engines.map(({ name }) => {
    const { command, environment } = composeService(name);
    return [...command, ...Object.values(environment)].join(" ");
  });
  const kept = texts.flatMap((text) => text.match(/\$\{VITRINE_RETENTION:-\d+h\}/g) ?? []);
  expect(kept).toEqual(Array.from({ length: 4 }, () => "${VITRINE_RETENTION:-720h}"));
  expect(composeService("collector").environment["ARCHIVE_MAX_DAYS"]).toBe(`\${VITRINE_ARCHIVE_DAYS:-${720 / 24}}`);
});

test("demo accounts and simulated customers are off unless asked for", () => {
  expect(composeService("auth").environment["DEMO"]).toBe("${VITRINE_DEMO:-off}");
  expect(composeService("generator").profiles).toEqual(["demo"]);
});

test("lite leaves out Grafana and Jaeger and nothing else, and nothing waits for what is left out", () => {
  const full = composeServices.filter(([, { profiles }]) => profiles.length > 0 && profiles.join() !== "demo");
  expect(full.map(([name, { profiles }]) => `${name} ${profiles.join()}`).sort()).toEqual([
    "grafana full",
    "jaeger full",
  ]);
  for (const [name, { profiles, depends_on }] of composeServices) {
    if (profiles.length > 0) continue;
    const missing = Object.entries(depends_on).filter(
      ([other, { required }]) => required && composeService(other).profiles.length > 0,
    );
    expect(missing, name).toEqual([]);
  }
});

const because = hasCompose === 0 ? "" : " (skipped: there is no docker compose on PATH)";
test.skipIf(hasCompose !== 0)(`docker compose takes the file without any variable set${because}`, async () => {
  const env = { PATH: Bun.env["PATH"], HOME: Bun.env["HOME"] };
  const args = ["docker", "compose", "--env-file=/dev/null", "--profile=full", "--profile=demo", "config", "--quiet"];
  const { exitCode, stderr } = await runCommand(args, { cwd: repositoryRoot, env });
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  expect(composeText).not.toMatch(/\$\{[A-Z_]+\}/);
});

/** A flag without dashes and, where it is an address, a folder or a duration, without its value. */
function flagOf(argument: string): string {
  const [name = "", value = ""] = argument.replace(/^-+/, "").split("=");
  return /[/:]|^\d+h$|^\$\{/.test(value) ? name : `${name}=${value}`;
}

/** Containers stop in the reverse order of their start. */
function stopsBefore(name: string, later: string): boolean {
  return Object.keys(composeService(name).depends_on).some((other) => other === later || stopsBefore(other, later));
}
