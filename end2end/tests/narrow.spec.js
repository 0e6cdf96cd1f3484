// A phone: the whole attempt by touch, one panel at a time, and no page that scrolls sideways.

import { DESIGN, PHASES, Workspace, commitScore, expectNoSidewaysScroll, save, start } from "../support/attempt.js";
import { answered, expect, test } from "../support/test.js";

test.use({ viewport: { width: 375, height: 720 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });

test("the whole attempt by touch at 375 px", async ({ page }) => {
  test.setTimeout(90_000);
  const desk = new Workspace(page);
  const bar = page.getByRole("navigation", { name: "Panels" });
  const tab = (name) => bar.getByText(name, { exact: true });

  await page.goto("/");
  await page.getByRole("link", { name: /^Start with/ }).tap();
  await page.getByRole("link", { name: "Start an attempt" }).tap();
  await expect(page.getByRole("button", { name: "Start the attempt" })).toBeInViewport();
  await page.getByText("Staff", { exact: true }).tap();
  await page.getByText("90", { exact: true }).tap();
  await page.getByRole("button", { name: "Start the attempt" }).tap();
  await desk.live();
  await expect(desk.text("Requirements")).toBeVisible();
  await expect(desk.side).toBeHidden();
  for (const name of ["Phases", "Write", "Prompt"]) {
    const box = await tab(name).boundingBox();
    expect(box.height, `${name} is large enough to touch`).toBeGreaterThanOrEqual(44);
    expect(box.y + box.height, `${name} is at the bottom`).toBeGreaterThan(700);
  }

  for (const phase of PHASES) {
    await tab("Phases").tap();
    await expect(desk.text(phase.field)).toBeHidden();
    await expect(desk.timer).toBeVisible();
    await desk.link(phase.title).tap();
    await expect(desk.heading(phase.title)).toBeVisible();
    await expect(desk.timer, "the clock is there while writing").toBeVisible();
    await desk.text(phase.field).tap();
    await desk.text(phase.field).fill(DESIGN[phase.slug]);
    await desk.saved();
    await expectNoSidewaysScroll(page, 375, phase.title);
  }
  await tab("Phases").tap();
  await desk.link("Estimates").tap();
  await page.getByLabel("Charge requests at peak").fill("850 req/s");
  await desk.saved();
  await page.getByText("Preview", { exact: true }).tap();
  await expect(desk.preview).toContainText("renewals can be paced");
  await page.getByText("Write", { exact: true }).first().tap();

  await tab("Prompt").tap();
  await expect(desk.side.getByRole("heading", { name: "Payments processor" })).toBeVisible();
  await expect(desk.timer, "the clock is there while reading").toBeVisible();
  await desk.side.getByText("Looked for", { exact: true }).tap();
  await expect(desk.side.getByRole("heading", { name: "Looked for at Staff" })).toBeVisible();
  await expectNoSidewaysScroll(page, 375, "the side panel");

  await page.getByRole("link", { name: "Score it" }).tap();
  const groups = page.getByRole("group").filter({ has: page.getByRole("textbox") });
  await expect(groups).toHaveCount(8);
  for (let index = 0; index < 8; index++) {
    await groups.nth(index).locator("label").filter({ has: page.getByRole("radio") }).nth(1).tap();
    await expect(groups.nth(index).getByRole("radio").nth(1)).toBeChecked();
    await groups.nth(index).getByRole("textbox").fill("Shown.");
  }
  await page.getByRole("button", { name: "Commit the scores and show the reference" }).tap();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("0 of 8 criteria meet staff");
  await page.getByRole("link", { name: /^Practise / }).tap();
  await expect(page.locator("form#start")).toBeInViewport();
});

test("no page scrolls sideways at 320 or 375 px", async ({ page, watch }) => {
  test.setTimeout(90_000);
  watch.allow(answered(404), answered(422), answered(409));
  const long = `${"W".repeat(300)} ${"https://example.org/".repeat(20)}\n\n| a | b |\n|---|---|\n| ${"x".repeat(200)} | y |\n\n\`\`\`\n${"code ".repeat(80)}\n\`\`\``;
  const { id, path } = await start(page);
  await save(page, id, "requirements", long);
  await save(page, id, "requirements", `${long} more`, 1);
  const scored = await start(page, { prompt: "news-feed", way: "interview", level: "staff" });
  await save(page, scored.id, "api", long);
  await commitScore(page, scored.id);

  const pages = [
    "/",
    "/prompts",
    "/prompts?level=mid&topic=geo",
    "/prompts/payments-processor",
    "/prompts/distributed-rate-limiter",
    "/prompts/news-feed?level=staff&minutes=45&way=interview&focus=api",
    "/prompts/ride-dispatch",
    path,
    `/attempts/${id}/estimates`,
    `/attempts/${id}/requirements/history`,
    `/attempts/${id}/score`,
    `/attempts/${scored.id}/result`,
    "/attempts",
    "/nowhere",
  ];
  for (const address of pages) {
    await page.goto(address);
    for (const width of [375, 320]) {
      await page.setViewportSize({ width, height: 720 });
      await expectNoSidewaysScroll(page, width, address);
    }
  }

  // The panels and the states of the workspace, one by one.
  const desk = new Workspace(page);
  await desk.goto(path);
  for (const width of [375, 320]) {
    await page.setViewportSize({ width, height: 720 });
    for (const panel of ["Phases", "Prompt", "Write"]) {
      await page.getByRole("navigation", { name: "Panels" }).getByText(panel, { exact: true }).tap();
      await expectNoSidewaysScroll(page, width, `the panel ${panel}`);
    }
    await page.getByText("Preview", { exact: true }).tap();
    await expect(desk.preview.getByRole("table")).toBeVisible();
    await expectNoSidewaysScroll(page, width, "the preview");
    await page.getByText("Write", { exact: true }).first().tap();
  }

  // Two versions, by the island and by the form.
  await save(page, id, "requirements", `${long} elsewhere`, 2);
  await page.route("**/api/pulse", () => {});
  await desk.text("Requirements").pressSequentially("here");
  await expect(desk.versions).toBeVisible();
  for (const width of [375, 320]) {
    await page.setViewportSize({ width, height: 720 });
    await expectNoSidewaysScroll(page, width, "two versions");
  }
});
