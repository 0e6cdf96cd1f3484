// axe on every page and in every state of the workspace, light and dark, wide and narrow: no violation of any impact.

import { DESIGN, PHASES, Workspace, commitScore, save, start } from "../support/attempt.js";
import { choose, look } from "../support/look.js";
import { answered, expect, test } from "../support/test.js";

const RICH = `# A heading\n\nText with a [link](/prompts) and \`code\`.\n\n> A quotation\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n\`\`\`rust\nfn main() { let x = "text"; } // comment\n\`\`\`\n\n1. one\n2. two[^1]\n\n[^1]: A note.\n`;

for (const theme of ["Light", "Dark"]) {
  test.describe(theme.toLowerCase(), () => {
    test.describe.configure({ timeout: 120_000 });

    test(`pages to read, ${theme.toLowerCase()}`, async ({ page, watch }) => {
      watch.allow(answered(404));
      await choose(page, theme);
      for (const address of ["/", "/prompts", "/prompts?level=staff&topic=money", "/prompts?level=mid&topic=geo", "/prompts?topic=unknown", "/nowhere", "/attempts"]) {
        await page.goto(address);
        await look(page, address);
      }
      for (const slug of ["payments-processor", "distributed-rate-limiter", "news-feed", "ride-dispatch"]) {
        await page.goto(`/prompts/${slug}?level=senior&minutes=45&way=guided&focus=api`);
        await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
        await look(page, slug);
      }
    });

    test(`the workspace, ${theme.toLowerCase()}`, async ({ page, server, watch }) => {
      watch.allow(answered(409));
      await choose(page, theme);
      const { id, path } = await start(page, { way: "guided" });
      const desk = new Workspace(page);
      await save(page, id, "requirements", RICH);
      await desk.goto(path);
      await look(page, "writing");
      await page.getByText("Both", { exact: true }).click();
      await expect(desk.preview.getByRole("table")).toBeVisible();
      await look(page, "writing and preview");
      await page.getByText("Preview", { exact: true }).click();
      await look(page, "preview");
      await page.getByText("Write", { exact: true }).first().click();

      await desk.link("Estimates").click();
      await page.getByLabel("Charge requests at peak").fill("= payments_per_day * peak_factor");
      await page.getByLabel("Idempotency records alive").fill("5 req/s");
      await page.evaluate(() => document.querySelectorAll("main details").forEach((details) => (details.open = true)));
      await look(page, "estimates");

      await desk.side.getByText("Looked for", { exact: true }).click();
      await look(page, "looked for", [1280]);
      await desk.side.getByText("Hints", { exact: true }).first().click();
      await page.evaluate(() => document.querySelectorAll("aside details").forEach((details) => (details.open = true)));
      await look(page, "hints", [1280]);
      await page.setViewportSize({ width: 375, height: 800 });
      for (const panel of ["Phases", "Prompt"]) {
        await page.getByRole("navigation", { name: "Panels" }).getByText(panel, { exact: true }).click();
        await look(page, `the panel ${panel}`, [375]);
        await page.setViewportSize({ width: 375, height: 800 });
      }
      await page.getByRole("navigation", { name: "Panels" }).getByText("Write", { exact: true }).click();
      await page.setViewportSize({ width: 1280, height: 800 });

      await page.keyboard.press("ControlOrMeta+k");
      await expect(desk.palette).toBeVisible();
      await look(page, "the palette");
      await page.keyboard.press("Escape");
      await desk.link("API").focus();
      await page.keyboard.press("?");
      await expect(desk.shortcuts).toBeVisible();
      await look(page, "the shortcuts");
      await page.keyboard.press("Escape");

      await save(page, id, "api", "Elsewhere.");
      await page.route("**/api/pulse", () => {});
      await desk.link("API").click();
      await desk.text("API").pressSequentially("Here.");
      await expect(desk.versions).toBeVisible();
      await look(page, "two versions");

      // An interview in overtime, with a curveball open.
      const interview = await start(page, { way: "interview", level: "staff", minutes: "45" });
      await server.sql("UPDATE attempt SET started_at = started_at - ? WHERE id = ?", 50 * 60_000, interview.id);
      await desk.goto(interview.path);
      await expect(desk.clock).toHaveAttribute("data-tone", "red");
      await desk.phases.getByRole("link", { name: "Pay again after a 504" }).click();
      await look(page, "an interview in overtime");
      const late = await start(page, { way: "interview" });
      await server.sql("UPDATE attempt SET marked_at = marked_at - ? WHERE id = ?", 10 * 60_000, late.id);
      await desk.goto(late.path);
      await expect(desk.clock).toHaveAttribute("data-tone", "amber");
      await look(page, "a phase over its target");
    });

    test(`after the writing, ${theme.toLowerCase()}`, async ({ page, watch }) => {
      watch.allow(answered(409), answered(422), answered(404));
      await choose(page, theme);
      const { id } = await start(page);
      for (const phase of PHASES) await save(page, id, phase.slug, DESIGN[phase.slug]);
      await save(page, id, "requirements", RICH, 1);
      await page.goto(`/attempts/${id}/requirements/history`);
      await look(page, "history");
      await page.goto(`/attempts/${id}/worksheet/history`);
      await look(page, "an empty history");

      await page.goto(`/attempts/${id}/score`);
      await page.getByRole("radio").nth(1).check();
      await look(page, "score");
      await page.getByRole("button", { name: "Commit the scores and show the reference" }).click();
      await expect(page.getByRole("alert")).toBeVisible();
      await look(page, "score with faults");

      // The page of a stale save by form.
      const second = await start(page, { prompt: "news-feed" });
      await save(page, second.id, "api", "Elsewhere.");
      await page.route("**/*.wasm", (route) => route.abort());
      watch.allow(/wasm|Failed to fetch|net::ERR_FAILED/);
      await page.goto(`/attempts/${second.id}/requirements`);
      await page.evaluate((path) => {
        const form = document.createElement("form");
        form.method = "post";
        form.action = path;
        for (const [name, value] of Object.entries({ base: "0", key: "another", body: "Here." })) {
          const field = document.createElement("input");
          [field.name, field.value] = [name, value];
          form.append(field);
        }
        document.body.append(form);
        form.submit();
      }, `/attempts/${second.id}/api`);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Two versions of API");
      await look(page, "the page of two versions");

      await commitScore(page, id, { weakest: "consistency" });
      await page.goto(`/attempts/${id}/result`);
      await look(page, "result");
      await commitScore(page, id);
      await page.goto(`/attempts/${id}/result`);
      await look(page, "result, scored again");
      await commitScore(page, second.id, { weakest: "api" });
      await page.goto("/attempts");
      await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
      await look(page, "attempts with a chart");
    });
  });
}
