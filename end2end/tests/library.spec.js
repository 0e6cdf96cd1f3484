// The library: its pages under axe and on a phone, terms that explain themselves, levels and pay compared, the roadmap
// ticked, and an attempt at a variant of a prompt.

import { Workspace, commitScore, expectNoSidewaysScroll, exported } from "../support/attempt.js";
import { signUp } from "../support/account.js";
import { expectFocusSeen, tabTo } from "../support/keyboard.js";
import { choose, look } from "../support/look.js";
import { expect, test } from "../support/test.js";

/** The addresses in a page's main part that begin so, each once. */
async function addresses(page, from, start) {
  const html = await (await page.request.get(from)).text();
  const main = html.slice(html.indexOf("<main"));
  const found = [...main.matchAll(/href="([^"#?]+)"/g)].map((match) => match[1]);
  return [...new Set(found.filter((address) => address.startsWith(start)))];
}

const shelf = async (page) => ["/reference", ...(await addresses(page, "/reference", "/reference/"))];
const calculators = async (page) => ["/calculators", ...(await addresses(page, "/calculators", "/calculators/"))];
const prompts = async (page) => addresses(page, "/prompts", "/prompts/");
const terms = async (page) => addresses(page, "/reference/glossary", "/reference/glossary/");

const openAll = (page) => page.evaluate(() => document.querySelectorAll("main details").forEach((details) => (details.open = true)));

for (const theme of ["Light", "Dark"]) {
  test.describe(theme.toLowerCase(), () => {
    test.describe.configure({ timeout: 240_000 });

    for (const [what, list] of Object.entries({ shelf, calculators })) {
      test(`the ${what}, ${theme.toLowerCase()}`, async ({ page }) => {
        await choose(page, theme);
        for (const address of await list(page)) {
          await page.goto(address);
          await openAll(page);
          await look(page, address);
        }
      });
    }

    test(`terms, search and what the shelf answers, ${theme.toLowerCase()}`, async ({ page }) => {
      await choose(page, theme);
      await signUp(page);
      for (const address of [
        "/reference/glossary/idempotency-key",
        "/reference/levels?a=mid&b=staff",
        "/reference/levels?a=boss&b=staff",
        "/reference/compensation?sort=total&order=desc&company=stripe&level=senior&place=remote&with=google&with-level=mid",
        "/reference/loops?level=mid&company=stripe",
        "/reference/loops?level=senior&company=stripe",
        "/reference/roadmap",
        "/reference/reading",
        "/search",
        "/search?q=idempotancy",
        "/search?q=xylophonist",
        "/calculators/traffic?dau=5+GB&colour=red",
      ]) {
        const [answer] = await Promise.all([page.request.get(address), page.goto(address)]);
        expect([200, 422], address).toContain(answer.status());
        await openAll(page);
        await look(page, address);
      }
    });
  });
}
// The last address above answers 422 on purpose.
test.beforeEach(async ({ watch }) => watch.allow(/the server responded with a status of 422/));

test.describe("on a phone", () => {
  test.use({ viewport: { width: 375, height: 720 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });

  test("no page of the library scrolls sideways", async ({ page }) => {
    test.setTimeout(240_000);
    const all = [
      "/",
      "/prompts",
      "/search?q=queue",
      ...(await shelf(page)),
      ...(await calculators(page)),
      ...(await prompts(page)),
      ...(await terms(page)),
      "/reference/compensation?sort=total&order=desc&company=stripe&level=senior&place=remote",
      "/reference/levels?a=junior&b=distinguished",
    ];
    expect(all.length).toBeGreaterThan(150);
    for (const address of all) {
      await page.goto(address);
      await openAll(page);
      await expectNoSidewaysScroll(page, 375, address);
    }
  });

  test("a term is a link by touch", async ({ page }) => {
    await page.goto("/prompts/payments-processor");
    const term = page.locator("main a.term").first();
    const to = await term.getAttribute("href");
    await term.tap();
    await expect(page).toHaveURL(to);
    await expect(page.getByRole("heading", { name: "Why an interviewer asks" })).toBeVisible();
    await expectNoSidewaysScroll(page, 375, to);
  });
});

/** What stands in the box that a term shows, or nothing. */
const definition = (term) =>
  term.evaluate((element) => {
    const style = getComputedStyle(element, "::after");
    return ["none", "normal"].includes(style.content) ? null : JSON.parse(style.content);
  });

for (const javaScriptEnabled of [true, false]) {
  test.describe(`${javaScriptEnabled ? "with" : "without"} JavaScript`, () => {
    test.use({ javaScriptEnabled });

    test("a term shows its definition where a pointer rests and where the keyboard stands", async ({ page }) => {
      await page.goto("/prompts/payments-processor");
      const all = page.locator("main a.term:visible");
      expect(await all.count()).toBeGreaterThan(3);
      const term = all.first();
      const said = await term.getAttribute("data-def");
      expect(said.length).toBeGreaterThan(40);
      expect(await definition(term)).toBeNull();
      await term.hover();
      await expect.poll(() => definition(term)).toBe(said);
      await expectNoSidewaysScroll(page, 1280, "with a definition shown");
      await page.mouse.move(2, 2);
      await expect.poll(() => definition(term)).toBeNull();

      await tabTo(page, term);
      await expectFocusSeen(page);
      await expect.poll(() => definition(term)).toBe(said);
      const to = await term.getAttribute("href");
      await page.keyboard.press("Enter");
      await expect(page).toHaveURL(to);
      const lead = (await page.locator("main .lead").innerText()).replace(/\s+/g, " ");
      expect(lead).toBe(said);
      // The answer to the question is closed until it is asked for.
      const answer = page.getByText("Answer", { exact: true });
      await expect(page.locator("details p")).toBeHidden();
      await answer.click();
      await expect(page.locator("details p")).toBeVisible();
    });

    test("levels and pay are compared, and pay is sorted", async ({ page }) => {
      await page.goto("/reference/levels");
      const levels = page.getByRole("main").locator("form.filter");
      await levels.locator("select").nth(0).selectOption({ label: "Mid" });
      await levels.locator("select").nth(1).selectOption({ label: "Staff" });
      await levels.getByRole("button").click();
      await expect(page).toHaveURL(/a=mid&b=staff/);
      await expect(page.locator(".versus thead th")).toHaveText([/.*/, "Mid", "Staff"]);

      await page.goto("/reference/compensation");
      const first = page.locator(".pay tbody tr").first();
      const heading = (name) => page.locator(".pay").getByRole("columnheader", { name: new RegExp(`^${name}`) });
      await heading("Total").getByRole("link").click();
      await expect(heading("Total")).toHaveAttribute("aria-sort", "descending");
      await expect(first).toContainText("Anthropic");
      await heading("Total").getByRole("link").click();
      await expect(heading("Total")).toHaveAttribute("aria-sort", "ascending");
      await expect(first).not.toContainText("Anthropic");

      const offers = page.getByRole("form", { name: "Choose two offers" });
      await offers.getByLabel("Company").nth(0).selectOption({ label: "Stripe" });
      await offers.getByLabel("Company").nth(1).selectOption({ label: "Snowflake" });
      await offers.getByRole("button").click();
      await expect(page.locator(".offers-found tbody tr").first()).toContainText("Stripe");
      await expect(page.locator(".offers-found tbody tr").nth(1)).toContainText("Snowflake");
      // The order of the table was kept, and back leads back.
      await expect(heading("Total")).toHaveAttribute("aria-sort", "ascending");
      await page.goBack();
      await expect(page.locator(".offers-found tbody tr").first()).not.toContainText("Stripe");
    });

    test("who is signed in ticks milestones and what they have read", async ({ page }) => {
      await page.goto("/reference/roadmap");
      await expect(page.getByRole("button", { name: /^Reached/ })).toHaveCount(0);
      await expect(page.getByRole("link", { name: "Sign in to keep track" })).toHaveAttribute("href", "/sign-in?next=/reference/roadmap");
      await signUp(page);
      for (const [address, done] of [
        ["/reference/roadmap", "Reached"],
        ["/reference/reading", "Read"],
      ]) {
        await page.goto(address);
        const ticks = page.getByRole("button", { name: new RegExp(`^${done}:`) });
        const all = await ticks.count();
        const progress = page.locator(".progress");
        await expect(progress).toContainText(`0 of ${all}`);
        await ticks.nth(1).click();
        await expect(progress).toContainText(`1 of ${all}`);
        await expect(ticks.nth(1)).toHaveAttribute("aria-pressed", "true");
        // By the keyboard, one more; both are there again, and one is taken back.
        await ticks.nth(2).focus();
        await page.keyboard.press("Space");
        await expect(progress).toContainText(`2 of ${all}`);
        await page.goto(address);
        await expect(progress).toContainText(`2 of ${all}`);
        await ticks.nth(1).click();
        await expect(progress).toContainText(`1 of ${all}`);
        await expect(ticks.nth(1)).toHaveAttribute("aria-pressed", "false");
        await expect(ticks.nth(2)).toHaveAttribute("aria-pressed", "true");
      }
    });

    test("an attempt at a variant, from its choice to its answer", async ({ page }) => {
      await page.goto("/prompts/payments-processor");
      const start = page.locator("form#start");
      const variant = (await start.getByLabel("Variant").locator("option").nth(2).innerText()).trim();
      await start.getByLabel("Variant").selectOption({ index: 2 });
      await start.getByRole("button", { name: "Start the attempt" }).click();
      const desk = new Workspace(page);
      await expect(desk.heading("Requirements")).toBeVisible();
      const id = new URL(page.url()).pathname.split("/")[2];
      await expect(desk.side.getByRole("heading", { name: `Variant: ${variant}` })).toBeVisible();
      await expect(desk.side.getByRole("table", { name: "The scale" })).toContainText("120 M / day");
      await page.goto("/attempts");
      await expect(page.getByRole("rowheader").getByRole("link")).toHaveText([`Payments processor · ${variant}`]);
      await commitScore(page, id);
      await page.goto(`/attempts/${id}/result`);
      await expect(page.getByRole("heading", { name: `The variant: ${variant}` })).toBeVisible();
      await expect(page.getByRole("heading", { name: "What it changes in the reference" })).toBeVisible();
      // The other variants are what there is left to take.
      const left = page.locator("section.next li a");
      await expect(left).not.toHaveCount(0);
      await expect(left.filter({ hasText: variant })).toHaveCount(0);
      const other = (await left.first().innerText()).trim();
      await left.first().click();
      await expect(page.locator("form#start")).toBeInViewport();
      await expect(page.getByLabel("Variant").locator("option:checked")).toHaveText(other);
      expect((await exported(page, id)).variant).toBe("small-purchases");
    });
  });
}
