// Figures that only a browser gives, as JSON on standard output:
// - the time from navigation to a typed key saved, in the workspace, with a cold cache;
// - what a prompt page and the workspace transfer, by kind, as it comes over the wire.
//
//   node bench.mjs [--base URL] [--quick]
//
// Without --base it starts HEADROOM_BIN on a database of its own. CHROMIUM is the browser.

import { chromium } from "@playwright/test";
import { Server } from "./support/server.js";

const PROMPT = "payments-processor";

const flags = process.argv.slice(2);
const base = flags.includes("--base") ? flags[flags.indexOf("--base") + 1] : undefined;
const runs = flags.includes("--quick") ? 3 : 7;

const server = base ? null : await Server.start();
const origin = (base ?? server.url).replace(/\/$/, "");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Runs `work` in a page of a new context, so with nothing cached, on an attempt that has just been started. */
async function inFreshPage(work) {
  const context = await browser.newContext({ baseURL: origin, viewport: { width: 1280, height: 800 } });
  try {
    const answer = await context.request.post(`/prompts/${PROMPT}/attempts`, {
      form: { way: "guided", level: "senior", minutes: "60" },
      headers: { "sec-fetch-site": "same-origin" },
      maxRedirects: 0,
    });
    if (answer.status() !== 303) throw new Error(`an attempt could not be started: ${answer.status()}`);
    return await work(await context.newPage(), answer.headers().location);
  } finally {
    await context.close();
  }
}

/** Milliseconds from navigation until the island is live, and until a key typed then is saved. */
async function firstKeySaved() {
  return inFreshPage(async (page, path) => {
    // The page's own clock: no waiting of ours is in the figures.
    await page.addInitScript(() => {
      const marks = (window.marks = {});
      const look = () => {
        if (!marks.live && document.querySelector(".workspace.live")) marks.live = performance.now();
        if (!marks.saved && marks.typed && /^Saved /.test(document.querySelector(".status")?.textContent ?? "")) {
          marks.saved = performance.now();
        }
      };
      new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
      document.addEventListener("input", () => (marks.typed ??= performance.now()), true);
    });
    await page.goto(path, { waitUntil: "commit" });
    const field = page.getByRole("textbox", { name: "Requirements", exact: true });
    await page.locator(".workspace.live").waitFor();
    await field.focus();
    await page.keyboard.press("x");
    await page.waitForFunction(() => window.marks.saved);
    return page.evaluate(() => window.marks);
  });
}

/** Bytes over the wire by kind, headers included, until the network is quiet. */
async function transferred(path, whole) {
  return inFreshPage(async (page, workspace) => {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Network.enable");
    const kinds = new Map();
    const bytes = {};
    devtools.on("Network.responseReceived", ({ requestId, response, type }) => {
      const name = new URL(response.url).pathname;
      const kind = name.endsWith(".wasm") ? "wasm" : { Document: "html", Stylesheet: "css", Script: "js", Font: "fonts", Image: "images" }[type];
      kinds.set(requestId, kind ?? "other");
    });
    devtools.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
      const kind = kinds.get(requestId);
      if (kind) bytes[kind] = (bytes[kind] ?? 0) + encodedDataLength;
    });
    await page.goto(path ?? workspace, { waitUntil: "load" });
    if (whole) await page.locator(".workspace.live").waitFor();
    await page.waitForTimeout(1_000);
    bytes.all = Object.values(bytes).reduce((sum, some) => sum + some, 0);
    return bytes;
  });
}

try {
  await firstKeySaved(); // the server's own first time is not the browser's
  const marks = [];
  for (let run = 0; run < runs; run++) marks.push(await firstKeySaved());
  const figure = (from) => Math.round(median(marks.map(from)));
  console.log(
    JSON.stringify(
      {
        runs,
        milliseconds: {
          "navigation to live": figure((mark) => mark.live),
          "navigation to a typed key saved": figure((mark) => mark.saved),
          "key to saved": figure((mark) => mark.saved - mark.typed),
        },
        "bytes over the wire": {
          "prompt page": await transferred(`/prompts/${PROMPT}`, false),
          workspace: await transferred(undefined, true),
        },
      },
      null,
      2,
    ),
  );
} finally {
  await browser.close();
  await server?.stop();
}
