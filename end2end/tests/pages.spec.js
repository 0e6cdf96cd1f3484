// What holds for the pages as pages: addresses, back and forward, the theme, fetching ahead, headers, print.

import { DESIGN, PHASES, Workspace, commitScore, exported, save, start } from "../support/attempt.js";
import { relayTo } from "../support/relay.js";
import { WITHOUT_SCRIPTS, answered, expect, test } from "../support/test.js";

test("a phase has an address; back and forward go between phases", async ({ page, watch }) => {
  watch.allow(answered(404));
  const { id, path } = await start(page);
  const desk = new Workspace(page);
  await desk.goto(`/attempts/${id}/data-model`);
  await expect(desk.heading("Data model")).toBeVisible();
  await expect(desk.link("Data model")).toHaveAttribute("aria-current", "step");
  await desk.link("API").click();
  await desk.text("API").pressSequentially("POST /payments");
  await desk.link("Trade-offs and rollout").click();
  await expect(page).toHaveTitle("Trade-offs and rollout · Payments processor · Headroom");
  await page.goBack();
  await expect(page).toHaveURL(`/attempts/${id}/api`);
  await expect(desk.heading("API")).toBeVisible();
  await expect(page).toHaveTitle("API · Payments processor · Headroom");
  await expect(desk.text("API")).toHaveValue("POST /payments");
  await page.goBack();
  await expect(desk.heading("Data model")).toBeVisible();
  await page.goForward();
  await expect(desk.heading("API")).toBeVisible();
  await desk.saved();
  // To a page and back again.
  await page.getByRole("link", { name: "History" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("History of API");
  await page.goBack();
  await desk.live();
  await expect(desk.text("API")).toHaveValue("POST /payments");
  // The numbers are on the page of the estimates, and the attempt's own address leads to where one was.
  await desk.goto(`/attempts/${id}/worksheet`);
  await expect(desk.heading("Estimates")).toBeVisible();
  await expect(page.getByLabel("Charge requests at peak")).toBeVisible();
  await expect(desk.text("Notes on your estimates")).toBeVisible();
  await page.goto(`/attempts/${id}/consistency`);
  await page.goto(`/attempts/${id}`);
  await expect(page).toHaveURL(`/attempts/${id}/consistency`);
  expect((await page.goto(`/attempts/${id}/nowhere`)).status()).toBe(404);
  expect(path).toContain(id);
});

test("preview and side panel are remembered on this device", async ({ page }) => {
  const { path } = await start(page);
  const desk = new Workspace(page);
  await desk.goto(path);
  await page.getByText("Both", { exact: true }).click();
  await page.getByRole("button", { name: "Side panel" }).click();
  await expect(desk.side).toBeHidden();
  await page.reload();
  await desk.live();
  await expect(desk.preview).toBeVisible();
  await expect(desk.side).toBeHidden();
  await expect(page.getByRole("button", { name: "Side panel" })).toHaveAttribute("aria-pressed", "false");
});

test("another browser's attempt is not there", async ({ page, browser, baseURL, watch }) => {
  const { id, path } = await start(page);
  const context = await browser.newContext({ baseURL });
  watch.over(context);
  watch.allow(answered(404));
  const stranger = await context.newPage();
  for (const address of [path, `/attempts/${id}`, `/attempts/${id}/score`, `/attempts/${id}/result`, `/attempts/${id}/export/attempt.md`]) {
    const answer = await stranger.goto(address);
    expect(answer.status(), address).toBe(404);
    await expect(stranger.getByRole("heading", { level: 1 })).toHaveText("There is nothing here");
  }
  await stranger.getByRole("main").getByRole("link", { name: "Your attempts" }).click();
  await expect(stranger.getByText("Your attempts will be listed here")).toBeVisible();
  await context.close();
});

for (const javaScriptEnabled of [true, false]) {
  test(`the theme's buttons work and are remembered, ${javaScriptEnabled ? "with" : "without"} JavaScript`, async ({ browser, baseURL, watch }) => {
    const context = await browser.newContext({ baseURL, javaScriptEnabled, colorScheme: "light" });
    watch.over(context);
    if (!javaScriptEnabled) watch.allow(...WITHOUT_SCRIPTS);
    const page = await context.newPage();
    const shade = async () => {
      const [red, green, blue] = await page.evaluate(() => {
        const canvas = document.createElement("canvas").getContext("2d");
        canvas.fillStyle = getComputedStyle(document.documentElement).backgroundColor;
        canvas.fillRect(0, 0, 1, 1);
        return canvas.getImageData(0, 0, 1, 1).data;
      });
      return (red + green + blue) / 3 > 128 ? "light" : "dark";
    };
    const theme = page.getByRole("form", { name: "Theme" });
    const pressed = (name) => expect(theme.getByRole("button", { name })).toHaveAttribute("aria-pressed", "true");
    await page.goto("/prompts?level=staff");
    await pressed("Auto");
    expect(await shade()).toBe("light");
    await theme.getByRole("button", { name: "Dark" }).click();
    await expect(page, "the page comes back").toHaveURL("/prompts?level=staff");
    await pressed("Dark");
    expect(await shade()).toBe("dark");
    await page.goto("/prompts/news-feed");
    await pressed("Dark");
    expect(await shade()).toBe("dark");
    // The workspace has no buttons and follows.
    await page.getByRole("button", { name: "Start the attempt" }).click();
    await expect(page.getByRole("navigation", { name: "Phases" })).toBeVisible();
    expect(await shade()).toBe("dark");
    await page.goto("/attempts");
    await theme.getByRole("button", { name: "Light" }).click();
    await expect(page).toHaveURL("/attempts");
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await shade()).toBe("light");
    await theme.getByRole("button", { name: "Auto" }).click();
    await pressed("Auto");
    expect(await shade()).toBe("dark");
    await context.close();
  });
}

test("a link that is pointed at is fetched ahead, and never an attempt", async ({ browser, server, watch }) => {
  const relay = await relayTo(server);
  watch.origins.push(relay.url);
  const context = await browser.newContext({ baseURL: relay.url });
  watch.over(context);
  try {
    const page = await context.newPage();
    await page.goto("/");
    const ahead = () => relay.seen.filter((request) => request.purpose.includes("prefetch")).map((request) => request.path);
    await page.getByRole("link", { name: "Distributed rate limiter" }).hover();
    await expect.poll(ahead).toContain("/prompts/distributed-rate-limiter");
    await page.getByRole("link", { name: "Your attempts" }).hover();
    await page.waitForTimeout(1_500);
    await start(page);
    await page.goto("/attempts");
    for (const link of await page.getByRole("main").getByRole("link").all()) await link.hover();
    await page.waitForTimeout(1_000);
    expect(ahead().filter((path) => path.startsWith("/attempts"))).toEqual([]);
    // What was fetched ahead is the page.
    await page.goto("/");
    await page.getByRole("link", { name: "Distributed rate limiter" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(/rate limiter/i);
  } finally {
    await context.close();
    await relay.close();
  }
});

test("pages to read run no script, and come again as 304", async ({ page }) => {
  for (const address of ["/", "/prompts", "/prompts/payments-processor"]) {
    const scripts = [];
    page.on("request", (request) => {
      if (["script", "fetch", "xhr"].includes(request.resourceType()) || request.url().endsWith(".wasm")) scripts.push(request.url());
    });
    const answer = await page.goto(address);
    expect(scripts, address).toEqual([]);
    const headers = answer.headers();
    expect(headers["content-security-policy"]).toContain("script-src 'none'");
    expect(headers.etag).toBeTruthy();
    const again = await page.request.get(address, { headers: { "if-none-match": headers.etag } });
    expect(again.status(), address).toBe(304);
    await expect(page.locator('link[rel="canonical"]')).toHaveAttribute("href", /^http/);
    await expect(page.locator('meta[name="description"]')).toHaveAttribute("content", /.{40}/);
    await expect(page.locator('meta[property="og:title"]')).toHaveAttribute("content", /Headroom/);
  }
});

test("a filter that fits nothing, and one that is not understood, say so", async ({ page }) => {
  await page.goto("/prompts?level=mid&topic=geo");
  await expect(page.getByText(/^0 of \d+ prompts$/)).toBeVisible();
  await expect(page.getByText("No prompt fits")).toBeVisible();
  await page.getByRole("main").getByRole("link", { name: "show all prompts" }).click();
  await expect(page.getByText(/^\d+ prompts$/)).toBeVisible();
  await page.goto("/prompts?level=boss&topic=astrology");
  await expect(page.getByText("There is no level “boss”, so it is left out.")).toBeVisible();
  await expect(page.getByText(/^\d+ prompts$/)).toBeVisible();
  await page.getByRole("link", { name: "Practice" }).click();
  await expect(page).toHaveURL("/prompts");
});

test("what a candidate writes is text, wherever it is shown", async ({ page, context }) => {
  const evil = "</textarea><img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>\n\n[click](javascript:alert(1)) ![p](https://example.org/p.png)";
  const { id, path } = await start(page);
  await save(page, id, "requirements", evil);
  const desk = new Workspace(page);
  await desk.goto(path);
  await expect(desk.text("Requirements")).toHaveValue(evil);
  await page.getByText("Preview", { exact: true }).click();
  await expect(desk.preview).toContainText("<script>document.title='owned'</script>");
  await expect(desk.preview.locator("img, script")).toHaveCount(0);
  await expect(desk.preview.locator('[href^="javascript"]')).toHaveCount(0);
  for (const address of [`/attempts/${id}/requirements/history`, `/attempts/${id}/score`]) {
    await page.goto(address);
    await expect(page.locator("main img, main script:not([nonce])")).toHaveCount(0);
    await expect(page).not.toHaveTitle("owned");
  }
  expect((await exported(page, id)).text("requirements")).toBe(evil);
  expect(context.pages()).toHaveLength(1);
});

test("a result prints as a document: no bars, no forms, nothing closed", async ({ page }) => {
  const { id } = await start(page);
  for (const phase of PHASES) await save(page, id, phase.slug, DESIGN[phase.slug]);
  await commitScore(page, id, { weakest: "api" });
  await page.goto(`/attempts/${id}/result`);
  await page.emulateMedia({ media: "print" });
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByRole("banner")).toBeHidden();
  await expect(page.getByRole("contentinfo")).toBeHidden();
  await expect(page.getByRole("link", { name: "Export as Markdown" })).toBeHidden();
  for (const control of await page.locator("form, button, input, select, textarea").all()) await expect(control).toBeHidden();
  await expect(page.getByRole("region", { name: "The reference beside yours" })).toBeVisible();
  const pdf = await page.pdf();
  expect(pdf.length).toBeGreaterThan(20_000);

  await page.goto("/prompts/payments-processor");
  for (const control of await page.locator("form, button, input, select, textarea").all()) await expect(control).toBeHidden();
  await expect(page.getByText("Follow one charge from the customer's screen")).toBeVisible();
});
