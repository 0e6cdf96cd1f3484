// The keyboard alone: everything is reached, the focus can always be seen, and it is never lost.

import { PHASES, Workspace, digitsWork, save, start } from "../support/attempt.js";
import { expectFocusSeen, focus, tabTo } from "../support/keyboard.js";
import { expect, test } from "../support/test.js";

test("start, write, find commands, score: by keys alone", async ({ page }) => {
  test.setTimeout(90_000);
  const desk = new Workspace(page);

  await test.step("the skip link and a start by keys", async () => {
    await page.goto("/prompts/payments-processor");
    await page.keyboard.press("Tab");
    const skip = page.getByRole("link", { name: "Skip to the content" });
    await expect(skip).toBeFocused();
    await expect(skip).toBeInViewport();
    await expectFocusSeen(page);
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/#main$/);
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.querySelector("main").contains(document.activeElement))).toBe(true);
    await tabTo(page, page.getByRole("radio", { name: "Guided" }));
    await page.keyboard.press("ArrowRight");
    await expect(page.getByRole("radio", { name: "Interview" })).toBeChecked();
    await page.keyboard.press("ArrowLeft");
    await tabTo(page, page.getByRole("radio", { name: "Senior" }));
    await page.keyboard.press("ArrowRight");
    await expect(page.getByRole("radio", { name: "Staff" })).toBeChecked();
    await tabTo(page, page.getByRole("button", { name: "Start the attempt" }));
    await page.keyboard.press("Enter");
    await desk.live();
  });

  await test.step("every stop of the workspace shows its focus", async () => {
    await page.keyboard.press("Tab");
    await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
    const stops = [];
    for (let step = 0; step < 60; step++) {
      await page.keyboard.press("Tab");
      const now = await focus(page);
      if (now.lost || now.name.includes("Skip to the content")) break;
      expect(now.visible, `the focus can be seen on ${now.name}`).toBe(true);
      expect(now.inWindow, `${now.name} is in the window`).toBe(true);
      stops.push(now.name);
    }
    expect(stops.length, stops.join("\n")).toBeGreaterThan(15);
    await page.keyboard.press("Escape");
  });

  await test.step("phases by ] and [", async () => {
    await desk.link("Requirements").focus();
    for (const phase of PHASES.slice(1)) {
      await page.keyboard.press("]");
      await expect(desk.heading(phase.title)).toBeVisible();
      await expect(page).toHaveURL(new RegExp(`/${phase.slug}$`));
      await expectFocusSeen(page);
    }
    await page.keyboard.press("]");
    await expect(desk.heading(PHASES[7].title)).toBeVisible();
    await page.keyboard.press("[");
    await expect(desk.heading(PHASES[6].title)).toBeVisible();
    await expect(page).toHaveTitle(/^Consistency · Payments processor · Headroom$/);
  });

  await test.step("phases by Alt and arrows while typing", async () => {
    await desk.text("Consistency").focus();
    await page.keyboard.type("One constraint for each period [and] a key?");
    await page.keyboard.press("Alt+ArrowUp");
    await expect(desk.heading("Failure modes")).toBeVisible();
    // The hands go on: the text of the new phase has the focus.
    await expectFocusSeen(page);
    await expect(desk.text("Failure modes")).toBeFocused();
    await page.keyboard.type("A timeout is not a decline.");
    await page.keyboard.press("Alt+ArrowDown");
    await expect(desk.text("Consistency")).toBeFocused();
    await expect(desk.text("Consistency")).toHaveValue("One constraint for each period [and] a key?");
    await desk.saved();
  });

  await test.step("save, undo, preview and side panel by keys", async () => {
    await page.keyboard.press("ControlOrMeta+End");
    await page.keyboard.type(" And more.");
    await page.keyboard.press("ControlOrMeta+s");
    await desk.saved();
    await page.keyboard.press("ControlOrMeta+z");
    await expect(desk.text("Consistency")).not.toHaveValue(/And more\.$/);
    await page.keyboard.press("ControlOrMeta+Shift+z");
    await expect(desk.text("Consistency")).toHaveValue(/And more\.$/);
    await page.keyboard.press("Alt+p");
    await expect(desk.preview).toContainText("One constraint for each period");
    await expect(desk.text("Consistency")).toBeFocused();
    await page.keyboard.press("Alt+p");
    await expect(desk.text("Consistency")).toBeHidden();
    await expectFocusSeen(page);
    await page.keyboard.press("Alt+p");
    await expect(desk.text("Consistency")).toBeVisible();
    await page.keyboard.press("Alt+s");
    await expect(desk.side).toBeHidden();
    await page.keyboard.press("Alt+s");
    await expect(desk.side).toBeVisible();
  });

  await test.step("the palette", async () => {
    const before = desk.text("Consistency");
    await before.focus();
    await page.keyboard.press("ControlOrMeta+k");
    await expect(desk.palette).toBeVisible();
    await expect(desk.palette.getByRole("combobox")).toBeFocused();
    await expectFocusSeen(page);
    await page.keyboard.press("Escape");
    await expect(desk.palette).toBeHidden();
    await expect(before, "the focus comes back").toBeFocused();

    await page.keyboard.press("ControlOrMeta+k");
    await page.keyboard.type("zzz");
    await expect(desk.palette.getByText("No command has these words.")).toBeVisible();
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("go to");
    await page.keyboard.press("ArrowDown");
    await expect(desk.palette.getByRole("option").nth(1)).toHaveAttribute("aria-selected", "true");
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("data model");
    await expect(desk.palette.getByRole("option")).toHaveCount(1);
    await page.keyboard.press("Enter");
    await expect(desk.palette).toBeHidden();
    await expect(desk.heading("Data model")).toBeVisible();
    await expectFocusSeen(page);
    // Closed by Escape, it starts anew the next time.
    await page.keyboard.press("ControlOrMeta+k");
    await page.keyboard.type("export");
    await page.keyboard.press("Escape");
    await page.keyboard.press("ControlOrMeta+k");
    await expect(desk.palette.getByRole("combobox")).toHaveValue("");
    await page.keyboard.press("Escape");
  });

  await test.step("the sheet of shortcuts", async () => {
    await desk.link("API").focus();
    await page.keyboard.press("?");
    await expect(desk.shortcuts).toBeVisible();
    await expect(desk.shortcuts).toContainText("Previous phase");
    await page.keyboard.press("]");
    await expect(desk.heading("Data model"), "a dialog takes no shortcuts").toBeAttached();
    await page.keyboard.press("Escape");
    await expect(desk.shortcuts).toBeHidden();
    await expect(desk.link("API")).toBeFocused();
    await page.keyboard.press("?");
    await page.keyboard.press("Enter");
    await expect(desk.shortcuts).toBeHidden();
    await expect(desk.link("API")).toBeFocused();
    // In a text it is a question mark, and Escape leaves the text.
    await desk.text("Data model").focus();
    await page.keyboard.type("Which key? [a]");
    await expect(desk.shortcuts).toBeHidden();
    await expect(desk.text("Data model")).toHaveValue("Which key? [a]");
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await expect(desk.shortcuts).toBeVisible();
    await page.keyboard.press("Escape");
    await desk.saved();
  });

  await test.step("to the score page and through it", async () => {
    await desk.text("Data model").focus();
    await page.keyboard.press("ControlOrMeta+Enter");
    await expect(page).toHaveURL(/\/score$/);
    await expect(page.getByText("Digits 1 to 4 choose a level.")).toBeVisible();
    const groups = page.getByRole("group").filter({ has: page.getByRole("textbox") });
    await digitsWork(page, groups.first());
    await page.getByRole("link", { name: "Skip to the content" }).focus();
    for (let index = 0; index < 8; index++) {
      const chosen = groups.nth(index).getByRole("radio", { checked: true });
      await tabTo(page, (await chosen.count()) ? chosen : groups.nth(index).getByRole("radio").first());
      await page.keyboard.press("4");
      await expect(groups.nth(index).getByRole("radio").nth(3)).toBeChecked();
      await expectFocusSeen(page);
      await page.keyboard.press("2");
      await expect(groups.nth(index).getByRole("radio").nth(1)).toBeChecked();
      await tabTo(page, groups.nth(index).getByRole("textbox"));
      await page.keyboard.type("Shown in 3 places.");
    }
    await tabTo(page, page.getByRole("button", { name: "Commit the scores and show the reference" }));
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/\/result$/);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("0 of 8 criteria meet staff");
    await tabTo(page, page.getByRole("link", { name: /^Practise / }));
  });
});

test("the decision between two versions can be made by keys", async ({ page, watch }) => {
  watch.allow(/status of 409/);
  const { id, path } = await start(page);
  const desk = new Workspace(page);
  await page.route("**/api/pulse", () => {});
  await desk.goto(path);
  await save(page, id, "requirements", "Elsewhere.");
  await desk.text("Requirements").pressSequentially("Here.");
  await expect(desk.versions).toBeVisible();
  await expect(desk.text("Requirements"), "the typing is not interrupted").toBeFocused();
  await tabTo(page, desk.versions.getByRole("button", { name: "Take the other" }), "Shift+Tab");
  await page.keyboard.press("Enter");
  await expect(desk.versions).toBeHidden();
  await expect(desk.text("Requirements")).toHaveValue("Elsewhere.");
  await expectFocusSeen(page);
});
