// Helpers for driving the console in a real browser. They know the pages by the words a
// person reads, so a test breaks when a person would be lost.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);

/** Starts the browser that is installed, or the one CHROMIUM names. */
export function browser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"],
  });
}

/** A page of the console of a given width and colour scheme. What goes wrong in it is kept in page.faults. */
export async function open(chromium, { width = 1400, height = 900, dark = false, base } = {}) {
  const context = await chromium.newContext({
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
    baseURL: base,
    reducedMotion: "reduce",
    ignoreHTTPSErrors: true,
    permissions: ["clipboard-read", "clipboard-write"],
    locale: "en-GB",
  });
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(`error: ${error.message}`));
  page.on("console", (message) => message.type() === "error" && page.faults.push(`console: ${message.text()}`));
  return page;
}

/** Goes to a page and waits until what it shows has been loaded. */
export async function visit(page, path) {
  await page.goto(path, { waitUntil: "domcontentloaded" });
  await settled(page);
}

/** Waits until nothing is loading any more. */
export async function settled(page) {
  await page.waitForFunction(() => document.querySelector("h1") && !document.querySelector("[aria-busy=true], .waiting"), null, { timeout: 15000 });
  if (new URL(page.url()).searchParams.has("need")) await page.locator(".drawer :is(.chain, [role=alert])").first().waitFor();
  await page.waitForTimeout(200); // chunks that a page does not wait for
  await page.evaluate(() => document.fonts.ready);
}

/** Creates the first administrator by the one-time link. */
export async function setUp(page, link, { name, email, password }) {
  await page.goto(link);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Create the administrator" }).click();
  await page.waitForURL((url) => url.pathname === "/" || url.pathname === "/totp");
}

/** Signs in; code is asked for only where a second factor is set up. */
export async function signIn(page, { email, password, code }) {
  await page.goto("/signin");
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  if (code) {
    await page.getByLabel("Code from your authenticator app").fill(await code());
    await page.getByRole("button", { name: "Sign in" }).click();
  }
  await page.waitForURL((url) => url.pathname !== "/signin");
}

/** Opens the drawer of one item on a device's page and gives its locator. */
export async function openNeed(page, deviceID, item) {
  await visit(page, `/devices/${deviceID}`);
  await page.getByRole("row").filter({ hasText: item }).first().click();
  const drawer = page.getByRole("complementary", { name: "Why this is not patched" });
  await drawer.waitFor();
  return drawer;
}

/** Answers the approval dialog that is open. */
export async function answer(page, { now = false, reason } = {}) {
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  if (now) await dialog.getByText("Now", { exact: true }).click();
  if (reason) await dialog.getByLabel(/^Reason/).fill(reason);
  const button = dialog.getByRole("button", { name: /^(Approve for|Reject for|Undo on)/ });
  await button.click();
  await dialog.waitFor({ state: "detached" });
}

/** What axe-core finds that is serious or worse, as sentences. */
export async function accessibility(page) {
  await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations
    .filter((v) => v.impact === "serious" || v.impact === "critical")
    .map((v) => `${v.id}: ${v.help} (${v.nodes.length}): ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 140)).join(" | ")} ${v.nodes[0]?.any?.[0]?.message ?? ""}`);
}

/** By how many pixels the page is wider than its window. */
export const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Starts a program and waits until it prints what says that it serves. */
export function start(command, args, says) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += chunk;
      if (says.test(text)) resolve({ child, text, stop: () => child.kill("SIGINT") });
    });
    child.on("exit", (code) => reject(new Error(`${command} ended with ${code} before it served`)));
  });
}
