// The calculators: while one types, by an address, without a script, and beside the worksheet.

import { Workspace, exported, start } from "../support/attempt.js";
import { choose } from "../support/look.js";
import { answered, expect, test } from "../support/test.js";

const answers = (page) => page.locator(".calc-answers").first();
const fault = (page, id) => page.locator(`[data-fault="${id}"]`);

/** Fills a field until the island has heard it: the address follows. */
async function fillLive(page, id, text) {
  await expect(async () => {
    await page.locator(`#in-${id}`).fill("");
    await page.locator(`#in-${id}`).pressSequentially(text);
    await expect(page).toHaveURL((url) => url.searchParams.get(id) === text, { timeout: 1_000 });
  }).toPass({ timeout: 10_000 });
}

/** The answers of an address as the server gives them without a script. */
async function served(page, address) {
  const html = await (await page.request.get(address)).text();
  return page.evaluate(
    (html) => new DOMParser().parseFromString(html, "text/html").querySelector(".calc-answers").textContent,
    html,
  );
}

test("the result follows what one types, and the address is the state", async ({ page }) => {
  await page.goto("/calculators/traffic");
  const before = await answers(page).textContent();
  await fillLive(page, "dau", "20M users");
  await expect(answers(page)).not.toHaveText(before);
  const after = await answers(page).textContent();
  expect(await served(page, page.url())).toBe(after);
  await expect(page.locator("figure svg").first()).toBeVisible();

  await test.step("what a row of the worksheet takes, a field takes", async () => {
    await page.locator("#in-dau").fill("= 2 * 10M");
    await expect(page).toHaveURL((url) => url.searchParams.get("dau") === "= 2 * 10M");
    await expect(answers(page)).toHaveText(after);
  });

  await test.step("a reload, a shared address and another theme keep it", async () => {
    await page.reload();
    await expect(page.locator("#in-dau")).toHaveValue("= 2 * 10M");
    await expect(answers(page)).toHaveText(after);
    await fillLive(page, "dau", "20M users");
    await page.getByRole("form", { name: "Theme" }).getByRole("button", { name: "Dark" }).click();
    await expect(page.locator("#in-dau")).toHaveValue("20M users");
    await expect(answers(page)).toHaveText(after);
  });

  await test.step("a fault stands beside its field until it is mended", async () => {
    await fillLive(page, "dau", "5 GB");
    await expect(fault(page, "dau")).toContainText("Expected:");
    await expect(page.locator("#in-dau")).toHaveAttribute("aria-invalid", "true");
    await expect(page.locator("#in-dau")).toHaveAccessibleDescription(/Expected:/);
    await expect(page.getByText("There is no result yet. What you typed is kept.")).toBeVisible();
    await expect(page.locator("#in-dau")).toHaveValue("5 GB");
    await page.locator("#in-dau").fill("20M users");
    await expect(fault(page, "dau")).toBeHidden();
    await expect(page.locator("#in-dau")).not.toHaveAttribute("aria-invalid", "true");
    await expect(answers(page)).toHaveText(after);
  });

  await test.step("without a network what stands there is from before, and that is said", async () => {
    await page.route("**/api/calculate", (route) => route.abort());
    await page.locator("#in-dau").fill("30M users");
    await expect(page.getByText("The server does not answer.")).toBeVisible();
    await expect(answers(page)).toHaveText(after);
    await page.unroute("**/api/calculate");
    await page.locator("#in-dau").fill("10M users");
    await expect(answers(page)).toHaveText(before);
    await expect(page.getByText("The server does not answer.")).toBeHidden();
  });
});

test("every calculator answers while one types", async ({ page }) => {
  test.setTimeout(120_000);
  await page.goto("/calculators");
  const links = page.getByRole("main").locator('a[href^="/calculators/"]');
  const all = await links.evaluateAll((links) => links.map((link) => link.getAttribute("href")));
  expect(all.length).toBeGreaterThanOrEqual(12);
  for (const address of all) {
    await page.goto(address);
    const first = page.locator(".calc-field input").first();
    const id = await first.getAttribute("name");
    const text = await first.inputValue();
    const before = await answers(page).textContent();
    await fillLive(page, id, "= 1 / 0");
    await expect(fault(page, id), address).not.toBeEmpty();
    await first.fill(text);
    await expect(answers(page), address).toHaveText(before);
    await expect(fault(page, id), address).toBeEmpty();
  }
});

test.beforeEach(async ({ watch }) => watch.allow(answered(422), /api\/calculate/, /Failed to load resource.*ERR_FAILED/));

test("beside the worksheet a calculator opens, and its numbers become rows that stay", async ({ page }) => {
  const { id } = await start(page);
  const desk = new Workspace(page);
  await desk.goto(`/attempts/${id}/worksheet`);
  await page.getByText("Calculators", { exact: true }).click();
  const beside = page.locator("details.calculators");
  await beside.getByRole("link", { name: "Traffic", exact: true }).click();
  await expect(beside.getByRole("heading", { name: "Traffic" })).toBeVisible();
  await expect(page, "the page stays").toHaveURL(`/attempts/${id}/worksheet`);
  const dau = beside.locator("#calc-dau");
  await expect(dau).toBeFocused();
  const before = await answers(page).textContent();
  await dau.fill("3M users");
  await expect(answers(page)).not.toHaveText(before);

  await test.step("a fault leaves nothing to insert", async () => {
    await dau.fill("5 GB");
    await expect(fault(page, "dau")).toContainText("Expected:");
    await beside.getByRole("button", { name: "Insert as rows" }).click();
    await expect(beside.getByText("There is no result to insert yet.")).toBeVisible();
    expect((await exported(page, id)).text("worksheet")).toBe("");
  });

  await dau.fill("3M users");
  await expect(fault(page, "dau")).toBeEmpty();
  await beside.getByRole("button", { name: "Insert as rows" }).click();
  await expect(beside.getByText(/^\d+ rows were added to your own rows\.$/)).toBeVisible();
  await desk.saved();
  await expect.poll(async () => (await exported(page, id)).text("worksheet")).toMatch(/^dau: 3M users\n/);
  const once = (await exported(page, id)).text("worksheet");

  await test.step("a second time by other names", async () => {
    await beside.getByRole("button", { name: "Insert as rows" }).click();
    await expect.poll(async () => (await exported(page, id)).text("worksheet")).toMatch(/\ndau_2: 3M users\n/);
    const twice = (await exported(page, id)).text("worksheet");
    expect(twice.startsWith(`${once}\n`)).toBe(true);
    expect(twice.split("\n")).toHaveLength(2 * once.split("\n").length);
  });

  await test.step("what was added is there again, each with its value", async () => {
    await page.reload();
    await desk.live();
    const rows = once.split("\n").length;
    await expect(page.locator('form.worksheet input[name="row"]').first()).toHaveValue("dau");
    await expect(page.locator('form.worksheet input[name="row"]').nth(rows)).toHaveValue("dau_2");
    await expect(page.locator("#out-own-1")).toHaveText("= 3 M");
    await expect(page.locator("form.worksheet [data-own] .fault")).toHaveCount(0);
  });

  await test.step("closed, nothing of it is left", async () => {
    await page.getByText("Calculators", { exact: true }).click();
    await beside.getByRole("link", { name: "Traffic", exact: true }).click();
    await expect(beside.locator("#calc-dau")).toBeVisible();
    await beside.getByRole("button", { name: "Close" }).click();
    await expect(beside.locator("#calc-dau")).toBeHidden();
    await expect(answers(page)).toBeHidden();
  });
});

test("what one types into a calculator does not become a row by itself", async ({ page }) => {
  const { id } = await start(page);
  const desk = new Workspace(page);
  await desk.goto(`/attempts/${id}/worksheet`);
  await page.getByLabel("Charge requests at peak").fill("850 req/s");
  await desk.saved();
  const before = (await exported(page, id)).text("worksheet");
  await page.getByText("Calculators", { exact: true }).click();
  await page.locator("details.calculators").getByRole("link", { name: "Traffic", exact: true }).click();
  const dau = page.locator("#calc-dau");
  const first = await answers(page).textContent();
  await dau.fill("4M users");
  await expect(answers(page)).not.toHaveText(first);
  await dau.press("Enter");
  await expect(page).toHaveURL(`/attempts/${id}/worksheet`);
  await page.getByLabel("Idempotency records alive").fill("5M");
  await expect.poll(async () => (await exported(page, id)).text("worksheet")).toContain("5M");
  const after = (await exported(page, id)).text("worksheet");
  expect(after.startsWith(before)).toBe(true);
  expect(after).not.toContain("4M users");
});

test("in a tab of its own a calculator inserts what stands in its fields", async ({ page }) => {
  const { id } = await start(page);
  await page.goto(`/calculators/traffic?for=${id}`);
  await fillLive(page, "dau", "7M users");
  await expect(page, "the attempt is not forgotten").toHaveURL((url) => url.searchParams.get("for") === id);
  await page.getByRole("button", { name: "Insert into the worksheet" }).click();
  await expect(page).toHaveURL(new RegExp(`/attempts/${id}/worksheet`));
  expect((await exported(page, id)).text("worksheet")).toMatch(/^dau: 7M users\n/);
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("a form calculates, says what is wrong, and inserts for an attempt", async ({ page }) => {
    await choose(page, "Light");
    await page.goto("/calculators/traffic");
    const before = await answers(page).innerText();
    await page.locator("#in-dau").fill("20M users");
    await page.getByRole("button", { name: "Calculate" }).click();
    await expect(page).toHaveURL(/dau=20M\+users/);
    const after = await answers(page).innerText();
    expect(after).not.toBe(before);

    await page.locator("#in-dau").fill("5 GB");
    await page.locator("#in-actions").fill("7 req");
    await page.getByRole("button", { name: "Calculate" }).click();
    await expect(fault(page, "dau")).toContainText("Expected:");
    await expect(page.locator("#in-dau")).toHaveValue("5 GB");
    await expect(page.locator("#in-actions")).toHaveValue("7 req");
    await expect(page.getByText("There is no result yet. What you typed is kept.")).toBeVisible();
    await page.goBack();
    expect(await answers(page).innerText()).toBe(after);

    const { id } = await start(page);
    await page.goto(`/attempts/${id}/worksheet`);
    await page.getByText("Calculators", { exact: true }).click();
    await page.getByRole("link", { name: "Traffic", exact: true }).click();
    await expect(page.getByRole("link", { name: "Back to the worksheet" })).toBeVisible();
    await page.locator("#in-dau").fill("3M users");
    await page.getByRole("button", { name: "Calculate" }).click();
    await expect(page).toHaveURL(/dau=3M\+users/);
    await page.getByRole("button", { name: "Insert into the worksheet" }).click();
    await expect(page.getByText("Numbers saved.")).toBeVisible();
    await expect(page.getByLabel("Name of your row 1", { exact: true })).toHaveValue("dau");
    await expect(page.getByLabel("Value of your row 1", { exact: true })).toHaveValue("3M users");
    expect((await exported(page, id)).text("worksheet")).toMatch(/^dau: 3M users\n/);
  });
});
