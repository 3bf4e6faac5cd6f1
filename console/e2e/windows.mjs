// A technician and a Windows machine, in a real browser against a real server: its old program
// is seen, approved, verified without a reload, and taken back. A program beside it reads the
// machine's own registry: it is told with "LISTS version" and answers with what is there.
//
//   BASE=… EMAIL=… PASSWORD=… DEVICE=… ITEM=… FROM=… TO=… SHOTS=… node windows.mjs

import { createInterface } from "node:readline/promises";
import { accessibility, answer, browser, open, openNeed, overflow, settled, signIn, visit } from "./lib.mjs";

const { BASE, EMAIL, PASSWORD, DEVICE, ITEM, FROM, TO, SHOTS } = process.env;
const talk = createInterface({ input: process.stdin });
const chromium = await browser();
const page = await open(chromium, { base: BASE });
const faults = [];
const patience = { timeout: 180_000 }; // wine, on a machine that does much else

async function shot(name) {
  await settled(page);
  await page.screenshot({ path: `${SHOTS}/windows-${name}.png` });
  for (const fault of [...page.faults.splice(0), ...(await accessibility(page))]) faults.push(`${name}: ${fault}`);
}

/** What is done where a wait was in vain: a picture of where it stood. */
async function patiently(name, wait) {
  try {
    await wait();
  } catch (error) {
    await page.screenshot({ path: `${SHOTS}/windows-${name}-stuck.png` });
    throw error;
  }
}

async function lists(version) {
  const answered = new Promise((resolve) => talk.once("line", resolve));
  console.log("LISTS " + version);
  const there = await answered;
  if (there !== version) faults.push(`the page says ${version}, and Windows lists ${there}`);
}

await signIn(page, { email: EMAIL, password: PASSWORD });
await visit(page, "/catalog");
await page.getByRole("row").filter({ hasText: ITEM }).getByRole("link", { name: "1 of 1" }).waitFor();
await page.getByRole("row").filter({ hasText: ITEM }).click();
const program = page.getByRole("complementary", { name: "One program of the catalogue" });
await program.getByText("its file is here").nth(1).waitFor();
await shot("1-catalogue");

const drawer = await openNeed(page, DEVICE, ITEM);
await drawer.getByText("Waits for decision").first().waitFor();
await drawer.locator(`[title="${FROM} → ${TO}"]`).first().waitFor();
await shot("2-waits");
await drawer.getByRole("button", { name: "Approve…" }).click();
await answer(page, { now: true });
// The page is not touched again: the steps arrive by themselves.
await patiently("3-verified", () => drawer.getByText("Verified", { exact: true }).first().waitFor(patience));
await shot("3-verified");
await lists(TO);

await drawer.getByRole("button", { name: "Undo…" }).click();
await answer(page, { now: true, reason: "It does not print" });
await patiently("4-taken-back", () => drawer.locator(".chain-verdict", { hasText: "Taken back" }).waitFor(patience));
await drawer.locator(".chain-sentence", { hasText: "It does not print" }).waitFor();
await shot("4-taken-back");
await lists(FROM);

for (const [width, dark] of [[1400, false], [390, true]]) {
  await page.setViewportSize({ width, height: 900 });
  await page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
  const parts = { needs: "", inventory: "?tab=inventory", about: "?tab=about", timeline: "?tab=timeline" };
  const all = { ...Object.fromEntries(Object.entries(parts).map(([tab, query]) => [tab, `/devices/${DEVICE}${query}`])), catalogue: "/catalog", files: "/catalog?tab=files" };
  for (const [name, path] of Object.entries(all)) {
    await visit(page, path);
    await shot(`${name}-${width}`);
    const wide = await overflow(page);
    if (wide > 0) faults.push(`${name} at ${width}: ${wide} px wider than the window`);
  }
}
await chromium.close();
talk.close();
for (const fault of faults) console.log("FAULT " + fault);
process.exit(faults.length > 0 ? 1 : 0);
