// The whole journey, guided, with JavaScript: read, choose, start, write, estimate, score, compare, go on.

import { DESIGN, PHASES, Workspace, digitsWork, exported } from "../support/attempt.js";
import { expect, test } from "../support/test.js";

/** Selects a text on the page as a mouse does. */
async function select(page, locator, text) {
  await locator.evaluate((element, text) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const at = node.data.indexOf(text);
      if (at < 0) continue;
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + text.length);
      const selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      return;
    }
    throw new Error(`"${text}" is not there`);
  }, text);
}

test("from the home page to a scored attempt and the next action, guided", async ({ page }) => {
  test.setTimeout(120_000);
  const desk = new Workspace(page);

  await test.step("read and choose", async () => {
    await page.goto("/");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Practise system design, and find out where you stand");
    await page.getByRole("link", { name: "All prompts" }).click();
    await expect(page).toHaveURL("/prompts");
    await expect(page.getByText(/^\d+ prompts$/)).toBeVisible();
    const filter = page.getByRole("search", { name: "Filter the prompts" });
    await filter.getByLabel("Level").selectOption({ label: "Staff" });
    await filter.getByLabel("Topic").selectOption({ label: "money" });
    await filter.getByLabel("Length").selectOption({ label: "60 minutes" });
    await filter.getByRole("button", { name: "Show" }).click();
    await expect(page).toHaveURL("/prompts?level=staff&topic=money&minutes=60");
    await expect(page.getByText(/^2 of \d+ prompts$/)).toBeVisible();
    await page.getByRole("link", { name: "Payments processor" }).click();
    await expect(page).toHaveTitle("Payments processor · Headroom");
    await expect(page.getByRole("heading", { name: "What it must do" })).toBeVisible();
  });

  await test.step("start", async () => {
    const form = page.getByRole("main").locator("form#start");
    await expect(form.getByRole("radio", { name: "Guided" })).toBeChecked();
    await form.getByText("Senior", { exact: true }).click();
    await form.getByText("60", { exact: true }).click();
    await form.getByRole("button", { name: "Start the attempt" }).click();
    await expect(page).toHaveURL(/\/attempts\/[^/]+\/requirements$/);
    await desk.live();
    await expect(page.getByText("guided · senior · 60 min")).toBeVisible();
    await expect(desk.clock).toContainText("of 60 minutes");
    await expect(desk.state).toHaveText("Nothing written yet");
  });
  const id = new URL(page.url()).pathname.split("/")[2];

  await test.step("write every phase", async () => {
    for (const phase of PHASES) {
      await desk.open(phase);
      await expect(page).toHaveURL(`/attempts/${id}/${phase.slug}`);
      const field = desk.text(phase.field);
      await field.click();
      // The last words by key, so that it is the typing that saves.
      await field.fill(DESIGN[phase.slug].slice(0, -5));
      await field.press("ControlOrMeta+End");
      await field.pressSequentially(DESIGN[phase.slug].slice(-5), { delay: 5 });
      await expect(desk.state).toHaveText("Saving…");
      await desk.saved();
    }
  });

  await test.step("estimate with units and formulas", async () => {
    await desk.open(PHASES[1]);
    const row = (label) => page.getByRole("row").filter({ has: page.getByLabel(label) });
    await page.getByLabel("Charge requests at peak").fill("= payments_per_day * peak_factor");
    await expect(row("Charge requests at peak").getByRole("status")).toHaveText(/= 833 req\/s/);
    await page.getByLabel("Idempotency records alive").fill("12 GB");
    await expect(row("Idempotency records alive").getByRole("status")).toHaveText(/= 12 GB/);
    // Beyond a factor of ten, and beyond one of two.
    await page.getByLabel("Payment history online").fill("900 TB");
    await page.getByLabel("Database commits at peak").fill("= peak_rate * 20");
    await expect(row("Database commits at peak").getByRole("status")).toHaveText(/= 16[.,]?7/);
    // Of another dimension: explained, kept, and told to a screen reader.
    const wrong = page.getByLabel("Processor calls open at once, normal peak");
    await wrong.fill("5 GB");
    await expect(row("Processor calls open at once, normal peak").getByRole("status")).toHaveText(/comes out as a size in bytes; the row asks for/);
    await expect(wrong).toHaveAttribute("aria-invalid", "true");
    await wrong.fill("= peak_rate * processor_mean");
    await expect(wrong).not.toHaveAttribute("aria-invalid", "true");
    await expect(row("Processor calls open at once, normal peak").getByRole("status")).toHaveText(/= 417/);
    // A row of one's own, used by another.
    await page.getByLabel("Name of your row 1").fill("spare");
    await page.getByLabel("Value of your row 1").fill("= 1000 req/s - peak_rate");
    await page.getByLabel("Value of your row 1").press("Tab");
    await expect(row("Value of your row 1").getByRole("status")).toHaveText(/= 167/);
    await desk.saved();
  });

  await test.step("preview", async () => {
    await desk.open(PHASES[3]);
    await page.getByText("Preview", { exact: true }).click();
    await expect(desk.preview.getByRole("table")).toContainText("payment, number");
    await expect(desk.text("Data model")).toBeHidden();
    await desk.open(PHASES[0]);
    await expect(desk.preview.getByRole("heading", { name: "Scope" })).toBeVisible();
    await expect(desk.preview.locator("strong")).toHaveText("once");
    await page.getByText("Both", { exact: true }).click();
    await expect(desk.text("Requirements")).toBeVisible();
    await desk.text("Requirements").press("ControlOrMeta+End");
    await desk.text("Requirements").pressSequentially("- Live as typed");
    await expect(desk.preview.getByRole("listitem").last()).toHaveText("Live as typed");
    await desk.saved();
    await page.getByText("Write", { exact: true }).first().click();
    await expect(desk.preview).toBeHidden();
  });

  await test.step("what is looked for, and hints at hand", async () => {
    await desk.side.getByText("Looked for", { exact: true }).click();
    await expect(desk.side.getByRole("heading", { name: "Looked for at Senior" })).toBeVisible();
    await desk.side.getByText("Hints", { exact: true }).first().click();
    await desk.side.getByText("Where can a success be lost on the way back?").click();
    await expect(desk.side.getByText("Follow one charge from the customer's screen")).toBeVisible();
  });

  const before = await exported(page, id);
  expect(before.text("requirements")).toBe(`${DESIGN.requirements}- Live as typed`);
  expect(before.text("worksheet")).toContain("spare: = 1000 req/s - peak_rate");

  await test.step("score by digits and by quoting", async () => {
    await page.getByRole("link", { name: "Score it" }).click();
    await expect(page).toHaveURL(`/attempts/${id}/score`);
    await expect(page.getByText("Digits 1 to 4 choose a level.")).toBeVisible();
    const groups = page.getByRole("group").filter({ has: page.getByRole("textbox") });
    await expect(groups).toHaveCount(8);
    await digitsWork(page, groups.first());
    for (let index = 0; index < 8; index++) {
      const group = groups.nth(index);
      await group.getByRole("radio").first().focus();
      const digit = index === 4 ? "1" : "3";
      await page.keyboard.press(digit);
      await expect(group.getByRole("radio").nth(Number(digit) - 1)).toBeChecked();
      if (index !== 4 && index !== 2) await group.getByRole("textbox").fill(`What the text shows, ${index}.`);
    }
    // The third criterion by a quotation.
    const third = groups.nth(2);
    await third.getByRole("textbox").focus();
    const mine = page.getByRole("complementary", { name: "Your attempt" });
    await select(page, mine, "Charge a saved card **once** for one period.");
    await page.getByRole("button", { name: "Quote as evidence for Data model and storage" }).click();
    await expect(third.getByRole("textbox")).toHaveValue("Charge a saved card **once** for one period.");
    await expect(third.getByRole("textbox")).toBeFocused();
    // A reload keeps what was filled in.
    await page.reload();
    await expect(third.getByRole("textbox")).toHaveValue("Charge a saved card **once** for one period.");
    await expect(groups.nth(4).getByRole("radio").first()).toBeChecked();
    await page.getByRole("button", { name: "Commit the scores and show the reference" }).click();
  });

  await test.step("result", async () => {
    await expect(page).toHaveURL(`/attempts/${id}/result`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("7 of 8 criteria meet senior");
    await expect(page.getByText("The gap is Consistency and correctness.")).toBeVisible();
    const criteria = page.getByRole("region", { name: "Criterion by criterion" });
    const weakest = criteria.getByRole("row").filter({ hasText: "Consistency and correctness" });
    await expect(weakest).toContainText("✕ 2 steps below");
    await expect(weakest).toContainText("Usual pitfall:");
    await expect(criteria).toContainText("Quoted from Requirements.");
    const estimates = page.getByRole("region", { name: "Your estimates" });
    const graded = (label) => estimates.getByRole("row").filter({ has: page.getByRole("rowheader", { name: label }) });
    await expect(graded("Charge requests at peak")).toContainText("✓ full");
    await expect(graded("Charge requests at peak")).toContainText("700 req/s to 1000 req/s");
    await expect(graded("Database commits at peak")).toContainText("~ partial");
    await expect(graded("Payment history online")).toContainText("✕ off");
    await expect(graded("Error budget per month")).toContainText("✕ not estimated");
    await expect(page.getByRole("region", { name: "Minutes by phase" }).getByRole("row")).toHaveCount(9);
    const reference = page.getByRole("region", { name: "The reference beside yours" });
    const requirements = reference.getByRole("region", { name: "Requirements", exact: true });
    await expect(requirements.getByRole("heading", { name: "Scope" })).toBeVisible();
    await expect(requirements.getByRole("heading", { name: "Reference" })).toBeVisible();
    await expect(reference.getByRole("region", { name: "What a staff answer adds" })).toBeVisible();
  });

  await test.step("a scored attempt takes no more changes", async () => {
    await page.goto(`/attempts/${id}/api`);
    await expect(page).toHaveURL(`/attempts/${id}/result`);
  });

  await test.step("the next action settles the form of another prompt", async () => {
    const next = page.getByRole("region", { name: "Next" });
    await expect(next).toContainText("Consistency and correctness was the weakest here.");
    await next.getByRole("link", { name: /^Practise consistency on / }).click();
    await expect(page).toHaveURL(/\/prompts\/(?!payments)[a-z-]+\?level=senior&minutes=45&way=guided&focus=consistency#start$/);
    const form = page.locator("form#start");
    await expect(form.getByRole("radio", { name: "Guided" })).toBeChecked();
    await expect(form.getByRole("radio", { name: "Senior" })).toBeChecked();
    await expect(form.getByRole("radio", { name: "45" })).toBeChecked();
    await expect(form.getByText("Opens at Consistency, the phase to work on.")).toBeVisible();
    await form.getByRole("button", { name: "Start the attempt" }).click();
    await expect(page).toHaveURL(/\/attempts\/[^/]+\/consistency$/);
    await desk.live();
    await expect(desk.heading("Consistency")).toBeVisible();
  });

  await test.step("the list of attempts", async () => {
    await page.goto("/attempts");
    await expect(page.getByRole("img", { name: "Consistency: Below the bar, once" })).toBeVisible();
    await page.getByText("The same as a table").click();
    const twin = page.getByRole("table").filter({ has: page.getByRole("columnheader", { name: "Trade-offs" }) });
    await expect(twin.getByRole("row")).toHaveCount(2);
    await expect(twin.getByRole("row").nth(1)).toContainText("Below the bar");
    const all = page.getByRole("region", { name: "All attempts" });
    await expect(all.getByRole("row")).toHaveCount(3);
    await expect(all).toContainText("7 of 8 meet senior");
    await expect(all).toContainText("open, at Consistency");
  });

  await test.step("exports", async () => {
    for (const [name, part] of [
      ["attempt.md", "# Payments processor"],
      ["attempt.json", '"headroom-attempt-1"'],
    ]) {
      const answer = await page.request.get(`/attempts/${id}/export/${name}`);
      expect(answer.headers()["content-disposition"]).toBe(`attachment; filename="payments-processor-${name}"`);
      expect(await answer.text()).toContain(part);
    }
  });
});
