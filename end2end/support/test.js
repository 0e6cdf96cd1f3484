// `test` of the journeys: a server for each worker, and a watch over everything that a page may not do: errors in the
// console, requests to other hosts, failed requests, answers of 500 and above.

import { test as base, expect } from "@playwright/test";
import { Mailbox } from "./mailbox.js";
import { Server } from "./server.js";

export { expect };

/** What happened in a browser context that should not have. */
export class Watch {
  #faults = [];
  // The browser's own word about an animation between pages that it did not play; no script of ours has part in it.
  #allowed = [/^page error: Transition was (aborted|skipped)/];

  constructor(...origins) {
    this.origins = origins;
  }

  /** Something that this journey brings about on purpose, such as lines in the console about a dead network. */
  allow(...patterns) {
    this.#allowed.push(...patterns);
  }

  over(context) {
    const fault = (text) => this.#faults.push(text);
    context.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        fault(`console ${message.type()}: ${message.text()} (${message.location().url})`);
      }
    });
    context.on("weberror", (error) => fault(`page error: ${error.error()?.message}`));
    context.on("request", (request) => {
      const url = new URL(request.url());
      const local = ["data:", "blob:", "about:"].includes(url.protocol);
      if (!local && !this.origins.includes(url.origin)) fault(`request to another host: ${request.url()}`);
    });
    context.on("requestfailed", (request) => {
      // A page that is left behind takes its requests with it.
      const reason = request.failure()?.errorText ?? "";
      if (reason !== "net::ERR_ABORTED") fault(`request failed: ${request.url()} ${reason}`);
    });
    context.on("response", (response) => {
      if (response.status() >= 500) fault(`answer ${response.status()}: ${response.url()}`);
    });
  }

  get faults() {
    return this.#faults.filter((text) => !this.#allowed.some((pattern) => pattern.test(text)));
  }
}

/** What a browser says when the network or the server is away. */
export const NETWORK_AWAY =
  /net::ERR_(INTERNET_DISCONNECTED|CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|NETWORK_CHANGED|SOCKET_NOT_CONNECTED|FAILED)/;
/** The line in the console that goes with an answer of this status. */
export const answered = (status) => new RegExp(`the server responded with a status of ${status}`);

/** With scripts off, Chromium refuses to preload the islands' module and finds that nothing uses their program. */
export const WITHOUT_SCRIPTS = [/request failed: .*\/headroom\.js csp$/, /headroom_bg\.wasm was preloaded .* but not used/];

export const test = base.extend({
  server: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const server = await Server.start();
      await use(server);
      await server.stop();
    },
    { scope: "worker" },
  ],

  baseURL: async ({ server }, use) => use(server.url),

  watch: [
    async ({ context, baseURL, javaScriptEnabled }, use) => {
      const watch = new Watch(baseURL);
      if (!javaScriptEnabled) watch.allow(...WITHOUT_SCRIPTS);
      watch.over(context);
      await use(watch);
      expect(watch.faults, "nothing in the console, no failed request, no other host").toEqual([]);
    },
    { auto: true },
  ],
});

/** A server that one test may kill. */
export const testWithOwnServer = test.extend({
  ownServer: async ({}, use) => {
    const server = await Server.start();
    await use(server);
    await server.stop();
  },
  baseURL: async ({ ownServer }, use) => use(ownServer.url),
});

/** With a server that sends mail, and the box in which the mail arrives. */
export const testWithMail = test.extend({
  mailbox: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const mailbox = await Mailbox.open();
      await use(mailbox);
      await mailbox.close();
    },
    { scope: "worker" },
  ],
  server: [
    async ({ mailbox }, use) => {
      const server = await Server.start({ HEADROOM_SMTP_URL: mailbox.url, HEADROOM_MAIL_FROM: "Headroom <headroom@example.org>" });
      await use(server);
      await server.stop();
    },
    { scope: "worker" },
  ],
});
