// The same journey by plain forms: no script runs at all.

import { DESIGN, PHASES, Workspace, exported, start } from "../support/attempt.js";
import { answered, expect, test } from "../support/test.js";

test.use({ javaScriptEnabled: false });

test("from the home page to a scored attempt and the next action, without JavaScript", async ({ page, watch }) => {
  test.setTimeout(90_000);
  watch.allow(answered(422));
  const desk = new Workspace(page);

  await test.step("read, choose, start", async () => {
    await page.goto("/");
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Practice" }).click();
    const filter = page.getByRole("search", { name: "Filter the prompts" });
    await filter.getByLabel("Topic").selectOption({ label: "money" });
    await filter.getByRole("button", { name: "Show" }).click();
    await page.getByRole("link", { name: "Payments processor" }).click();
    // Hints open one inside the other.
    await page.getByText("Where can a success be lost on the way back?").click();
    await expect(page.getByText("What makes two requests the same request?")).toBeVisible();
    await page.getByRole("button", { name: "Start the attempt" }).click();
    await expect(page).toHaveURL(/\/attempts\/[^/]+\/requirements$/);
  });
  const id = new URL(page.url()).pathname.split("/")[2];

  await test.step("the clock is text, and nothing that needs a script is offered", async () => {
    await expect(desk.timer).toHaveText(/^\d+:\d\d$/);
    await expect(desk.clock).toContainText("of 60 minutes");
    await expect(page.getByRole("button", { name: /Commands/ })).toBeHidden();
    await expect(page.getByText("Preview", { exact: true })).toBeHidden();
  });

  await test.step("save each phase", async () => {
    for (const phase of PHASES) {
      await expect(desk.heading(phase.title)).toBeVisible();
      await expect(page.getByRole("textbox", { name: phase.field })).toHaveCount(1);
      await desk.text(phase.field).fill(DESIGN[phase.slug]);
      const next = page.getByRole("button", { name: "Save and go to the next phase" });
      if (phase.slug === "trade-offs") {
        await expect(next).toBeHidden();
        await page.getByRole("button", { name: "Save", exact: true }).click();
      } else {
        await next.click();
      }
      await expect(page.getByText(`${phase.title} saved.`)).toBeVisible();
    }
    await expect(desk.state).toHaveText(/^Saved \d\d:\d\d:\d\d UTC$/);
  });

  await test.step("the numbers", async () => {
    await desk.link("Estimates").click();
    await expect(desk.text("Notes on your estimates")).toHaveValue(DESIGN.estimates);
    // One section a page.
    await page.getByRole("link", { name: "Your numbers" }).click();
    await expect(page.getByRole("link", { name: "Notes on your estimates" })).toBeVisible();
    await page.getByLabel("Charge requests at peak").fill("= payments_per_day * peak_factor");
    await page.getByLabel("Idempotency records alive").fill("5 req/s");
    await page.getByLabel("Name of your row 1").fill("spare");
    await page.getByLabel("Value of your row 1").fill("= 1000 req/s - peak_rate");
    await page.getByRole("button", { name: "Save the numbers" }).click();
    await expect(page.getByText("Numbers saved.")).toBeVisible();
    const row = (label) => page.getByRole("row").filter({ has: page.getByLabel(label) }).getByRole("status");
    await expect(row("Charge requests at peak")).toHaveText(/= 833 req\/s/);
    await expect(row("Idempotency records alive")).toHaveText(/comes out as a rate/);
    await expect(row("Value of your row 1")).toHaveText(/= 167/);
    // A name that cannot be one is kept, and named.
    await page.getByLabel("Name of your row 1").fill("Spare room");
    await page.getByRole("button", { name: "Save the numbers" }).click();
    await expect(page.getByRole("status").filter({ hasText: "Saved, but:" })).toBeVisible();
    await expect(page.getByLabel("Name of your row 1")).toHaveValue("Spare room");
    await page.getByLabel("Name of your row 1").fill("spare");
    await page.getByRole("button", { name: "Save the numbers" }).click();
    await expect(page.getByText("Numbers saved.")).toBeVisible();
  });

  await test.step("back and forward between phases", async () => {
    await desk.link("API").click();
    await desk.link("Consistency").click();
    await page.goBack();
    await expect(desk.heading("API")).toBeVisible();
    await expect(desk.text("API")).toHaveValue(DESIGN.api);
    await page.goForward();
    await expect(desk.heading("Consistency")).toBeVisible();
  });

  await test.step("score: what is missing is named and the rest is kept", async () => {
    await page.getByRole("link", { name: "Score it" }).click();
    const groups = page.getByRole("group").filter({ has: page.getByRole("textbox") });
    for (let index = 0; index < 8; index++) {
      await groups.nth(index).getByRole("radio").nth(index === 1 ? 0 : 2).check();
      if (index > 1) await groups.nth(index).getByRole("textbox").fill(`Shown, ${index}.`);
    }
    await page.getByRole("button", { name: "Commit the scores and show the reference" }).click();
    const alert = page.getByRole("alert");
    await expect(alert).toContainText("Not committed yet. What you filled in is kept.");
    await expect(alert.getByRole("listitem")).toHaveText("Estimation: Say what in the attempt shows this level: quote it, or write a sentence.");
    await expect(groups.nth(7).getByRole("textbox")).toHaveValue("Shown, 7.");
    await expect(groups.nth(7).getByRole("radio").nth(2)).toBeChecked();
    await alert.getByRole("link", { name: "Estimation" }).click();
    await groups.first().getByRole("textbox").fill("Peak is six times the mean; renewals can be paced.");
    await page.getByRole("button", { name: "Commit the scores and show the reference" }).click();
  });

  await test.step("result, next action, attempts", async () => {
    await expect(page).toHaveURL(`/attempts/${id}/result`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("7 of 8 criteria meet senior");
    await expect(page.getByText("Quoted from Estimates.")).toBeVisible();
    await page.getByRole("link", { name: /^Practise (the )?API( contract)? on /i }).click();
    await expect(page.locator("form#start").getByText("Opens at API, the phase to work on.")).toBeVisible();
    await page.goto("/attempts");
    await expect(page.getByRole("img", { name: "API: Below the bar, once" })).toBeVisible();
    // Scoring again is another row.
    await page.getByRole("link", { name: "Payments processor" }).last().click();
    await page.getByRole("link", { name: "Score again" }).click();
    await expect(page.getByText("this score stands beside the first one")).toBeVisible();
  });
});

test("a stale save shows both versions, and both stay in the history", async ({ page, context, watch }) => {
  watch.allow(answered(409));
  const { id, path } = await start(page);
  const other = await context.newPage();
  const [here, there] = [new Workspace(page), new Workspace(other)];
  await page.goto(path);
  await other.goto(path);
  await here.text("Requirements").fill("# First\n\nwritten <here> & now");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await there.text("Requirements").fill("# Second\n\nwritten there");
  await other.getByRole("button", { name: "Save", exact: true }).click();

  await expect(other.getByRole("heading", { level: 1 })).toHaveText("Two versions of Requirements");
  await expect(other.getByRole("textbox", { name: "Your version" })).toHaveValue("# Second\n\nwritten there");
  await expect(other.getByRole("textbox", { name: "The other version" })).toHaveValue("# First\n\nwritten <here> & now");
  expect((await exported(page, id)).text("requirements")).toBe("# First\n\nwritten <here> & now");
  await other.getByRole("textbox", { name: "Your version" }).fill("# Second\n\nwritten there, with the first");
  await other.getByRole("button", { name: "Save this version" }).click();
  await expect(other.getByText("Requirements saved.")).toBeVisible();

  await other.getByRole("link", { name: "History" }).click();
  await expect(other.getByRole("heading", { level: 1 })).toHaveText("History of Requirements");
  await expect(other.getByRole("heading", { name: "Second" })).toBeVisible();
  await other.getByRole("link", { name: "Revision 1" }).click();
  await expect(other.getByRole("heading", { name: "First" })).toBeVisible();
  await expect(other.getByText("written <here> & now")).toBeVisible();
  await other.getByRole("button", { name: "Restore this revision" }).click();
  await expect(there.text("Requirements")).toHaveValue("# First\n\nwritten <here> & now");
  await other.getByRole("link", { name: "History" }).click();
  // The text that was replaced is still there.
  await other.getByRole("link", { name: "Revision 2" }).click();
  await expect(other.getByText("written there, with the first")).toBeVisible();

  // Keeping the other version changes nothing.
  await page.goto(path);
  await here.text("Requirements").fill("third");
  await other.goto(path);
  await there.text("Requirements").fill("fourth");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await other.getByRole("button", { name: "Save", exact: true }).click();
  await other.getByRole("link", { name: "Keep the other" }).click();
  await expect(there.text("Requirements")).toHaveValue("third");
});

test("an interview's hint is asked for by a form and recorded", async ({ page }) => {
  const { id, path } = await start(page, { way: "interview" });
  await page.goto(path);
  const desk = new Workspace(page);
  await desk.side.getByText("Hints", { exact: true }).first().click();
  await page.getByRole("button", { name: "Ask for a hint (7 left)" }).click();
  await expect(page).toHaveURL((url) => url.pathname === path && url.hash === "#hints");
  await expect(desk.side.getByText("Where can a success be lost on the way back?")).toBeVisible();
  await expect(page.getByRole("button", { name: "Ask for a hint (6 left)" })).toBeVisible();
  expect((await exported(page, id)).hints_asked).toBe(1);
});

test("a section of more than 64 KB comes back with a message", async ({ page, watch }) => {
  watch.allow(answered(422));
  const { path } = await start(page);
  await page.goto(path);
  const desk = new Workspace(page);
  const long = "0123456789abcdef ".repeat(3_900);
  await desk.text("Requirements").fill(long);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByRole("status").filter({ hasText: "65 KB and a section holds 64 KB" })).toBeVisible();
  await expect(desk.text("Requirements")).toHaveValue(long);
  await desk.text("Requirements").fill("short enough");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Requirements saved.")).toBeVisible();
});
