// The interview: a strict clock, hints on record, curveballs at their minute. Time that has passed is made by moving
// the attempt back in the database; the clock itself is the server's.

import { Workspace, commitScore, expectOnServer, exported, start } from "../support/attempt.js";
import { expect, test } from "../support/test.js";

const MINUTE = 60_000;

/** Lets an attempt have begun that much earlier. */
const earlier = (server, id, millis) =>
  server.sql("UPDATE attempt SET started_at = started_at - ?, marked_at = marked_at WHERE id = ?", millis, id);
/** Lets the person have been in the present phase for that much longer. */
const longer = (server, id, millis) => server.sql("UPDATE attempt SET marked_at = marked_at - ? WHERE id = ?", millis, id);

test("a curveball arrives at its minute, quietly, and has an answer box of its own", async ({ page, server }) => {
  const { id, path } = await start(page, { way: "interview", level: "senior" });
  const desk = new Workspace(page);
  const ball = desk.phases.getByRole("link", { name: "Pay again after a 504" });
  await desk.goto(path);
  await expect(ball).toHaveCount(0);
  // Its text is not on the page before its minute.
  expect(await page.content()).not.toContain("Pay again after a 504");

  await earlier(server, id, 18 * MINUTE - 6_000 - (Date.now() - (await started(page, id))));
  await page.reload();
  await desk.live();
  await expect(desk.timer).toHaveText(/^42:0\d$/);
  await expect(ball).toHaveCount(0);
  const field = desk.text("Requirements");
  await field.click();
  await field.pressSequentially("Typed while it arrives, from the first letter to the last.", { delay: 130, timeout: 20_000 });
  await expect(ball).toBeVisible();
  await expect(field, "the focus is where it was").toBeFocused();
  await expect(field).toHaveValue("Typed while it arrives, from the first letter to the last.");
  await expect(page).toHaveURL(path);
  await expect(page.getByRole("status").filter({ hasText: "The interviewer asks: Pay again after a 504." })).toHaveCount(1);

  await ball.click();
  await expect(page).toHaveURL(`/attempts/${id}/curveball-pay-again`);
  await expect(desk.heading("Pay again after a 504")).toBeVisible();
  await expect(page.getByRole("main")).toContainText("Walk me through what each part does both times.");
  await desk.text("Pay again after a 504").pressSequentially("Once: the key is the order's.");
  await desk.saved();
  await expectOnServer(page, id, "curveball-pay-again", "Once: the key is the order's.");

  // A later one arrives on a page that was away, and one above the level never does.
  await earlier(server, id, 41 * MINUTE);
  await page.reload();
  await desk.live();
  await expect(desk.text("Pay again after a 504")).toHaveValue("Once: the key is the order's.");
  await expect(desk.phases.getByRole("link", { name: "Money that is not ours" })).toBeVisible();
  await expect(desk.phases.getByRole("link", { name: "The processor's region is lost for six hours" })).toHaveCount(0);
});

async function started(page, id) {
  return Date.parse((await exported(page, id)).started_at);
}

test("the clock counts down, turns amber over a phase's target and red at the end, and overtime is marked", async ({ page, server }) => {
  const { id, path } = await start(page, { way: "interview", level: "senior" });
  const desk = new Workspace(page);
  await desk.goto(path);
  await expect(desk.clock).toContainText("left of 60 minutes");
  await expect(desk.timer).toHaveText(/^59:\d\d$/);
  const first = await desk.timer.textContent();
  await expect(desk.timer).not.toHaveText(first);
  await expect(desk.clock).toHaveAttribute("data-tone", "calm");

  // Six minutes in a phase of five.
  await longer(server, id, 6 * MINUTE);
  await page.reload();
  await desk.live();
  await expect(desk.clock).toHaveAttribute("data-tone", "amber");
  await expect(desk.clock).toContainText("This phase is over its target.");
  await expect(desk.link("Requirements")).toContainText("6 / 5");
  await expect(desk.link("Requirements")).toContainText("over the target");
  await desk.link("API").click();
  await expect(desk.clock).toHaveAttribute("data-tone", "calm");
  await desk.text("API").fill("In time.");
  await desk.saved();

  // A second tab has the same clock.
  const other = await page.context().newPage();
  const second = new Workspace(other);
  await second.goto(`/attempts/${id}/api`);
  const seconds = async (timer) => {
    const [minutes, rest] = (await timer.textContent()).split(":");
    return Number(minutes) * 60 + Number(rest);
  };
  expect(Math.abs((await seconds(second.timer)) - (await seconds(desk.timer)))).toBeLessThanOrEqual(2);
  await other.close();

  // A second before the end, on the open page.
  await earlier(server, id, 60 * MINUTE - 4_000 - (Date.now() - (await started(page, id))));
  await page.reload();
  await desk.live();
  await expect(desk.clock).toHaveAttribute("data-tone", "calm");
  await expect(desk.clock).toHaveAttribute("data-tone", "red");
  await expect(desk.clock).toContainText("Time is up. Go on if you like: it counts as overtime.");
  await expect(desk.clock).toContainText("overtime after 60 minutes");
  await expect(desk.timer).toHaveText(/^\+0:0\d$/);

  await desk.link("Consistency").click();
  await desk.text("Consistency").fill("Written in overtime.");
  await desk.saved();
  await commitScore(page, id);
  await page.goto(`/attempts/${id}/result`);
  const minutes = page.getByRole("region", { name: "Minutes by phase" });
  const row = (title) => minutes.getByRole("row").filter({ has: page.getByRole("rowheader", { name: title }) });
  await expect(row("Consistency")).toContainText("changed in overtime");
  await expect(row("API")).not.toContainText("overtime");
  await expect(row("Requirements")).toContainText("6");
});

test("a hint is shown only when asked for, and is on record", async ({ page }) => {
  const { id, path } = await start(page, { way: "interview" });
  const desk = new Workspace(page);
  await desk.goto(path);
  await expect(desk.side.getByText("Looked for", { exact: true })).toHaveCount(0);
  expect(await page.content()).not.toContain("Where can a success be lost on the way back?");
  // What is being written is not lost to asking, and the section stays open.
  await desk.link("API").click();
  await desk.text("API").pressSequentially("POST /payments");
  await desk.side.getByText("Hints", { exact: true }).first().click();
  await page.getByRole("button", { name: "Ask for a hint (7 left)" }).click();
  await expect(desk.side.getByText("Follow one charge from the customer's screen")).toBeVisible();
  await desk.live();
  await expect(desk.heading("API")).toBeVisible();
  await expect(desk.text("API")).toHaveValue("POST /payments");
  await page.getByRole("button", { name: "Ask for a hint (6 left)" }).click();
  await expect(desk.side.getByText("What makes two requests the same request?")).toBeVisible();
  await expect(desk.side.getByText("Follow one charge from the customer's screen")).toBeVisible();
  await desk.live();
  await desk.saved();
  await expect(desk.versions).toBeHidden();
  await expectOnServer(page, id, "api", "POST /payments");
  expect((await exported(page, id)).hints_asked).toBe(2);
  await commitScore(page, id);
  await page.goto(`/attempts/${id}/result`);
  await expect(page.getByText("2 hints were asked for.")).toBeVisible();
});

test("an untimed attempt has a clock that only counts", async ({ page }) => {
  const { path } = await start(page, { minutes: "untimed" });
  const desk = new Workspace(page);
  await desk.goto(path);
  await expect(desk.clock).toContainText("untimed");
  await expect(desk.timer).toHaveText(/^0:\d\d$/);
});
