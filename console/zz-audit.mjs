import { chromium } from "playwright-core";
const b = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
for (const name of ["full", "clean", "none"]) for (const [w, dark] of [[1400, false], [1400, true], [390, false], [390, true]]) {
  const p = await (await b.newContext({ viewport: { width: w, height: 900 }, colorScheme: dark ? "dark" : "light" })).newPage();
  await p.goto(`file:///tmp/c5-audit-${name}.html`);
  await p.screenshot({ path: `/tmp/c5-audit-${name}-${w}-${dark ? "dark" : "light"}.png`, fullPage: true });
  const over = await p.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (over > 0) console.log(name, w, "overflow", over);
}
await b.close();
