// The two further kinds of exercise: an incident step by step, and a change reviewed line by line. With scripts, and by
// plain forms. Whatever is published first of a kind is taken.

import { expectNoSidewaysScroll } from "../support/attempt.js";
import { look } from "../support/look.js";
import { answered, expect, test } from "../support/test.js";

/** Opens the list, goes to the first exercise of a kind and starts it. */
async function start(page, kind, button) {
  await page.goto("/prompts");
  await page.getByRole("main").getByRole("link", { name: "Exercises" }).click();
  await expect(page).toHaveURL("/exercises");
  await page.getByRole("region", { name: kind }).getByRole("rowheader").getByRole("link").first().click();
  await page.getByRole("button", { name: button }).click();
  await expect(page).toHaveURL(/\/exercises\/work\/[0-9a-f-]{36}$/);
}

/** Rates every criterion alike and commits. */
async function rate(page) {
  await expect(page).toHaveURL(/\/score$/);
  for (const group of await page.locator("fieldset[data-criterion]").all()) {
    await group.locator("input[value=senior]").check();
    await group.getByRole("textbox").fill("It says so in what I wrote.");
  }
  await page.getByRole("button", { name: /^Commit the ratings/ }).click();
  await expect(page).toHaveURL(/\/result$/);
}

const answer = (page) => page.getByRole("textbox", { name: "Your answer" });
const lines = (page) => page.locator("a[data-line]");
const comments = (page) => page.locator("article.comment");

/** Fills in the open form of a comment and saves it. */
async function comment(page, kind, severity, text) {
  const form = page.locator("form.comment-form:visible");
  await form.getByLabel("What it is about").selectOption({ label: kind });
  await form.getByText(severity, { exact: true }).click();
  await form.getByRole("textbox", { name: "What you would write to the author" }).fill(text);
  await form.getByRole("button", { name: "Save the comment" }).click();
  await expect(comments(page).filter({ hasText: text })).toBeVisible();
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with scripts" : "without scripts", () => {
    test.use({ javaScriptEnabled });

    test("an incident from the page to the result", async ({ page, watch }) => {
      watch.allow(answered(422));
      await start(page, "Production debugging", "Take the page");
      await page.getByRole("button", { name: /^Commit/ }).click();
      await expect(page.getByRole("alert")).toContainText("There is nothing to commit yet");
      const steps = page.locator("section.step");
      for (let shown = 2; ; shown += 1) {
        await expect(steps).toHaveCount(shown);
        const commit = page.getByRole("button", { name: /^Commit/ });
        const isLast = (await commit.textContent()).includes("last");
        await answer(page).fill(`What I conclude from ${shown - 1}.`);
        await page.getByRole("button", { name: "Save for now" }).click();
        await expect(answer(page)).toHaveValue(`What I conclude from ${shown - 1}.`);
        await commit.click();
        if (isLast) break;
      }
      await rate(page);
      await expect(page.getByRole("heading", { name: "Root cause" })).toBeVisible();
      await expect(page.getByText("What I conclude from 1.")).toBeVisible();
      await page.goto("/attempts");
      await expect(page.getByRole("region", { name: "Debugging and code review" })).toContainText(/meet senior/);
    });

    test("a review from the first comment to what was missed", async ({ page }) => {
      await start(page, "Code review", "Start the review");
      await lines(page).nth(4).click();
      await comment(page, "Security", "Blocking", "Who may call this?");
      await lines(page).nth(9).click();
      await comment(page, "Correctness", "Minor", "Why is this so?");
      await expect(comments(page)).toHaveCount(2);
      await comments(page).filter({ hasText: "Why is this so?" }).getByRole("link", { name: "Change" }).click();
      await comment(page, "Performance", "Important", "How often does this run?");
      await comments(page).filter({ hasText: "Who may" }).getByRole("button", { name: "Delete" }).click();
      await expect(comments(page)).toHaveCount(1);
      await page.getByRole("button", { name: "Finish the review" }).click();
      await rate(page);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^Found \d of \d, \d false alarms?$/);
      await expect(page.getByText("How often does this run?")).toBeVisible();
      await expect(page.getByRole("heading", { name: "What a good review says" })).toBeVisible();
    });
  });
}

test("an answer that was typed and not sent is there after a reload", async ({ page }) => {
  await start(page, "Production debugging", "Take the page");
  await answer(page).pressSequentially("Half a thought");
  await page.reload();
  await expect(answer(page)).toHaveValue("Half a thought");
  // Once committed, nothing of it is brought back into the next step.
  await page.getByRole("button", { name: /^Commit/ }).click();
  await expect(page.locator("section.step")).toHaveCount(3);
  await expect(answer(page)).toHaveValue("");
  await expect(page.getByRole("region", { name: "Kept on this device" })).toBeHidden();
});

test("of two tabs, neither loses its text", async ({ page, context, watch }) => {
  watch.allow(answered(409));
  await start(page, "Production debugging", "Take the page");
  const other = await context.newPage();
  await other.goto(page.url());
  await answer(page).fill("Of the first tab");
  await page.getByRole("button", { name: "Save for now" }).click();
  await expect(answer(page)).toHaveValue("Of the first tab");
  await answer(other).fill("Of the second tab");
  await other.getByRole("button", { name: /^Commit/ }).click();
  await expect(other.getByRole("alert")).toContainText("Of the first tab");
  await expect(answer(other)).toHaveValue("Of the second tab");
  await other.getByRole("button", { name: /^Commit/ }).click();
  await expect(other.locator("section.step")).toHaveCount(3);
});

test("a review by the keyboard alone", async ({ page }) => {
  await start(page, "Code review", "Start the review");
  const form = page.locator("form.comment-form:visible");
  const text = form.getByRole("textbox", { name: "What you would write to the author" });
  await expect(lines(page).nth(0)).toHaveAttribute("tabindex", "0");
  await expect(lines(page).nth(1)).toHaveAttribute("tabindex", "-1");
  await lines(page).nth(0).focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await expect(lines(page).nth(2)).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(text).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(form).toBeHidden();
  await expect(lines(page).nth(2)).toBeFocused();
  await page.keyboard.press("Enter");
  await page.keyboard.type("From here");
  // A second line stretches the comment.
  await lines(page).nth(5).click({ modifiers: ["Shift"] });
  const [file, last] = (await lines(page).nth(5).getAttribute("data-line")).split(":");
  await expect(form.getByLabel("to line")).toHaveValue(last);
  await expect(form.locator("[data-place]")).toHaveText(file);
  await expect(text).toHaveValue("From here");
  // What was begun is there after a reload, at its line.
  await page.reload();
  await expect(text).toHaveValue("From here");
  await expect(form.getByLabel("to line")).toHaveValue(last);
  await comment(page, "Data", "Minor", "From here to there");
  await expect(form).toBeHidden();
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing, ${colorScheme}`, async ({ page }) => {
    test.setTimeout(120_000);
    await page.emulateMedia({ colorScheme });
    await page.goto("/exercises");
    await look(page, "the list");
    await page.getByRole("region", { name: "Code review" }).getByRole("rowheader").getByRole("link").first().click();
    await look(page, "about a review");
    await start(page, "Production debugging", "Take the page");
    await answer(page).fill("A thought.");
    await page.getByRole("button", { name: /^Commit/ }).click();
    await look(page, "an incident");
    await start(page, "Code review", "Start the review");
    await lines(page).nth(4).click();
    await comment(page, "Security", "Blocking", "Who may call this?");
    await lines(page).nth(6).click();
    await look(page, "a review");
    await page.getByRole("button", { name: "Leave it" }).or(page.getByRole("link", { name: "Leave it" })).click();
    await page.getByRole("button", { name: "Finish the review" }).click();
    await look(page, "rating");
    await rate(page);
    await look(page, "the result of a review");
    for (const width of [375, 768]) {
      await page.setViewportSize({ width, height: 800 });
      await expectNoSidewaysScroll(page, width, "the result of a review");
    }
  });
}
