// Search: as one types, by the keyboard, and without a script.

import { save, start } from "../support/attempt.js";
import { expectFocusSeen } from "../support/keyboard.js";
import { expect, test } from "../support/test.js";

const field = (page) => page.locator("#q");
const hits = (page) => page.locator(".hits a.hit");

/** Until the island has taken over: what is typed finds something. */
async function live(page) {
  await expect(async () => {
    await field(page).fill("");
    await field(page).pressSequentially("quorum");
    await expect(page).toHaveURL("/search?q=quorum", { timeout: 1_000 });
  }).toPass({ timeout: 10_000 });
}

test("results come as one types, and the keyboard leads through them and back", async ({ page }) => {
  await page.goto("/search");
  await expect(field(page)).toBeFocused();
  await live(page);
  await expect(hits(page).first()).toHaveText("Quorum");
  await expect(hits(page).first().locator("mark")).toHaveText("Quorum");

  await test.step("a slip is taken for the nearest word, and said", async () => {
    await field(page).fill("idempotancy key");
    await expect(page.getByText("Shown for “idempotency key”.")).toBeVisible();
    await expect(hits(page).first()).toHaveText("Idempotency key");
    await expect(page).toHaveURL("/search?q=idempotancy%20key");
  });

  await test.step("arrows, Escape, Enter", async () => {
    await field(page).press("ArrowDown");
    await expect(hits(page).nth(0)).toBeFocused();
    await expectFocusSeen(page);
    await page.keyboard.press("ArrowDown");
    await expect(hits(page).nth(1)).toBeFocused();
    await page.keyboard.press("ArrowUp");
    await expect(hits(page).nth(0)).toBeFocused();
    await page.keyboard.press("ArrowUp");
    await expect(field(page)).toBeFocused();
    for (let step = 0; step < 3; step++) await page.keyboard.press("ArrowDown");
    await expect(hits(page).nth(2)).toBeFocused();
    await page.keyboard.press("Escape");
    await expect(field(page)).toBeFocused();
    await expect(field(page)).toHaveValue("idempotancy key");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL("/reference/glossary/idempotency-key");
  });

  await test.step("back leads to what was searched for", async () => {
    await page.goBack();
    await expect(field(page)).toHaveValue("idempotancy key");
    await expect(hits(page).first()).toHaveText("Idempotency key");
    await page.reload();
    await expect(hits(page).first()).toHaveText("Idempotency key");
  });

  await test.step("Escape empties the field, and nothing is said to be found", async () => {
    await live(page);
    await field(page).press("Escape");
    await expect(field(page)).toHaveValue("");
    await expect(hits(page)).toHaveCount(0);
    await expect(page.locator("p.empty")).toContainText("Type a word of the field");
    await field(page).fill("xylophonist");
    await expect(page.getByText("Nothing fits “xylophonist”.")).toBeVisible();
  });
});

test("an answer that comes late does not replace a later one", async ({ page }) => {
  await page.goto("/search");
  await live(page);
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route("**/api/search", async (route) => {
    if (route.request().postData().includes("tombstone")) await held;
    await route.continue();
  });
  const asked = page.waitForRequest((request) => request.url().endsWith("/api/search") && request.postData().includes("tombstone"));
  await field(page).fill("tombstone");
  await asked;
  await field(page).fill("backpressure");
  await expect(hits(page).first()).toHaveText("Backpressure");
  const late = page.waitForResponse((answer) => answer.request().postData()?.includes("tombstone"));
  release();
  await late;
  await expect(hits(page).first()).toHaveText("Backpressure");
  await expect(page).toHaveURL("/search?q=backpressure");
});

test("without a network what was found stays, and that is said", async ({ page, watch }) => {
  await page.goto("/search");
  await live(page);
  watch.allow(/api\/search/, /Failed to load resource/, /Failed to fetch/);
  await page.route("**/api/search", (route) => route.abort());
  await field(page).fill("tombstone");
  await expect(page.getByText("The server does not answer.")).toBeVisible();
  await expect(hits(page).first()).toHaveText("Quorum");
  await page.unroute("**/api/search");
  await field(page).fill("tombstones");
  await expect(hits(page).first()).toHaveText("Tombstone");
  await expect(page.getByText("The server does not answer.")).toBeHidden();
});

test("what one has written is found, and shown as text", async ({ page }) => {
  const { id } = await start(page);
  await save(page, id, "api", "The zebrafish <img src=x onerror=\"document.title='owned'\"> endpoint.");
  await page.goto("/search");
  await live(page);
  await field(page).fill("zebrafish");
  await expect(page.getByRole("heading", { name: "Your attempts" })).toBeVisible();
  await expect(hits(page)).toHaveText(["Payments processor"]);
  await expect(page.locator(".hits p")).toContainText("zebrafish <img src=x");
  await expect(page.locator(".hits img")).toHaveCount(0);
  await expect(page).not.toHaveTitle("owned");
  await hits(page).click();
  await expect(page).toHaveURL(new RegExp(`/attempts/${id}/`));
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(`${javaScriptEnabled ? "with" : "without"} JavaScript`, () => {
    test.use({ javaScriptEnabled });

    test("the box in the bar searches from any page", async ({ page }) => {
      for (const address of ["/", "/prompts/payments-processor", "/reference/levels", "/calculators/traffic", "/attempts"]) {
        await page.goto(address);
        const box = page.getByRole("banner").getByRole("searchbox", { name: "Search" });
        await box.fill("rate limiter");
        await box.press("Enter");
        await expect(page).toHaveURL("/search?q=rate+limiter");
        await expect(field(page)).toHaveValue("rate limiter");
        await expect(page.getByRole("main").getByRole("link", { name: /rate limiter/i }).first()).toBeVisible();
        await page.goBack();
        await expect(page).toHaveURL(address);
      }
      await page.goto("/search");
      await field(page).fill("tombstone");
      await page.getByRole("main").getByRole("button", { name: "Search" }).click();
      await expect(page).toHaveURL("/search?q=tombstone");
      await hits(page).first().click();
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Tombstone");
      await page.goBack();
      await expect(field(page)).toHaveValue("tombstone");
      // Another theme, the same results.
      await page.getByRole("form", { name: "Theme" }).getByRole("button", { name: "Dark" }).click();
      await expect(page).toHaveURL("/search?q=tombstone");
      await expect(hits(page).first()).toHaveText("Tombstone");
    });
  });
}
