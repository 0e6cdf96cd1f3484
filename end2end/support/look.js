// What axe finds on a page, and the choice of the theme.

import { AxeBuilder } from "@axe-core/playwright";
import { expect } from "./test.js";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const WIDTHS = [1280, 375];

/** Collects what axe finds on the present page at both widths. */
export async function look(page, what, widths = WIDTHS) {
  for (const width of widths) {
    await page.setViewportSize({ width, height: 800 });
    // Colours that fade are judged when they have arrived.
    await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {}))));
    // No page has frames, so axe may run in the page alone, which takes half the time.
    const { violations } = await new AxeBuilder({ page })
      .setLegacyMode(true)
      .options({ runOnly: RULES, resultTypes: ["violations"] })
      .analyze();
    const found = violations.flatMap(({ id, impact, nodes }) =>
      nodes.map((node) => `${id} (${impact}): ${node.target.join(" ")} ${node.failureSummary?.split("\n")[1]?.trim() ?? ""}`),
    );
    expect.soft(found, `${what} at ${width} px`).toEqual([]);
  }
  await page.setViewportSize({ width: WIDTHS[0], height: 800 });
}

/** Chooses the theme as a person does. */
export async function choose(page, theme) {
  await page.goto("/");
  await page.getByRole("form", { name: "Theme" }).getByRole("button", { name: theme }).click();
  await expect(page.getByRole("form", { name: "Theme" }).getByRole("button", { name: theme })).toHaveAttribute("aria-pressed", "true");
}
