// An account from signing up to its end: what a guest made, signing in elsewhere, mail, the second factor, the data.

import { Workspace, expectNoSidewaysScroll, expectOnServer, exported, save, start } from "../support/attempt.js";
import {
  PASSWORD,
  anotherBrowser,
  codeOf,
  post,
  signIn,
  signInByHand,
  signUp,
  somebody,
} from "../support/account.js";
import { expectFocusSeen, tabTo } from "../support/keyboard.js";
import { choose, look } from "../support/look.js";
import { answered, expect, test as plain, testWithMail as test } from "../support/test.js";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1";

/** A field with what is said about it beside it. */
async function expectFault(field, text) {
  await expect(field).toHaveAttribute("aria-invalid", "true");
  await expect(field).toHaveAccessibleDescription(text);
}

const done = (page) => page.getByRole("main").getByRole("status");
const password = (page) => page.getByLabel("Password", { exact: true });

async function signOut(page) {
  await page.goto("/account");
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(done(page)).toHaveText("You are signed out.");
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(`${javaScriptEnabled ? "with" : "without"} JavaScript`, () => {
    test.use({ javaScriptEnabled });

    test("a guest's attempts go into the account, and open in another browser", async ({ page, browser, baseURL, watch }) => {
      watch.allow(answered(404), answered(422));
      const ada = somebody();
      const first = await start(page);
      await save(page, first.id, "requirements", "Written as a guest.");

      await test.step("sign up: what is wrong stands beside the fields, and what was typed stays", async () => {
        await page.goto("/attempts");
        await page.getByRole("main").getByRole("link", { name: "Sign up" }).click();
        await expect(page.getByText("The attempt of this browser will belong to your account.")).toBeVisible();
        await page.getByLabel("Name", { exact: true }).fill(ada.name);
        await page.getByLabel("Email address").fill("ada at example");
        await password(page).fill("short");
        await page.getByRole("button", { name: "Make the account" }).click();
        const summary = page.getByRole("alert");
        await expect(summary).toContainText("2 things have to change:");
        await expect(summary).toBeFocused();
        await expectFault(page.getByLabel("Email address"), /address/);
        await expectFault(password(page), /8 characters/);
        await expect(page.getByLabel("Name", { exact: true })).toHaveValue(ada.name);
        await expect(page.getByLabel("Email address")).toHaveValue("ada at example");
        await expect(password(page)).toHaveValue("");
        await summary.getByRole("link").first().click();
        await expect(page.getByLabel("Email address")).toBeFocused();
        await page.getByLabel("Email address").fill(ada.email);
        await password(page).fill(ada.password);
        await page.getByRole("button", { name: "Make the account" }).click();
        await expect(done(page)).toHaveText("Your account is made. 1 attempt of this browser now belongs to it.");
        await expect(page.getByRole("rowheader").getByRole("link")).toHaveCount(1);
      });

      await test.step("signed out, nothing of it is there", async () => {
        await signOut(page);
        await page.goto("/attempts");
        await expect(page.getByText("Your attempts will be listed here")).toBeVisible();
        await page.goto(first.path);
        await expect(page.getByRole("heading", { level: 1 })).toHaveText("There is nothing here");
      });

      await test.step("another browser, with an attempt of its own", async () => {
        const there = await anotherBrowser({ browser, baseURL, watch }, { javaScriptEnabled });
        await start(there, { prompt: "news-feed" });
        await there.goto("/attempts");
        await there.getByRole("main").getByRole("link", { name: "Sign up" }).click();
        await there.getByRole("main").getByRole("link", { name: "Sign in" }).click();
        await expect(there.getByText("1 attempt of this browser will be added to your account.")).toBeVisible();
        await signInByHand(there, ada);
        await expect(done(there)).toHaveText("You are signed in. 1 attempt of this browser now belongs to it.");
        await expect(there.getByRole("rowheader").getByRole("link")).toHaveText(["News feed", "Payments processor"]);
        await there.getByRole("link", { name: "Payments processor" }).click();
        await expect(new Workspace(there).text("Requirements")).toHaveValue("Written as a guest.");
        await there.context().close();
      });
    });
  });
}

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("the profile: faults beside the fields, and what is saved shows at once", async ({ page, watch }) => {
    watch.allow(answered(422));
    await signUp(page);
    await page.goto("/account");
    const profile = page.getByRole("region", { name: "Profile" });
    await profile.getByLabel("Name", { exact: true }).fill("");
    await profile.getByRole("radio", { name: "Senior" }).check();
    await profile.getByLabel("Day of the interview").fill("2027-03-31");
    await profile.getByLabel("Hours a week for practice").fill("ninety");
    await profile.getByLabel("Time zone").fill("Mars/Olympus");
    await profile.getByRole("button", { name: "Save the profile" }).click();
    const summary = page.getByRole("alert");
    await expect(summary).toContainText("3 things have to change:");
    await expectFault(profile.getByLabel("Hours a week for practice"), /whole number from 1 to 80/);
    await expectFault(profile.getByLabel("Time zone"), /not known/);
    await expect(profile.getByLabel("Hours a week for practice")).toHaveValue("ninety");
    await expect(profile.getByLabel("Time zone")).toHaveValue("Mars/Olympus");
    await expect(profile.getByLabel("Day of the interview")).toHaveValue("2027-03-31");
    await expect(profile.getByRole("radio", { name: "Senior" })).toBeChecked();
    await summary.getByRole("link", { name: /whole number/ }).click();
    await expect(profile.getByLabel("Hours a week for practice")).toBeFocused();

    await profile.getByLabel("Name", { exact: true }).fill("Ada O.");
    await profile.getByLabel("Hours a week for practice").fill("6");
    await profile.getByLabel("Time zone").fill("asia/tokyo");
    await profile.getByRole("radio", { name: "Dark" }).check();
    await profile.getByRole("button", { name: "Save the profile" }).click();
    await expect(done(page)).toHaveText("Your profile is saved.");
    await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
    await expect(profile.getByLabel("Time zone")).toHaveValue("Asia/Tokyo");
    await expect(profile.getByLabel("Day of the interview")).toHaveValue("2027-03-31");
    await page.getByRole("link", { name: "See and end sessions" }).click();
    await expect(page.getByRole("cell", { name: /JST$/ }).first()).toBeVisible();
  });

  test("a wrong password too often has to wait, and says how long", async ({ page, watch }) => {
    watch.allow(answered(422), answered(429));
    const ada = await signUp(page);
    await post(page, "/sign-out");
    await page.goto("/sign-in");
    await signInByHand(page, { ...ada, password: "not my password" });
    await expect(page.getByRole("alert")).toContainText("do not belong together");
    await expect(page.getByLabel("Email address")).toHaveValue(ada.email);
    await expect(password(page)).toHaveValue("");
    for (let more = 0; more < 4; more++) {
      await post(page, "/sign-in", { next: "", email: ada.email, password: "nor this one" }, 422);
    }
    // Even the right one is not looked at now.
    const answer = page.waitForResponse((response) => response.request().method() === "POST");
    await signInByHand(page, ada);
    expect((await answer).status()).toBe(429);
    expect(Number((await answer).headers()["retry-after"])).toBeGreaterThan(800);
    await expect(page.getByRole("alert")).toHaveText(/^The password was wrong too often\. Nothing was changed\. Try again in 15 minutes\.$/);
    await expect(page.getByLabel("Email address")).toHaveValue(ada.email);
  });

  test("a changed password ends the other sessions; sessions are listed and ended", async ({ page, browser, baseURL, watch }) => {
    watch.allow(answered(422));
    const ada = await signUp(page);
    const firefox = await anotherBrowser({ browser, baseURL, watch }, { javaScriptEnabled: false, userAgent: FIREFOX });
    const phone = await anotherBrowser({ browser, baseURL, watch }, { javaScriptEnabled: false, userAgent: IPHONE });
    for (const other of [firefox, phone]) {
      await signIn(other, ada);
      await other.goto("/account");
    }
    await page.goto("/account/sessions");
    await expect(page.getByRole("rowheader")).toHaveCount(3);
    await expect(page.getByRole("row").filter({ hasText: "this browser" })).toHaveCount(1);
    await page.getByRole("button", { name: "End the session of Safari on iPhone" }).click();
    await expect(done(page)).toHaveText("The session was ended.");
    await expect(page.getByRole("rowheader")).toHaveCount(2);
    await phone.getByRole("button", { name: "Save the profile" }).click();
    await expect(phone).toHaveURL("/sign-in?next=/account");

    const section = page.getByRole("region", { name: "Password" });
    await page.goto("/account");
    await section.getByLabel("Present password").fill("not this one");
    await section.getByLabel("New password").fill("eleven herons by the weir");
    await section.getByRole("button", { name: "Change the password" }).click();
    await expectFault(section.getByLabel("Present password"), /not your password/);
    await expect(section.getByLabel("Present password")).toBeFocused();
    await section.getByLabel("Present password").fill(ada.password);
    await section.getByLabel("New password").fill("eleven herons by the weir");
    await section.getByRole("button", { name: "Change the password" }).click();
    await expect(done(page)).toHaveText("Your password is changed. Every other session was ended.");

    await firefox.getByRole("link", { name: "Export, import, delete" }).click();
    await expect(firefox).toHaveURL("/sign-in?next=/account/data");
    await signInByHand(firefox, ada);
    await expect(firefox.getByRole("alert")).toContainText("do not belong together");
    await signInByHand(firefox, { ...ada, password: "eleven herons by the weir" });
    await expect(firefox).toHaveURL("/account/data");

    await page.goto("/account/sessions");
    await page.getByRole("button", { name: "End all others", exact: true }).click();
    await expect(done(page)).toHaveText("1 session was ended.");
    await firefox.reload();
    await expect(firefox).toHaveURL("/sign-in?next=/account/data");
    await page.getByRole("button", { name: "End all", exact: true }).click();
    await expect(page).toHaveURL("/sign-in?done=signed-out");
    await firefox.context().close();
    await phone.context().close();
  });

  test("mail: an address is verified, a forgotten password is reset, and each link works once", async ({ page, browser, baseURL, mailbox, watch }) => {
    watch.allow(answered(410), answered(422));
    const ada = await signUp(page);
    await page.goto("/account");
    await expect(page.getByRole("region", { name: "Email address" })).toContainText("~ not verified");

    const verify = await mailbox.take(ada.email, "confirm your address");
    const opened = await page.goto(verify.link);
    expect(opened.headers()["referrer-policy"]).toBe("no-referrer");
    await expect(page.getByRole("main")).toContainText(`Is ${ada.email} the address of your account?`);
    await page.getByRole("button", { name: "Yes, verify it" }).click();
    await expect(done(page)).toHaveText("Your email address is verified.");
    await expect(page.getByRole("region", { name: "Email address" })).toContainText("✓ verified");
    await page.goto(verify.link);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("This link no longer works");

    const forgetful = await anotherBrowser({ browser, baseURL, watch }, { javaScriptEnabled: false, userAgent: FIREFOX });
    const stranger = somebody("Nobody");
    for (const email of [stranger.email, ada.email]) {
      await forgetful.goto("/sign-in");
      await forgetful.getByRole("link", { name: "Forgot your password?" }).click();
      await forgetful.getByLabel("Email address").fill(email);
      await forgetful.getByRole("button", { name: "Send the link" }).click();
      await expect(forgetful.getByRole("heading", { level: 1 })).toHaveText("Look into your mail");
    }
    const reset = await mailbox.take(ada.email, "choose a new password");
    expect(reset.text).toContain("The link works once, and for one hour.");
    expect(mailbox.letters.filter((letter) => letter.to === stranger.email)).toEqual([]);
    await forgetful.goto(reset.link);
    const field = forgetful.getByLabel("New password");
    await field.fill("password1");
    await forgetful.getByRole("button", { name: "Set the password" }).click();
    await expectFault(field, /most used/);
    await expect(field).toBeFocused();
    await field.fill("four otters and a canoe");
    await forgetful.getByRole("button", { name: "Set the password" }).click();
    await expect(done(forgetful)).toContainText("Your password is changed and every session was ended.");
    await mailbox.take(ada.email, "your password was changed");
    await page.goto("/account");
    await expect(page).toHaveURL("/sign-in?next=/account");
    await forgetful.goto(reset.link);
    await expect(forgetful.getByRole("heading", { level: 1 })).toHaveText("This link no longer works");
    await forgetful.getByRole("link", { name: "Ask for a new link" }).click();
    await forgetful.getByRole("main").getByRole("link", { name: "Back to signing in" }).click();
    await signInByHand(forgetful, { ...ada, password: "four otters and a canoe" });
    await expect(forgetful).toHaveURL("/attempts");
    expect((await mailbox.take(ada.email, "a new sign-in")).text).toContain("Device: Firefox on Linux");

    // Another address: it counts once the link that was sent there was opened.
    const now = somebody("Ada Newname").email;
    await forgetful.goto("/account");
    const section = forgetful.getByRole("region", { name: "Email address" });
    await section.getByLabel("New email address").fill(now);
    await section.getByLabel("Your password").fill("four otters and a canoe");
    await section.getByRole("button", { name: "Change the address" }).click();
    await expect(done(forgetful)).toContainText("A message is on its way to you.");
    await expect(section).toContainText(ada.email);
    await forgetful.goto((await mailbox.take(now, "confirm your address")).link);
    await forgetful.getByRole("button", { name: "Yes, verify it" }).click();
    await expect(section).toContainText(now);
    expect((await mailbox.take(ada.email, "your address was changed")).text).toContain(`Now: ${now}`);
    await forgetful.context().close();
  });

  test("the second factor: a QR code, a code, recovery codes that work once, and off again", async ({ page, watch }) => {
    watch.allow(answered(422));
    const ada = await signUp(page);
    await page.goto("/account");
    await page.getByRole("link", { name: "Turn it on" }).click();
    await page.getByLabel("Your password").fill("not my password");
    await page.getByRole("button", { name: "Turn it on" }).click();
    await expectFault(page.getByLabel("Your password"), /not your password/);
    await page.getByLabel("Your password").fill(ada.password);
    await page.getByRole("button", { name: "Turn it on" }).click();
    const picture = page.getByRole("img", { name: /^QR code/ }).locator("svg");
    await expect(picture).toBeVisible();
    expect((await picture.boundingBox()).width).toBeGreaterThan(150);
    const secret = await page.locator(".secret").innerText();
    expect(secret).toMatch(/^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/);
    await page.getByLabel("Code", { exact: true }).fill("000000");
    await page.getByRole("button", { name: "Turn it on" }).click();
    await expectFault(page.getByLabel("Code", { exact: true }), /not the code/);
    await expect(page.getByLabel("Code", { exact: true })).toHaveValue("");
    await expect(page.locator(".secret"), "the secret is the same").toHaveText(secret);
    await page.getByLabel("Code", { exact: true }).fill(codeOf(secret, -1));
    await page.getByRole("button", { name: "Turn it on" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Your recovery codes");
    const codes = await page.getByRole("main").getByRole("listitem").allInnerTexts();
    expect(new Set(codes).size).toBe(10);
    await page.getByRole("link", { name: "I have kept them" }).click();
    await expect(page.getByRole("main")).toContainText("✓ on since");
    await expect(page.getByRole("main")).toContainText("10 recovery codes are left.");

    await signOut(page);
    await signInByHand(page, ada);
    await expect(page).toHaveURL(/^[^?]*\/sign-in\/second-factor/);
    await expect(page.getByLabel("Code", { exact: true })).toBeFocused();
    // As somebody types it who reads it from paper.
    await page.getByLabel("Code", { exact: true }).fill(codes[0].toUpperCase().replaceAll("-", " "));
    await page.getByRole("button", { name: "Go on" }).click();
    await expect(page).toHaveURL("/attempts");
    await signOut(page);
    await signInByHand(page, ada);
    await page.getByLabel("Code", { exact: true }).fill(codes[0]);
    await page.getByRole("button", { name: "Go on" }).click();
    await expectFault(page.getByLabel("Code", { exact: true }), /used already/);
    await page.getByLabel("Code", { exact: true }).fill(codeOf(secret));
    await page.getByRole("button", { name: "Go on" }).click();
    await expect(page).toHaveURL("/attempts");

    await page.goto("/account/second-factor");
    await expect(page.getByRole("main")).toContainText("9 recovery codes are left.");
    const off = page.getByRole("region", { name: "Turn it off" });
    await off.getByLabel("Your password").fill(ada.password);
    await off.getByLabel("Code", { exact: true }).fill(codes[1]);
    await off.getByRole("button", { name: "Turn off the second factor" }).click();
    await expect(done(page)).toHaveText("The second factor is off. Your password alone signs you in.");
    await signOut(page);
    await signInByHand(page, ada);
    await expect(page).toHaveURL("/attempts");
  });

  test("everything is taken out, the account deleted, and all of it brought into a new one", async ({ page, watch }, testInfo) => {
    watch.allow(answered(404), answered(422));
    const ada = await signUp(page);
    const first = await start(page);
    await save(page, first.id, "requirements", "# Kept\n\n- by the export, ü and all\n");
    const before = await exported(page, first.id);
    await start(page, { prompt: "news-feed", way: "interview", level: "staff" });

    await page.goto("/account");
    await page.getByRole("link", { name: "Export, import, delete" }).click();
    const downloading = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download everything" }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toBe("headroom.zip");
    const archive = testInfo.outputPath("headroom.zip");
    await download.saveAs(archive);

    const danger = page.getByRole("region", { name: "Delete the account" });
    await danger.getByLabel("Your email address, to confirm").fill("somebody@example.org");
    await danger.getByLabel("Your password").fill(ada.password);
    await danger.getByRole("button", { name: "Delete my account and everything in it" }).click();
    await expectFault(danger.getByLabel("Your email address, to confirm"), /to show that you mean it/);
    await danger.getByLabel("Your email address, to confirm").fill(ada.email);
    await danger.getByLabel("Your password").fill(ada.password);
    await danger.getByRole("button", { name: "Delete my account and everything in it" }).click();
    await expect(done(page)).toHaveText("Your account and everything in it is deleted.");
    await signInByHand(page, ada);
    await expect(page.getByRole("alert")).toContainText("do not belong together");

    await signUp(page, ada);
    await page.goto("/attempts");
    await expect(page.getByText("Your attempts will be listed here")).toBeVisible();
    await page.goto("/account/data");
    const into = page.getByRole("region", { name: "Import" });
    const file = into.getByLabel("Archive");
    await file.setInputFiles({ name: "notes.zip", mimeType: "application/zip", buffer: Buffer.from("not an archive") });
    await into.getByRole("button", { name: "Import the archive" }).click();
    await expect(file).toHaveAttribute("aria-invalid", "true");
    await file.setInputFiles(archive);
    await into.getByRole("button", { name: "Import the archive" }).click();
    await expect(done(page)).toHaveText("2 attempts were brought in.");
    await file.setInputFiles(archive);
    await into.getByRole("button", { name: "Import the archive" }).click();
    await expect(done(page)).toContainText("2 attempts were here already and stayed as you have it now.");
    await page.goto("/attempts");
    await page.getByRole("link", { name: "Payments processor" }).click();
    await expect(new Workspace(page).text("Requirements")).toHaveValue(before.text("requirements"));
  });

  test("a form that is sent after signing out in another tab comes back with its text", async ({ page, context, watch }) => {
    watch.allow(answered(404));
    await signUp(page);
    const { path } = await start(page);
    await page.goto(path);
    await new Workspace(page).text("Requirements").fill("Typed before I knew.");
    await signOut(await context.newPage());
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Your text was not saved");
    await expect(page.getByRole("main")).toContainText("This browser was signed out, or its session ended");
    await expect(page.getByRole("textbox", { name: "Your text" })).toHaveValue("Typed before I knew.");
    await expect(page.getByRole("main").getByRole("link", { name: "Sign in" })).toBeVisible();
  });
});

test("two tabs: signed out in one, the other keeps what is typed, says so, and saves it later", async ({ page, context, watch }) => {
  watch.allow(answered(404), answered(409));
  const ada = await signUp(page);
  const { id, path } = await start(page);
  const desk = new Workspace(page);
  const field = desk.text("Requirements");
  await desk.goto(path);
  await field.pressSequentially("Before. ");
  await desk.saved();

  await test.step("a new password in another tab, and a reload in mid-work: the work goes on", async () => {
    const tab = await context.newPage();
    await post(tab, "/account/password", { current: PASSWORD, password: "seven geese in the reeds" });
    ada.password = "seven geese in the reeds";
    await field.pressSequentially("Under a new session. ");
    await page.reload();
    await desk.live();
    await expect(field).toHaveValue("Before. Under a new session. ");
    await desk.saved();
    await tab.close();
  });

  const tab = await context.newPage();
  const notice = page.getByRole("alert").filter({ hasText: "This browser was signed out" });
  await test.step("signed out: kept on the device", async () => {
    await signOut(tab);
    await field.press("ControlOrMeta+End");
    await field.pressSequentially("While signed out. ");
    await expect(desk.state).toHaveText("Signed out: kept on this device");
    await expect(notice).toContainText("What you typed is kept on this device and is saved once you are signed in again.");
    await expect(field).toHaveValue("Before. Under a new session. While signed out. ");
    await expect(desk.link("Requirements")).toContainText("not saved");
    // More keys change nothing about that.
    await field.pressSequentially("Still. ");
    await expect(desk.state).toHaveText("Signed out: kept on this device");
  });

  await test.step("signed in again in the other tab: saved when this one is looked at", async () => {
    await signInByHand(tab, ada);
    await expect(tab).toHaveURL("/attempts");
    await page.bringToFront();
    await page.evaluate(() => window.dispatchEvent(new Event("focus")));
    await desk.saved();
    await expect(notice).toBeHidden();
    await expectOnServer(page, id, "requirements", "Before. Under a new session. While signed out. Still. ");
  });

  await test.step("signed out once more: the way back through the notice brings the text back", async () => {
    await signOut(tab);
    await field.press("ControlOrMeta+End");
    await field.pressSequentially("Once more.");
    await expect(desk.state).toHaveText("Signed out: kept on this device");
    await notice.getByRole("link", { name: "Sign in and come back" }).click();
    await signInByHand(page, ada);
    await expect(page).toHaveURL(path);
    await desk.live();
    await expect(field).toHaveValue("Before. Under a new session. While signed out. Still. Once more.");
    await desk.saved();
    await expectOnServer(page, id, "requirements", "Before. Under a new session. While signed out. Still. Once more.");
    await expect(desk.versions).toBeHidden();
  });
});

test("a shared attempt: read by who has the link, changed by nobody, gone once revoked", async ({ page, browser, baseURL, watch }) => {
  watch.allow(answered(404));
  const ada = await signUp(page, somebody("Ottilie Unmistakable"));
  const { id } = await start(page);
  await save(page, id, "requirements", "# Scope\n\nCharge a card **once**.");
  await post(page, `/attempts/${id}/worksheet`, { base: "0", key: "numbers", row: "spare", text: "150 req/s" });
  await page.goto("/attempts");
  await page.getByRole("link", { name: "share", exact: true }).click();
  await expect(page.getByText("There is none yet.")).toBeVisible();
  await page.getByRole("button", { name: "Make a link" }).click();
  const made = page.getByLabel("The link is made.");
  await expect(made).toBeFocused();
  const link = await made.inputValue();
  expect(link).toMatch(new RegExp(`^${baseURL}/shared/[0-9a-f]{64}$`));

  const reader = await anotherBrowser({ browser, baseURL, watch });
  const answer = await reader.goto(link);
  expect(answer.headers()).toMatchObject({ "referrer-policy": "no-referrer", "x-robots-tag": "noindex, nofollow" });
  expect(answer.headers()["cache-control"]).toContain("no-store");
  await expect(reader.getByRole("heading", { level: 1 })).toHaveText("Payments processor");
  await expect(reader.getByRole("region", { name: "Requirements" })).toContainText("Charge a card once.");
  await expect(reader.getByRole("cell", { name: "150 req/s" }).first()).toBeVisible();
  const html = await reader.content();
  for (const secret of [ada.name, ada.email, id]) expect(html).not.toContain(secret);
  expect(await reader.context().cookies()).toEqual([]);

  await page.getByRole("button", { name: "Revoke link 1" }).click();
  await expect(done(page)).toContainText("The link is revoked");
  await expect(page.getByRole("row").nth(1)).toContainText("revoked");
  await reader.reload();
  await expect(reader.getByRole("heading", { level: 1 })).toHaveText("There is nothing here");
  await reader.context().close();
});

test("signing in and out by keys alone", async ({ page, watch }) => {
  watch.allow(answered(422));
  const ada = await signUp(page);
  await post(page, "/sign-out");
  await page.goto("/prompts");
  await page.keyboard.press("Tab");
  await tabTo(page, page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Account" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Sign in");
  await tabTo(page, page.getByLabel("Email address"));
  await page.keyboard.type(ada.email);
  await page.keyboard.press("Tab");
  await page.keyboard.type("not the password");
  await page.keyboard.press("Enter");
  const alert = page.getByRole("alert");
  await expect(alert).toContainText("do not belong together");
  await expect(alert).toBeFocused();
  await expectFocusSeen(page);
  await tabTo(page, password(page), "Tab", 2);
  await page.keyboard.type(ada.password);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL("/account");
  await tabTo(page, page.getByRole("button", { name: "Sign out" }));
  await expectFocusSeen(page);
  await page.keyboard.press("Enter");
  await expect(done(page)).toHaveText("You are signed out.");
});

plain("a server without mail says how a forgotten password is reset, and the command's link works", async ({ page, server }) => {
  const ada = await signUp(page);
  await post(page, "/sign-out");
  await page.goto("/forgot-password");
  await expect(page.getByRole("main")).toContainText("headroom admin reset-password EMAIL");
  const link = (await server.command("admin", "reset-password", ada.email)).trim();
  await page.goto(link);
  await page.getByLabel("New password").fill("two lynxes in the snow");
  await page.getByRole("button", { name: "Set the password" }).click();
  await signInByHand(page, { ...ada, password: "two lynxes in the snow" });
  await expect(page).toHaveURL("/attempts");
});

// Each page in one theme on a small phone, where it may not be wider than that, and in the other on a desktop.
for (const [theme, width] of [
  ["Light", 320],
  ["Dark", 1280],
]) {
  test(`the pages of an account, ${theme.toLowerCase()}, at ${width} px`, async ({ page, mailbox, watch }) => {
    test.setTimeout(120_000);
    watch.allow(answered(404), answered(410), answered(422));
    await choose(page, theme);
    const see = async (what) => {
      await look(page, what, [width]);
      await page.setViewportSize({ width, height: 800 });
      await expectNoSidewaysScroll(page, width, what);
    };
    const visit = async (path) => {
      await page.goto(path);
      await see(path);
    };
    for (const path of ["/sign-up", "/sign-in", "/sign-in?done=signed-out", "/forgot-password", "/reset-password/nothing"]) await visit(path);
    await page.goto("/sign-up");
    await page.getByRole("button", { name: "Make the account" }).click();
    await see("signing up with faults");

    const ada = await signUp(page, somebody("Maximiliane-Theodora von und zu Wolkenstein-Rodenegg"));
    const { id } = await start(page);
    await save(page, id, "requirements", `# Long\n\n${"W".repeat(200)}`);
    await post(page, `/attempts/${id}/worksheet`, { base: "0", key: "numbers", row: "spare", text: "150 req/s" });
    await visit("/attempts?done=signed-up-1");
    await visit("/account");
    await page.getByRole("region", { name: "Profile" }).getByLabel("Hours a week for practice").fill("x".repeat(80));
    await page.getByRole("region", { name: "Profile" }).getByLabel("Time zone").fill("nowhere");
    await page.getByRole("button", { name: "Save the profile" }).click();
    await see("an account with faults");
    await visit("/account/sessions");
    await visit("/account/data");
    await visit((await mailbox.take(ada.email, "confirm your address")).link);

    await page.goto(`/attempts/${id}/share`);
    await page.getByRole("button", { name: "Make a link" }).click();
    await see("sharing");
    await visit(await page.getByLabel("The link is made.").inputValue());

    await visit("/account/second-factor");
    await page.getByLabel("Your password").fill(ada.password);
    await page.getByRole("button", { name: "Turn it on" }).click();
    await see("turning the second factor on");
    const secret = await page.locator(".secret").innerText();
    await page.getByLabel("Code", { exact: true }).fill(codeOf(secret, -1));
    await page.getByRole("button", { name: "Turn it on" }).click();
    await see("the recovery codes");
    await visit("/account/second-factor");
    await post(page, "/sign-out");
    await page.goto("/sign-in");
    await signInByHand(page, ada);
    await see("the code when signing in");
  });
}
