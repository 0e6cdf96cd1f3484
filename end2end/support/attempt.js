// The words of the product that the journeys share: phases, starting an attempt, the workspace, scoring.

import { expect } from "./test.js";

export const PHASES = [
  { slug: "requirements", title: "Requirements", field: "Requirements" },
  { slug: "estimates", title: "Estimates", field: "Notes on your estimates" },
  { slug: "api", title: "API", field: "API" },
  { slug: "data-model", title: "Data model", field: "Data model" },
  { slug: "architecture", title: "Architecture", field: "Architecture" },
  { slug: "failure-modes", title: "Failure modes", field: "Failure modes" },
  { slug: "consistency", title: "Consistency", field: "Consistency" },
  { slug: "trade-offs", title: "Trade-offs and rollout", field: "Trade-offs and rollout" },
];

/** What a candidate writes, phase by phase. */
export const DESIGN = {
  requirements: "# Scope\n\n- Charge a saved card **once** for one period.\n- Refund in parts, never more than captured.\n",
  estimates: "Peak is six times the mean; renewals can be paced.\n",
  api: "`POST /payments` with an `Idempotency-Key`.\n\n```json\n{ \"amount\": 1200 }\n```\n",
  "data-model": "| table | key |\n|---|---|\n| payment | id |\n| attempt | payment, number |\n",
  architecture: "Intent is written before the processor is called; a resolver finishes unknown outcomes.\n",
  "failure-modes": "A timeout is not a decline. The breaker opens after one minute of slow answers.\n",
  consistency: "One unique constraint for each order or period, in the same database as the ledger.\n",
  "trade-offs": "No second processor yet. Rolled out behind a flag, one percent first.\n",
};

export const STATE = {
  saved: /^Saved \d\d:\d\d:\d\d$/,
  saving: /^Saving…$/,
  offline: /^Offline: kept on this device$/,
};

/** What the form of a prompt settles, for a test whose subject is not the start. */
export async function start(page, { prompt = "payments-processor", way = "guided", level = "senior", minutes = "60", focus } = {}) {
  const answer = await page.request.post(`/prompts/${prompt}/attempts`, {
    form: { way, level, minutes, ...(focus && { focus }) },
    headers: { "sec-fetch-site": "same-origin" },
    maxRedirects: 0,
  });
  expect(answer.status()).toBe(303);
  const path = answer.headers().location;
  return { id: path.split("/")[2], path };
}

/** Saves a section by its form, as a page without JavaScript does. */
export async function save(page, id, section, body, base = 0) {
  const answer = await page.request.post(`/attempts/${id}/${section}`, {
    form: { base: String(base), key: crypto.randomUUID(), body },
    headers: { "sec-fetch-site": "same-origin" },
    maxRedirects: 0,
  });
  expect(answer.status()).toBe(303);
}

/** Commits the lowest score for every criterion, or the one given. */
export async function commitScore(page, id, { rating = "mid", weakest } = {}) {
  const html = await (await page.request.get(`/attempts/${id}/score`)).text();
  const key = html.match(/name="score" value="([^"]+)"/)[1];
  const criteria = [...new Set([...html.matchAll(/name="rating\.([a-z-]+)"/g)].map((match) => match[1]))];
  const form = { score: key };
  for (const criterion of criteria) {
    form[`rating.${criterion}`] = criterion === weakest ? "below" : rating;
    form[`evidence.${criterion}`] = `What the text says about ${criterion}.`;
  }
  const answer = await page.request.post(`/attempts/${id}/score`, {
    form,
    headers: { "sec-fetch-site": "same-origin" },
    maxRedirects: 0,
  });
  expect(answer.status()).toBe(303);
}

/** The attempt as the server has it. */
export async function exported(page, id) {
  const answer = await page.request.get(`/attempts/${id}/export/attempt.json`);
  expect(answer.ok()).toBe(true);
  const attempt = await answer.json();
  const text = (name) => attempt.sections.find((section) => section.name === name)?.body ?? "";
  return { ...attempt, text };
}

export async function expectOnServer(page, id, section, text) {
  await expect.poll(async () => (await exported(page, id)).text(section), { timeout: 10_000 }).toBe(text);
}

/** The workspace of an attempt in a page. */
export class Workspace {
  constructor(page) {
    this.page = page;
    this.phases = page.getByRole("navigation", { name: "Phases" });
    this.side = page.getByRole("complementary", { name: "Prompt and help" });
    this.clock = page.locator(".clock");
    this.timer = page.getByRole("timer");
    this.state = page.locator(".status > :first-child");
    this.recovered = page.getByText("Brought back from this device");
    this.versions = page.getByRole("group", { name: "Two versions of this section" });
    this.preview = page.getByRole("region", { name: "Preview" });
    this.palette = page.getByRole("dialog", { name: "Commands" });
    this.shortcuts = page.getByRole("dialog", { name: "Keyboard" });
  }

  /** Until the island has taken over from the forms. */
  async live(timeout = 10_000) {
    await expect(this.page.locator(".workspace.live")).toBeVisible({ timeout });
  }

  async goto(path) {
    await this.page.goto(path);
    await this.live();
  }

  heading(title) {
    return this.page.getByRole("main").getByRole("heading", { level: 1, name: title, exact: true });
  }

  link(title) {
    return this.phases.getByRole("link", { name: new RegExp(`^${title}\\b`) });
  }

  text(field) {
    return this.page.getByRole("textbox", { name: field, exact: true });
  }

  async open(phase) {
    await this.link(phase.title).click();
    await expect(this.heading(phase.title)).toBeVisible();
  }

  async saved() {
    await expect(this.state).toHaveText(STATE.saved);
  }
}

/** Whether the page can be scrolled sideways at its present width. */
export async function expectNoSidewaysScroll(page, width, what) {
  const found = await page.evaluate((width) => {
    const root = document.scrollingElement;
    const wide = [...document.querySelectorAll("body *")]
      .filter((element) => {
        if (element.getBoundingClientRect().right <= width + 0.5 || !element.checkVisibility()) return false;
        for (let parent = element.parentElement; parent; parent = parent.parentElement) {
          if (getComputedStyle(parent).overflowX !== "visible" && parent !== document.body) return false;
        }
        return true;
      })
      .slice(0, 3)
      .map((element) => `${element.tagName.toLowerCase()}.${element.className}`);
    return { width: root.scrollWidth, wide };
  }, width);
  expect.soft(found.width, `${what} at ${width} px is wider: ${found.wide.join(", ")}`).toBeLessThanOrEqual(width);
}

/** Until the help on the score form has woken: a digit chooses a level. */
export async function digitsWork(page, group) {
  await expect(async () => {
    await group.getByRole("radio").first().focus();
    await page.keyboard.press("1");
    await expect(group.getByRole("radio").first()).toBeChecked({ timeout: 200 });
  }).toPass({ timeout: 8_000 });
}
