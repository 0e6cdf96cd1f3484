// What an administrator does: accounts, the audit log, the outbox, the health of the server.

import { readFileSync } from "node:fs";
import { expectNoSidewaysScroll } from "../support/attempt.js";
import { administrator, anotherBrowser, post, signInByHand, signUp, somebody, turnOnSecondFactor } from "../support/account.js";
import { choose, look } from "../support/look.js";
import { Mailbox } from "../support/mailbox.js";
import { Server } from "../support/server.js";
import { answered, expect, testWithMail as test } from "../support/test.js";

const done = (page) => page.getByRole("main").getByRole("status");
const heading = (page) => page.getByRole("heading", { level: 1 });

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("an administrator finds an account, grants, disables and enables; the person is out at once", async ({ page, server, browser, baseURL, watch }) => {
    watch.allow(answered(403), answered(404), answered(422));
    const bob = somebody("Bob Ferreira");
    const there = await anotherBrowser({ browser, baseURL, watch }, { javaScriptEnabled: false });
    await signUp(there, bob);
    await there.goto("/admin");
    await expect(heading(there), "nobody else learns that there is anything").toHaveText("There is nothing here");
    await there.goto("/account");

    await test.step("administration opens with a second factor only", async () => {
      const grace = await signUp(page, somebody("Grace Adeyemi"));
      await server.command("admin", "grant", grace.email, "administrator");
      await page.goto("/account");
      await page.getByRole("link", { name: "Administration" }).click();
      await expect(heading(page)).toHaveText("Administration is closed");
      await expect(page.getByRole("main").getByRole("link", { name: "Turn on the second factor" })).toBeVisible();
      await turnOnSecondFactor(page, grace);
      await page.goto("/admin");
      await expect(heading(page)).toHaveText("Accounts");
    });

    await test.step("search, grant", async () => {
      const search = page.getByRole("search", { name: "Find accounts" });
      await search.getByLabel("Name or email address").fill("nobody has this");
      await search.getByRole("button", { name: "Find" }).click();
      await expect(page.getByText("No account has that in its name or address.")).toBeVisible();
      await search.getByLabel("Name or email address").fill(bob.email.slice(0, -4).toUpperCase());
      await search.getByRole("button", { name: "Find" }).click();
      await expect(page.getByText("1 account", { exact: true })).toBeVisible();
      await page.getByRole("link", { name: bob.name }).click();
      await page.getByRole("button", { name: `Grant mentor to ${bob.name}` }).click();
      await expect(done(page)).toHaveText("The role is granted.");
      await expect(page.getByRole("region", { name: "Roles" }).getByRole("row").filter({ hasText: "Mentor" })).toContainText("✓ granted");
    });

    await test.step("disable: the other browser is out", async () => {
      const access = page.getByRole("region", { name: "Access" });
      await access.getByRole("button", { name: "Disable the account" }).click();
      await expect(access.getByLabel("Reason for disabling it")).toHaveAccessibleDescription(/Say why/);
      await access.getByLabel("Reason for disabling it").fill("=Shared the password.");
      await access.getByRole("button", { name: "Disable the account" }).click();
      await expect(done(page)).toHaveText("The account is disabled, and its sessions were ended.");
      await expect(page.getByRole("region", { name: "About it" })).toContainText("✕ disabled");
      await there.getByRole("button", { name: "Save the profile" }).click();
      await expect(there).toHaveURL("/sign-in?next=/account");
      await signInByHand(there, bob);
      await expect(there.getByRole("alert")).toContainText("This account is disabled.");
      await access.getByRole("button", { name: "Enable the account" }).click();
      await expect(done(page)).toHaveText("The account is enabled. The person can sign in again.");
      await signInByHand(there, bob);
      await expect(there).toHaveURL("/account");
    });

    await test.step("a reset link, handed over", async () => {
      await page.getByRole("button", { name: "Make a reset link" }).click();
      const link = page.getByLabel("The link is made.");
      await expect(link).toBeFocused();
      await there.goto(await link.inputValue());
      await there.getByLabel("New password").fill("five newts at the pond");
      await there.getByRole("button", { name: "Set the password" }).click();
      await signInByHand(there, { ...bob, password: "five newts at the pond" });
      await expect(there).toHaveURL("/attempts");
    });

    await test.step("end the sessions", async () => {
      await page.reload();
      await page.goto(page.url().replace(/\/reset-link$/, ""));
      await page.getByRole("button", { name: "End 1 session" }).click();
      await expect(done(page)).toHaveText("1 session was ended.");
      await there.goto("/account");
      await expect(there).toHaveURL("/sign-in?next=/account");
    });

    await test.step("the log: filtered, and taken along", async () => {
      await page.getByRole("link", { name: "All entries about this account" }).click();
      const filter = page.getByRole("search", { name: "Filter the log" });
      await expect(filter.getByLabel("Account")).toHaveValue(bob.email);
      const actions = page.getByRole("rowheader");
      await expect(actions.filter({ hasText: "role granted" })).toHaveCount(1);
      await filter.getByLabel("Action").selectOption({ label: "disabled" });
      await filter.getByRole("button", { name: "Show" }).click();
      await expect(actions).toHaveText(["disabled"]);
      await expect(page.getByRole("row").nth(1)).toContainText("=Shared the password.");
      const saved = async (name) => {
        const downloading = page.waitForEvent("download");
        await page.getByRole("link", { name }).click();
        const download = await downloading;
        return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
      };
      const csv = await saved("Export as CSV");
      expect(csv.name).toBe("headroom-audit.csv");
      expect(csv.text.split("\r\n")).toHaveLength(3);
      expect(csv.text, "no spreadsheet takes it for a formula").toContain(`"'=Shared the password."`);
      const json = JSON.parse((await saved("Export as JSON")).text);
      expect(json.map(({ action, detail }) => [action, detail])).toEqual([["disabled", "=Shared the password."]]);
      await filter.getByLabel("Account").fill("nobody@example.org");
      await filter.getByRole("button", { name: "Show" }).click();
      await expect(filter.getByLabel("Account")).toHaveAccessibleDescription(/No account has this address/);
      await expect(filter.getByLabel("Account")).toHaveValue("nobody@example.org");
    });
    await there.context().close();
  });
});

test("a mail server that is away delays mail and loses none; the outbox shows it and tries again", async ({ browser, watch }) => {
  const mailbox = await Mailbox.open();
  const server = await Server.start({ HEADROOM_SMTP_URL: mailbox.url, HEADROOM_MAIL_FROM: "headroom@example.org" });
  watch.origins.push(server.url);
  const page = await anotherBrowser({ browser, baseURL: server.url, watch });
  try {
    const grace = await administrator(server, page);
    await mailbox.take(grace.email, "confirm your address");
    await mailbox.take(grace.email, "two-step sign-in was turned on");
    await mailbox.close();
    const there = await anotherBrowser({ browser, baseURL: server.url, watch });
    const bob = await signUp(there, somebody("Bob Ferreira"));

    await page.goto("/admin");
    await page.getByRole("navigation", { name: "Administration" }).getByRole("link", { name: "Mail" }).click();
    const states = page.getByRole("navigation", { name: "Messages by state" });
    await expect(async () => {
      await page.reload();
      await expect(page.getByRole("row").filter({ hasText: bob.email })).toContainText("~ waiting after 1 try", { timeout: 100 });
    }).toPass({ timeout: 10_000 });
    await expect(states.getByRole("link")).toHaveText(["All 3", "Waiting 1", "Given up 0", "Sent 2"]);
    await states.getByRole("link", { name: "Waiting" }).click();
    await expect(states.locator("[aria-current]")).toHaveText("Waiting 1");
    await expect(page.getByRole("rowheader")).toHaveText(["verify address"]);
    await states.getByRole("link", { name: "Given up" }).click();
    await expect(page.getByText("No message was given up.")).toBeVisible();

    // As after several failures: the next try is an hour away.
    await server.sql("UPDATE outbox SET next_try_at = next_try_at + ? WHERE recipient = ?", 60 * 60_000, bob.email);
    await mailbox.reopen();
    await states.getByRole("link", { name: "Waiting" }).click();
    await page.getByRole("button", { name: `Retry verify address to ${bob.email}` }).click();
    await expect(done(page)).toHaveText("The message will be tried again within two minutes.");
    await there.goto((await mailbox.take(bob.email, "confirm your address")).link);
    await there.getByRole("button", { name: "Yes, verify it" }).click();
    await expect(done(there)).toHaveText("Your email address is verified.");
    await page.goto("/admin/outbox?show=sent");
    await expect(page.getByRole("row").filter({ hasText: bob.email })).toContainText("✓ sent");

    await page.getByRole("navigation", { name: "Administration" }).getByRole("link", { name: "Health" }).click();
    await expect(page.getByRole("region", { name: "Database" })).toContainText(/SQLite \d+\.\d+/);
    await expect(page.getByRole("region", { name: "Database" }).getByRole("row").filter({ hasText: "Schema" })).toContainText("✓ good");
    await expect(page.getByRole("region", { name: "What is kept" }).getByRole("row").filter({ hasText: "Accounts" })).toContainText("2");
  } finally {
    await server.stop();
    await mailbox.close();
  }
});

for (const [theme, width] of [
  ["Light", 320],
  ["Dark", 1280],
]) {
  test(`the pages of administration, ${theme.toLowerCase()}, at ${width} px`, async ({ page, server, browser, baseURL, watch }) => {
    test.setTimeout(120_000);
    watch.allow(answered(403), answered(422));
    await choose(page, theme);
    const long = somebody("Maximiliane-Theodora von und zu Wolkenstein-Rodenegg");
    const there = await anotherBrowser({ browser, baseURL, watch });
    await signUp(there, long);
    const grace = await signUp(page, somebody("Grace Adeyemi"));
    await server.command("admin", "grant", grace.email, "administrator");
    const see = async (what) => {
      await look(page, what, [width]);
      await page.setViewportSize({ width, height: 800 });
      await expectNoSidewaysScroll(page, width, what);
    };
    const visit = async (path) => {
      await page.goto(path);
      await see(path);
    };
    await visit("/admin");
    await turnOnSecondFactor(page, grace);
    for (const path of ["/admin", "/admin?q=nobody+at+all", "/admin/audit", "/admin/audit?account=nobody%40example.org", "/admin/outbox", "/admin/health"]) {
      await visit(path);
    }
    await page.goto(`/admin?q=${encodeURIComponent(long.email)}`);
    await page.getByRole("link", { name: long.name }).click();
    await see("an account");
    const { pathname } = new URL(page.url());
    await page.getByRole("button", { name: "Make a reset link" }).click();
    await see("an account with a reset link");
    await post(page, `${pathname}/disable`, { reason: "word ".repeat(39).trim() });
    await visit(pathname);
    await there.context().close();
  });
}
