// The overview of the page and a mail, as the README shows them: light, and as small as can be read.

import { join } from "node:path";
import { chromium } from "playwright-core";

const [executablePath, page, mail, docs] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
for (const [name, url, width, height] of [["page", page, 1200, 1215], ["mail", mail, 720, 900]]) {
  const context = await browser.newContext({ colorScheme: "light", viewport: { width, height }, javaScriptEnabled: false });
  const shown = await context.newPage();
  await shown.goto(url);
  await shown.screenshot({ path: join(docs, `${name}.png`) });
  await context.close();
}
await browser.close();
