// A Headroom server on a free loopback port with a database of its own, and the few things that tests do to it:
// kill it, start it again on the same database, move an attempt back in time.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const READY_WITHIN = 30_000;

/** The server's program. */
export function headroomProgram() {
  const program = process.env.HEADROOM_BIN ?? join(ROOT, "target", "debug", "headroom");
  if (!existsSync(program)) {
    throw new Error(`There is no server at ${program}: build it with \`cargo xtask serve\`, or set HEADROOM_BIN.`);
  }
  return program;
}

async function freePort() {
  const socket = createServer();
  socket.listen(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

/** What every server of the journeys is told: to stop at once, and not to count the journeys as an attack. */
const SETTINGS = {
  HEADROOM_LOG: "warn",
  HEADROOM_DRAIN_SECONDS: "0",
  HEADROOM_SIGNUPS_PER_HOUR: "1000",
  HEADROOM_SIGNINS_PER_ADDRESS: "1000",
};

export class Server {
  #child;
  #log = "";

  constructor(port, folder, settings) {
    this.port = port;
    this.folder = folder;
    this.settings = { ...SETTINGS, ...settings };
    this.url = `http://127.0.0.1:${port}`;
    this.database = join(folder, "headroom.db");
  }

  /** Starts a server. `settings` are variables of its environment, such as HEADROOM_SMTP_URL. */
  static async start(settings = {}) {
    const server = new Server(await freePort(), mkdtempSync(join(tmpdir(), "headroom-e2e-")), settings);
    await server.run();
    return server;
  }

  /** Runs the server on its database and waits until it answers. */
  async run() {
    const child = spawn(headroomProgram(), ["serve", ...this.#place], {
      cwd: ROOT,
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...this.settings },
    });
    this.#child = child;
    child.stderr.on("data", (text) => (this.#log += text));
    // A worker that ends in a hurry takes its server with it.
    this.reap = () => child.kill("SIGKILL");
    process.once("exit", this.reap);
    const deadline = Date.now() + READY_WITHIN;
    for (;;) {
      if (child.exitCode !== null) {
        throw new Error(`The server ended with ${child.exitCode}:\n${this.#log}`);
      }
      const answer = await fetch(`${this.url}/healthz`).catch(() => null);
      if (answer?.ok) return;
      if (Date.now() > deadline) {
        throw new Error(`The server did not answer within ${READY_WITHIN / 1000} s:\n${this.#log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  get #place() {
    return ["--addr", `127.0.0.1:${this.port}`, "--database-url", `sqlite:${this.database}`];
  }

  /** Runs another command of the program on the server's database, as who runs the server does. What it printed. */
  async command(...words) {
    const child = spawn(headroomProgram(), [...words, ...this.#place], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...this.settings },
    });
    const said = { out: "", err: "" };
    child.stdout.on("data", (text) => (said.out += text));
    child.stderr.on("data", (text) => (said.err += text));
    const [code] = await once(child, "close");
    if (code !== 0) throw new Error(`headroom ${words.join(" ")} ended with ${code}:\n${said.err}`);
    return said.out;
  }

  /** Ends the process at once, as a crash does. */
  async kill() {
    await this.#end("SIGKILL");
  }

  async stop() {
    await this.#end("SIGTERM");
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #end(signal) {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    const late = setTimeout(() => child.kill("SIGKILL"), 3_000);
    await ended;
    clearTimeout(late);
    process.removeListener("exit", this.reap);
  }

  /** What the server wrote to its log: warnings and errors. */
  get log() {
    return this.#log;
  }

  /** Runs one statement on the server's database, for what cannot be waited for: time that has passed. */
  async sql(statement, ...values) {
    await changeDatabase(this.database, statement, values);
  }
}

/** Node 22.13 and later have SQLite inside; elsewhere Debian's python3 has it (npm itself depends on that package). */
async function changeDatabase(file, statement, values) {
  const sqlite = await import("node:sqlite").catch(() => null);
  if (sqlite) {
    const database = new sqlite.DatabaseSync(file, { timeout: 5_000 });
    try {
      database.prepare(statement).run(...values);
    } finally {
      database.close();
    }
    return;
  }
  const script = `import json, sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=5)
with database:
    changed = database.execute(sys.argv[2], json.loads(sys.argv[3])).rowcount
sys.exit(0 if changed else "no row was changed")`;
  const done = spawnSync("python3", ["-c", script, file, statement, JSON.stringify(values)], { encoding: "utf8" });
  if (done.status !== 0) {
    throw new Error(`The database was not changed (this needs Node 22.13 or python3): ${done.stderr || done.error}`);
  }
}
