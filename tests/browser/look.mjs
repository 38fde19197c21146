// Opens every page of `hedge demo --stay` in a browser, clicks from symbol to fill to order to
// break, in light, dark and on a phone, with and without JavaScript. It fails on any message of
// the console, any request that goes elsewhere or fails, any page that is wider than its screen,
// any words that are squeezed into a column of letters, and any serious finding of axe. What was seen lies in the directory named last.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, chmodSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const [hedge, executablePath, screenshots] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const LOOKS = [
  { name: "light", colorScheme: "light", viewport: { width: 1280, height: 900 } },
  { name: "dark", colorScheme: "dark", viewport: { width: 1280, height: 900 } },
  { name: "phone", colorScheme: "light", viewport: { width: 390, height: 844 } },
  { name: "phone-dark", colorScheme: "dark", viewport: { width: 390, height: 844 } },
];

const found = [];
const wrong = (where, what) => found.push(`${where}: ${what}`);

/** A demo that has played its acts and shows its page; its address, and how it is ended. */
async function demo() {
  const data = mkdtempSync(join(tmpdir(), "hedge-browser-"));
  chmodSync(data, 0o711);
  const environment = { PATH: process.env.PATH, HOME: data, ...(process.env.PG_BIN && { PG_BIN: process.env.PG_BIN }) };
  const program = spawn(hedge, ["--data", data, "demo", "--stay"], { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const url = new Promise((resolve, reject) => {
    const hear = (text) => {
      said += text;
      const at = said.match(/in a browser:\s+(http:\S+)/);
      if (at) { resolve(at[1]); }
    };
    program.stdout.setEncoding("utf8").on("data", hear);
    program.stderr.setEncoding("utf8").on("data", (text) => { said += text; });
    program.on("exit", (code) => reject(new Error(`the demo ended with ${code}:\n${said}`)));
    setTimeout(() => reject(new Error(`the demo shows no page:\n${said}`)), 240_000).unref();
  });
  const end = () => new Promise((ended) => {
    program.removeAllListeners("exit");
    program.on("exit", () => { rmSync(data, { recursive: true, force: true }); ended(); });
    program.kill("SIGTERM");
  });
  try {
    const at = await url;
    return { at, end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** A page in this look, whose every complaint is kept. */
async function opened(browser, at, look, javaScriptEnabled) {
  const { name, colorScheme, viewport } = look;
  const context = await browser.newContext({ colorScheme, viewport, javaScriptEnabled, reducedMotion: "reduce", deviceScaleFactor: 1 });
  const page = await context.newPage();
  const where = () => `${name}, ${javaScriptEnabled ? "with" : "without"} JavaScript, ${new URL(page.url()).pathname}`;
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) { wrong(where(), message.text()); } });
  page.on("pageerror", (error) => wrong(where(), error.message));
  page.on("request", (request) => { if (!request.url().startsWith(at)) { wrong(where(), `asks ${request.url()}`); } });
  page.on("response", (response) => { if (response.status() >= 400) { wrong(where(), `${response.status()} of ${response.url()}`); } });
  // What is on its way when the page is left is no failure.
  page.on("requestfailed", (request) => {
    const why = request.failure()?.errorText ?? "";
    if (why !== "net::ERR_ABORTED") { wrong(where(), `${request.url()}: ${why}`); }
  });
  return { context, page, where };
}

async function seen({ page, where }, look, script, name) {
  await page.waitForSelector("main h1");
  await page.screenshot({ path: join(screenshots, `${look.name}${script ? "" : "-plain"}-${name}.png`), fullPage: true });
  if (!script) { return; }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) { wrong(where(), `wider than the screen by ${wide} px`); }
  const squeezed = await page.evaluate(() => [...document.querySelectorAll("main *")]
    .filter((element) => element.childElementCount === 0 && element.textContent.length > 3 && element.offsetHeight > 4 * element.offsetWidth)
    .map((element) => element.textContent));
  if (squeezed.length > 0) { wrong(where(), `squeezed: ${squeezed.slice(0, 3).join(", ")}`); }
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  for (const { id, impact, help, nodes } of violations) {
    const line = `axe ${impact}: ${id}, ${help}: ${nodes.slice(0, 3).map((node) => node.html).join(" ")}`;
    if (["serious", "critical"].includes(impact)) { wrong(where(), line); } else { console.log(`  ${where()}: ${line}`); }
  }
}

/** From the overview to a symbol, its fill, the order that hedged it, and a break; and the jobs. */
async function walked(browser, at, look, script) {
  const it = await opened(browser, at, look, script);
  const { page, context } = it;
  const click = async (prefix, within = "main") => {
    await page.locator(`${within} a[href^="${prefix}"]`).first().click();
    await page.waitForURL(`**${prefix}**`);
  };
  await page.goto(at);
  await seen(it, look, script, "overview");
  await click("/symbol/AAPL");
  await seen(it, look, script, "symbol");
  await click("/fill/");
  await seen(it, look, script, "fill");
  // The newest fill may not be hedged yet: one that is has an order.
  if (await page.locator('main a[href^="/order/"]').count() === 0) {
    await page.goto(at);
    // And an order that only unwinds another one has no fill.
    const orders = await page.locator('#orders a[href^="/order/"]').evaluateAll((all) => all.map((one) => one.getAttribute("href")));
    for (const order of orders) {
      await page.goto(new URL(order, at).href);
      if (await page.locator('#covers a[href^="/fill/"]').count() > 0) { break; }
    }
    await click("/fill/", "#covers");
    await seen(it, look, script, "fill");
  }
  await click("/order/");
  await seen(it, look, script, "order");
  await click("/fill/", "#covers");
  await page.goto(at);
  await click("/break/");
  await seen(it, look, script, "break");
  await page.locator('nav a[href="/jobs"]').click();
  await page.waitForURL("**/jobs");
  await seen(it, look, script, "jobs");
  await context.close();
}

/** With a script, the page is another one a few seconds later, by itself; and what is old says so. */
async function refreshed(browser, at) {
  const it = await opened(browser, at, LOOKS[0], true);
  await it.page.goto(at);
  const as_of = () => it.page.locator(".asof time").getAttribute("datetime");
  const before = await as_of();
  await it.page.waitForFunction((before) => document.querySelector(".asof time").getAttribute("datetime") !== before, before, { timeout: 15_000 })
    .catch(() => wrong("refresh", "the page does not refresh itself"));
  await it.context.close();
}

mkdirSync(screenshots, { recursive: true });
const { at, end } = await demo();
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
try {
  for (const look of LOOKS) {
    for (const script of [true, false]) { await walked(browser, at, look, script); }
  }
  await refreshed(browser, at);
} finally {
  await browser.close();
  await end();
}
for (const line of found) { console.error(line); }
console.log(`${LOOKS.length * 2} walks; ${found.length} findings; screenshots in ${screenshots}`);
process.exit(found.length === 0 ? 0 : 1);
