// The keyboard alone: where the focus is, and whether that can be seen.

import { expect } from "./test.js";

/** What has the focus, whether that can be seen, and a name to tell it by. */
export const focus = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    const seen = (candidate) => {
      if (!candidate) return false;
      const style = getComputedStyle(candidate);
      return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    };
    // A radio button inside a segment shows its focus on the label around it.
    const visible = [element, element.closest("label"), element.parentElement].some(seen);
    const box = element.getBoundingClientRect();
    return {
      lost: element === document.body,
      visible,
      name: `${element.tagName.toLowerCase()} ${element.id || element.textContent.trim().slice(0, 40) || element.name}`,
      inWindow: box.bottom > 0 && box.top < innerHeight,
    };
  });

/** At once or when what was asked for has been drawn. */
export async function expectFocusSeen(page) {
  await expect(async () => {
    const now = await focus(page);
    expect(now.lost, "the focus is somewhere").toBe(false);
    expect(now.visible, `the focus can be seen on ${now.name}`).toBe(true);
    expect(now.inWindow, `${now.name} is in the window`).toBe(true);
  }).toPass({ timeout: 2_000 });
}

/** Goes on with Tab until the target has the focus; on the way it is seen at every stop. */
export async function tabTo(page, target, key = "Tab", most = 80) {
  for (let step = 0; step < most; step++) {
    await page.keyboard.press(key);
    const now = await focus(page);
    // Between the last and the first element the browser itself has the focus.
    if (!now.lost) expect(now.visible, `the focus can be seen on ${now.name}`).toBe(true);
    if (await target.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`${target} was not reached with ${key}`);
}
