// Nothing that was typed is lost: reload, crash, a dead network, a killed server, two tabs, a slow start, limits.

import { STATE, Workspace, expectOnServer, exported, save, start } from "../support/attempt.js";
import { NETWORK_AWAY, answered, expect, test, testWithOwnServer } from "../support/test.js";

const LINE = "Charges are idempotent by key and period. ";

/** Every text that the history of a section holds. */
async function history(page, id, section) {
  const path = `/attempts/${id}/${section}/history`;
  const html = await (await page.request.get(path)).text();
  const numbers = [...html.matchAll(/history\?revision=(\d+)/g)].map((match) => match[1]);
  return Promise.all(
    numbers.map(async (number) => {
      const opened = await (await page.request.get(`${path}?revision=${number}`)).text();
      return opened.slice(opened.indexOf("<article"));
    }),
  );
}

test.describe("reload and crash", () => {
  test("a reload within 200 ms of the last key loses nothing", async ({ page }) => {
    const { id, path } = await start(page);
    const desk = new Workspace(page);
    await desk.goto(path);
    await desk.text("Requirements").pressSequentially(LINE);
    const typed = Date.now();
    const asked = page.waitForRequest((request) => request.isNavigationRequest()).then(() => Date.now());
    await page.reload({ waitUntil: "commit" });
    expect((await asked) - typed, "the reload was quick").toBeLessThan(200);
    await desk.live();
    await expect(desk.text("Requirements")).toHaveValue(LINE);
    await desk.saved();
    await expectOnServer(page, id, "requirements", LINE);
  });

  test("typing goes on at once after a reload, and no second version appears", async ({ page, watch }) => {
    // What the page sent as it went may arrive after the new one was rendered; the next save learns of it by a refusal.
    watch.allow(answered(409));
    const { id, path } = await start(page);
    const desk = new Workspace(page);
    await desk.goto(path);
    const field = desk.text("Requirements");
    await field.pressSequentially(LINE);
    await desk.saved();
    await field.pressSequentially("One. ");
    await page.reload();
    await desk.live();
    await field.press("ControlOrMeta+End");
    await field.pressSequentially("Two. ", { delay: 20 });
    await expect(field).toHaveValue(`${LINE}One. Two. `);
    await desk.saved();
    await expect(desk.versions).toBeHidden();
    await expectOnServer(page, id, "requirements", `${LINE}One. Two. `);
  });

  test("numbers typed right before a reload are not lost", async ({ page }) => {
    const { id, path } = await start(page, { focus: "estimates" });
    const desk = new Workspace(page);
    await desk.goto(path);
    await page.getByLabel("Charge requests at peak").pressSequentially("850 req/s");
    await page.getByLabel("Name of your row 1").fill("spare");
    await page.getByLabel("Value of your row 1").pressSequentially("150 req/s");
    await page.reload();
    await desk.live();
    await expect(page.getByLabel("Charge requests at peak")).toHaveValue("850 req/s");
    await expect(page.getByLabel("Name of your row 1")).toHaveValue("spare");
    await expect(page.getByLabel("Value of your row 1")).toHaveValue("150 req/s");
    await desk.saved();
    await expectOnServer(page, id, "worksheet", "peak_rate: 850 req/s\nspare: 150 req/s");
  });

  test("after a crash while offline the text is offered back", async ({ page, context, watch }) => {
    watch.allow(NETWORK_AWAY);
    const { id, path } = await start(page);
    const desk = new Workspace(page);
    await desk.goto(path);
    await desk.text("Requirements").pressSequentially(LINE);
    await desk.saved();
    await context.setOffline(true);
    await desk.text("Requirements").pressSequentially("Not sent yet.");
    const crashed = page.waitForEvent("crash");
    const devtools = await context.newCDPSession(page);
    devtools.send("Page.crash").catch(() => {});
    await crashed;
    await page.close();

    await context.setOffline(false);
    const next = await context.newPage();
    const again = new Workspace(next);
    await again.goto(path);
    await expect(again.text("Requirements")).toHaveValue(`${LINE}Not sent yet.`);
    await again.saved();
    await expectOnServer(next, id, "requirements", `${LINE}Not sent yet.`);
  });

  test("what two crashed tabs held is offered back, both of it", async ({ page, context, watch }) => {
    watch.allow(NETWORK_AWAY, answered(409));
    const { id, path } = await start(page);
    const tabs = [page, await context.newPage()];
    for (const tab of tabs) await new Workspace(tab).goto(path);
    await context.setOffline(true);
    await new Workspace(tabs[0]).text("Requirements").pressSequentially("From the first tab.");
    await new Workspace(tabs[1]).text("Requirements").pressSequentially("From the second tab.");
    for (const tab of tabs) {
      const crashed = tab.waitForEvent("crash");
      const devtools = await context.newCDPSession(tab);
      devtools.send("Page.crash").catch(() => {});
      await crashed;
      await tab.close();
    }
    await context.setOffline(false);
    const next = await context.newPage();
    const desk = new Workspace(next);
    await desk.goto(path);
    // One of them at once, the other then or the next time, beside it.
    const missing = async () => {
      const shown = [await next.getByRole("main").innerText(), await desk.text("Requirements").inputValue()];
      const all = [...shown, ...(await history(next, id, "requirements"))].join("\n");
      return ["From the first tab.", "From the second tab."].filter((text) => !all.includes(text));
    };
    await expect.poll(async () => (await missing()).length).toBeLessThanOrEqual(1);
    if ((await missing()).length > 0) {
      await desk.saved();
      await next.reload();
      await desk.live();
    }
    await expect.poll(missing).toEqual([]);
  });

  test("a crash that left an older text than the server's shows both versions", async ({ page, context, watch }) => {
    watch.allow(NETWORK_AWAY);
    const { id, path } = await start(page);
    const desk = new Workspace(page);
    await desk.goto(path);
    await context.setOffline(true);
    await desk.text("Requirements").pressSequentially("Left on this device.");
    const crashed = page.waitForEvent("crash");
    const devtools = await context.newCDPSession(page);
    devtools.send("Page.crash").catch(() => {});
    await crashed;
    await page.close();
    await context.setOffline(false);
    const next = await context.newPage();
    await save(next, id, "requirements", "Saved on another device.");
    const again = new Workspace(next);
    await again.goto(path);
    await expect(again.versions).toContainText("Saved on another device.");
    await expect(again.versions).toContainText("Left on this device.");
    await again.versions.getByRole("button", { name: "Put one below the other" }).click();
    await again.saved();
    await expectOnServer(next, id, "requirements", "Saved on another device.\n\nLeft on this device.");
  });
});

test("ten seconds offline: typing goes on, and all of it is saved afterwards", async ({ page, context, watch }) => {
  watch.allow(NETWORK_AWAY);
  const { id, path } = await start(page);
  const desk = new Workspace(page);
  await desk.goto(path);
  await desk.text("Requirements").pressSequentially("Online. ");
  await desk.saved();
  await context.setOffline(true);
  const since = Date.now();
  await desk.text("Requirements").pressSequentially("Offline. ");
  await expect(desk.state).toHaveText(STATE.offline);
  // Another phase can be opened and written in as well.
  await desk.link("API").click();
  await desk.text("API").pressSequentially("POST /payments");
  await expect(desk.state).toHaveText(STATE.offline);
  await expect(desk.link("Requirements")).toContainText("kept on this device");
  await desk.link("Requirements").click();
  await desk.text("Requirements").press("ControlOrMeta+End");
  await desk.text("Requirements").pressSequentially("Still offline. ", { delay: 100 });
  await page.waitForTimeout(Math.max(0, 10_000 - (Date.now() - since)));
  await expect(desk.state).toHaveText(STATE.offline);
  await context.setOffline(false);
  await desk.saved();
  await expectOnServer(page, id, "requirements", "Online. Offline. Still offline. ");
  await expectOnServer(page, id, "api", "POST /payments");
  await expect(desk.versions).toBeHidden();
});

testWithOwnServer("a server killed and started again in mid-typing loses nothing", async ({ page, ownServer, watch }) => {
  watch.allow(NETWORK_AWAY);
  const { id, path } = await start(page);
  const desk = new Workspace(page);
  await desk.goto(path);
  const field = desk.text("Requirements");
  await field.pressSequentially("Before. ");
  await desk.saved();
  await field.pressSequentially("While it dies. ", { delay: 30 });
  const [, after] = await Promise.all([
    ownServer.kill(),
    field.pressSequentially("While it is away. ", { delay: 60 }).then(() => field.inputValue()),
  ]);
  expect(after).toBe("Before. While it dies. While it is away. ");
  await expect(desk.state).toHaveText(STATE.offline);
  await ownServer.run();
  await field.pressSequentially("Afterwards. ", { delay: 30 });
  await expect(desk.state).toHaveText(STATE.saved, { timeout: 20_000 });
  const whole = "Before. While it dies. While it is away. Afterwards. ";
  await expect(field).toHaveValue(whole);
  await expectOnServer(page, id, "requirements", whole);
  await expect(desk.versions).toBeHidden();
});

test.describe("two tabs", () => {
  /** Two pages on one section; the second does not hear of the first one's saves. */
  async function tabs(page, context, path) {
    const second = await context.newPage();
    await second.route("**/api/pulse", () => {});
    const [here, there] = [new Workspace(page), new Workspace(second)];
    await here.goto(path);
    await there.goto(path);
    return { here, there, second };
  }

  const decisions = [
    { button: "Keep what is here", phase: "requirements", title: "Requirements", result: "Written in the second tab." },
    { button: "Take the other", phase: "api", title: "API", result: "Written in the first tab." },
    {
      button: "Put one below the other",
      phase: "consistency",
      title: "Consistency",
      result: "Written in the first tab.\n\nWritten in the second tab.",
    },
  ];
  for (const { button, phase, title, result } of decisions) {
    test(`a stale save shows both versions: ${button.toLowerCase()}`, async ({ page, context, watch }) => {
      watch.allow(answered(409));
      const { id, path } = await start(page, { focus: phase });
      const { here, there, second } = await tabs(page, context, path);
      await here.text(title).fill("Written in the first tab.");
      await here.saved();
      await there.text(title).pressSequentially("Written in the second tab.");
      await expect(there.versions).toBeVisible();
      await expect(there.state).toHaveText("Two versions: choose above. Both are kept");
      await expect(there.versions).toContainText("Written in the first tab.");
      await expect(there.versions).toContainText("Written in the second tab.");
      expect((await exported(page, id)).text(phase), "the stale save was refused").toBe("Written in the first tab.");

      await there.versions.getByRole("button", { name: button }).click();
      await expect(there.versions).toBeHidden();
      await expect(there.text(title)).toHaveValue(result);
      await there.saved();
      await expectOnServer(page, id, phase, result);
      const kept = (await history(second, id, phase)).join("\n");
      expect(kept).toContain("Written in the first tab.");
      expect(kept).toContain("Written in the second tab.");
      // The first tab, with nothing unsaved, takes the decision over.
      await page.evaluate(() => window.dispatchEvent(new Event("focus")));
      await expect(here.text(title)).toHaveValue(result);
      // And writing goes on in the second.
      await there.text(title).press("ControlOrMeta+End");
      await there.text(title).pressSequentially(" On.");
      await there.saved();
      await expectOnServer(page, id, phase, `${result} On.`);
    });
  }

  test("two versions of the numbers are merged as well", async ({ page, context, watch }) => {
    watch.allow(answered(409));
    const { id, path } = await start(page, { focus: "estimates" });
    const { here, there, second } = await tabs(page, context, path);
    await page.getByLabel("Charge requests at peak").fill("850 req/s");
    await here.saved();
    await second.getByLabel("Idempotency records alive").fill("12 GB");
    await expect(there.versions).toBeVisible();
    await there.versions.getByRole("button", { name: "Take the other" }).click();
    await expect(there.versions).toBeHidden();
    await expect(second.getByLabel("Charge requests at peak")).toHaveValue("850 req/s");
    await expect(second.getByLabel("Idempotency records alive")).toHaveValue("");
    await there.saved();
    await expectOnServer(page, id, "worksheet", "peak_rate: 850 req/s");
    expect((await history(page, id, "worksheet")).join("\n").replaceAll("&#32;", " ")).toContain("key_store: 12 GB");
  });

  test("a tab with nothing unsaved takes over what is newer", async ({ page, context }) => {
    const { path } = await start(page);
    const second = await context.newPage();
    const [here, there] = [new Workspace(page), new Workspace(second)];
    await here.goto(path);
    await there.goto(path);
    await here.text("Requirements").fill("Newer text.");
    await here.saved();
    // By itself, at its next sign of life.
    await expect(there.text("Requirements")).toHaveValue("Newer text.", { timeout: 25_000 });
    await expect(there.versions).toBeHidden();
    await there.text("Requirements").press("ControlOrMeta+End");
    await there.text("Requirements").pressSequentially(" And more.");
    await there.saved();
    await expect(there.versions).toBeHidden();
  });
});

test.describe("limits", () => {
  test("more than 64 KB is kept on this device until it is shortened", async ({ page }) => {
    const { id, path } = await start(page);
    const desk = new Workspace(page);
    await desk.goto(path);
    const long = `${"0123456789abcdef ".repeat(30)}\n`.repeat(130);
    const field = desk.text("Requirements");
    await field.focus();
    await page.keyboard.insertText(long);
    await expect(page.getByRole("alert")).toHaveText(
      "This section has 65 KB and a section holds 64 KB. It is kept on this device; shorten it and it is saved.",
    );
    await expect(desk.state).toHaveText("Not saved: 65 KB of 64 KB, kept on this device");
    await page.reload();
    await desk.live();
    await expect(field).toHaveValue(long);
    await expect(desk.state).toHaveText("Not saved: 65 KB of 64 KB, kept on this device");
    const short = long.slice(0, 60_000);
    await field.fill(short);
    await desk.saved();
    await expect(page.getByRole("alert")).toBeHidden();
    await expectOnServer(page, id, "requirements", short);
  });

  test("text that nests too deep is kept, and the preview names the line", async ({ page }) => {
    const { id, path } = await start(page);
    const desk = new Workspace(page);
    await desk.goto(path);
    const deep = `Fine.\n\n${"> ".repeat(60)}deep`;
    await desk.text("Requirements").fill(deep);
    await desk.saved();
    await page.getByText("Preview", { exact: true }).click();
    await expect(desk.preview).toContainText("Line 3 nests deeper than 32 levels.");
    await expectOnServer(page, id, "requirements", deep);
  });

  test("the attempt after the two hundredth is refused with what to do", async ({ page, watch }) => {
    watch.allow(answered(429));
    for (let done = 0; done < 200; done += 20) {
      // The first alone, so that all belong to one session.
      if (done === 0) await start(page);
      await Promise.all(Array.from({ length: done === 0 ? 19 : 20 }, () => start(page)));
    }
    await page.goto("/prompts/news-feed");
    await page.getByRole("button", { name: "Start the attempt" }).click();
    await expect(page.getByRole("main")).toContainText("You have 200 attempts, the most that are kept without an account: sign up to keep more.");
    await page.getByRole("main").getByRole("link", { name: "Your attempts" }).click();
    await expect(page.getByText("200 of 200.")).toBeVisible();
  });
});

test.describe("waking up", () => {
  test("the island is live within three seconds", async ({ page }) => {
    const { path } = await start(page);
    const desk = new Workspace(page);
    await page.goto(path, { waitUntil: "commit" });
    await desk.live(3_000);
  });

  test("what was typed before the island woke is kept", async ({ page }) => {
    const { id } = await start(page);
    await page.route("**/*.wasm", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      await route.continue();
    });
    const desk = new Workspace(page);
    await page.goto(`/attempts/${id}/estimates`, { waitUntil: "commit" });
    await desk.text("Notes on your estimates").pressSequentially("Typed early. ", { delay: 10 });
    await page.getByLabel("Charge requests at peak").fill("850 req/s");
    await page.getByLabel("Name of your row 1").fill("spare");
    await page.getByLabel("Value of your row 1").fill("150 req/s");
    await expect(page.locator(".workspace.live")).toHaveCount(0);
    await desk.text("Notes on your estimates").focus();
    await desk.live();
    await expect(desk.text("Notes on your estimates")).toBeFocused();
    await expect(desk.text("Notes on your estimates")).toHaveValue("Typed early. ");
    await page.keyboard.type("Typed late.");
    await expect(page.getByLabel("Charge requests at peak")).toHaveValue("850 req/s");
    await expect(page.getByLabel("Name of your row 1")).toHaveValue("spare");
    await expect(page.getByLabel("Value of your row 1")).toHaveValue("150 req/s");
    await desk.saved();
    await expectOnServer(page, id, "estimates", "Typed early. Typed late.");
    await expectOnServer(page, id, "worksheet", "peak_rate: 850 req/s\nspare: 150 req/s");
  });

  test("what was cleared before the island woke stays cleared", async ({ page }) => {
    const { id, path } = await start(page);
    await save(page, id, "requirements", "To be cleared.");
    await page.route("**/*.wasm", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await route.continue();
    });
    const desk = new Workspace(page);
    await page.goto(path, { waitUntil: "commit" });
    await desk.text("Requirements").fill("");
    await expect(page.locator(".workspace.live")).toHaveCount(0);
    await desk.live();
    await expect(desk.text("Requirements")).toHaveValue("");
    await desk.saved();
    await expectOnServer(page, id, "requirements", "");
  });
});
