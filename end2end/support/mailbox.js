// A mail server on a free loopback port that keeps what it is given: what people find in their mail.

import { once } from "node:events";
import { SMTPServer } from "smtp-server";

const ARRIVES_WITHIN = 10_000;

/** A body as it was written, without its transfer encoding. */
function decoded(encoding, body) {
  if (/base64/i.test(encoding)) return Buffer.from(body, "base64").toString("utf8");
  if (!/quoted-printable/i.test(encoding)) return body;
  const bytes = body
    .replace(/=\r?\n/g, "")
    .replace(/=([0-9A-F]{2})/gi, (_, code) => String.fromCharCode(parseInt(code, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}

function read(to, source) {
  const end = source.indexOf("\r\n\r\n");
  const headers = source.slice(0, end).replace(/\r\n[ \t]+/g, " ");
  const header = (name) => headers.match(new RegExp(`^${name}: *(.*)$`, "im"))?.[1].trim() ?? "";
  const text = decoded(header("Content-Transfer-Encoding"), source.slice(end + 4)).replace(/\r\n/g, "\n");
  return { to, subject: header("Subject"), text, link: text.match(/https?:\/\/\S+\/(?:verify-email|reset-password)\/\S+/)?.[0] };
}

export class Mailbox {
  letters = [];

  static async open() {
    const box = new Mailbox();
    await box.#listen(0);
    return box;
  }

  /** Is there again, at the same address. */
  async reopen() {
    await this.#listen(this.port);
  }

  async #listen(port) {
    const { letters } = this;
    this.server = new SMTPServer({
      disabledCommands: ["AUTH", "STARTTLS"],
      disableReverseLookup: true,
      onData(stream, session, taken) {
        const parts = [];
        stream.on("data", (part) => parts.push(part));
        stream.on("end", () => {
          const source = Buffer.concat(parts).toString("utf8");
          for (const { address } of session.envelope.rcptTo) letters.push(read(address, source));
          taken();
        });
      },
    });
    this.server.listen(port, "127.0.0.1");
    await once(this.server.server, "listening");
    this.port = this.server.server.address().port;
    this.url = `smtp://127.0.0.1:${this.port}`;
  }

  /** Takes the first letter to an address with these words in its subject out of the box, or waits for it. */
  async take(to, subject) {
    const deadline = Date.now() + ARRIVES_WITHIN;
    for (;;) {
      const at = this.letters.findIndex((letter) => letter.to === to && letter.subject.includes(subject));
      if (at >= 0) return this.letters.splice(at, 1)[0];
      if (Date.now() > deadline) {
        const all = this.letters.map((letter) => `${letter.subject} (to ${letter.to})`).join("; ");
        throw new Error(`No letter to ${to} about "${subject}" came. There is: ${all || "none"}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  close() {
    return new Promise((resolve) => this.server.close(resolve));
  }
}
