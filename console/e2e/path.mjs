// Walks the whole path in a real browser against a real server: the first administrator by
// the one-time link, a customer, a site, a token, a device that comes in, an approval, and
// a need that becomes verified without a reload. A program beside it runs the line that
// the page shows on a real device: it is told with "ENROL …" and answers with a line.
//
//   LINK=… SHOTS=… ITEM=… OTHER=… node path.mjs

import { createInterface } from "node:readline/promises";
import { accessibility, answer, browser, open, openNeed, overflow, settled, setUp, visit } from "./lib.mjs";

const { LINK, SHOTS, ITEM, OTHER } = process.env;
const base = new URL(LINK).origin;
const talk = createInterface({ input: process.stdin });
const chromium = await browser();
const page = await open(chromium, { base });
const faults = [];

async function shot(name) {
  await settled(page);
  await page.screenshot({ path: `${SHOTS}/${name}.png` });
  for (const fault of [...page.faults.splice(0), ...(await accessibility(page))]) faults.push(`${name}: ${fault}`);
}

await setUp(page, LINK, { name: "Ann Admin", email: "ann@msp.example", password: "correct horse battery staple" });
await shot("1-empty");

await visit(page, "/customers");
await page.getByRole("button", { name: "Add a customer" }).first().click();
await page.getByRole("dialog").getByLabel("Name").fill("Acme");
await page.getByRole("button", { name: "Add the customer" }).click();
await page.waitForURL(/\/customers\/cus_/);
await page.getByRole("button", { name: "Add a site" }).first().click();
await page.getByRole("dialog").getByLabel("Name").fill("Head office");
await shot("2-site");
await page.getByRole("button", { name: "Add the site" }).click();
await page.waitForURL(/\/sites\/site_/);

await visit(page, "/enrolment");
await page.getByRole("button", { name: "Make a token" }).click();
const line = page.locator(".copy-line code").first();
await line.waitFor();
await shot("3-token");
console.log("ENROL " + (await line.textContent()));
const [device] = (await new Promise((resolve) => talk.on("line", resolve))).split(" ");

const drawer = await openNeed(page, device, ITEM);
await shot("4-waits");
await drawer.getByRole("button", { name: "Approve…" }).click();
await answer(page, { now: true });
// The page is not touched again: the steps arrive by themselves.
try {
  await drawer.getByText("Verified", { exact: true }).first().waitFor({ timeout: 60000 });
} catch (error) {
  await page.screenshot({ path: `${SHOTS}/5-stuck.png` });
  throw error;
}
await shot("5-verified");

const other = await openNeed(page, device, OTHER);
await other.getByRole("button", { name: "Reject…" }).click();
await answer(page, { reason: "Breaks the till" });
await other.getByText("Breaks the till").first().waitFor();
await shot("6-rejected");

for (const [width, dark] of [[1400, false], [1400, true], [390, false], [390, true]]) {
  await page.setViewportSize({ width, height: 900 });
  await page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
  for (const [name, path] of [["home", "/"], ["device", `/devices/${device}`], ["activity", "/activity"]]) {
    await visit(page, path);
    await shot(`${name}-${width}-${dark ? "dark" : "light"}`);
    const wide = await overflow(page);
    if (wide > 0) faults.push(`${name} at ${width}: ${wide} px wider than the window`);
  }
}
await chromium.close();
talk.close();
for (const fault of faults) console.log("FAULT " + fault);
process.exit(faults.length > 0 ? 1 : 0);
