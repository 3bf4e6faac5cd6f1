// Goes through the console as a person does, against the mock server, and fails when a person
// would be stuck:  node e2e/flows.mjs --mock /tmp/mockserver [--only PART]

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { answer, browser, open, openNeed, settled, setUp, signIn, start, visit } from "./lib.mjs";

const { values: o } = parseArgs({ options: { mock: { type: "string" }, only: { type: "string", default: "" } } });
const person = { name: "Mia Berger", email: "mia@example.test", password: "four words make one" };
const get = async (base, path) => (await fetch(base + "/api/v1" + path)).json();

const flows = {
  "approve and watch it move": async ({ page, base }) => {
    const waits = (await get(base, "/needs?state=waits_person&limit=200")).items.find((n) => n.can.approve === "" && n.verdict.name === "WAITS_DECISION");
    const drawer = await openNeed(page, waits.device.id, waits.item.name);
    await drawer.getByText("Waits for decision").waitFor();
    await drawer.getByRole("button", { name: "Approve…" }).first().click();
    await answer(page, { reason: "tried on our own machines" });
    await page.getByText(/^Approved for 1 device/).waitFor();
    await drawer.getByText("Waits for decision").waitFor({ state: "detached" });
    await drawer.getByText(`Approved for ${waits.device.name} by Mia Berger`, { exact: false }).waitFor();
  },

  "what ends when leads to what ends, and to the devices that have it": async ({ page, base }) => {
    const all = await get(base, "/support?limit=200");
    await visit(page, "/findings");
    await page.getByRole("navigation", { name: "Pages on what is known" }).getByRole("link", { name: "Support" }).click();
    await page.getByRole("heading", { name: "What ends when" }).waitFor();
    await page.getByText(`${all.total} lines of releases`).waitFor();
    await page.getByRole("button", { name: "As a table" }).click();
    await page.getByRole("columnheader", { name: "What ends" }).waitFor();
    await page.getByRole("button", { name: "As a picture" }).click();
    const farther = (await get(base, "/support?limit=200&within=365")).total;
    await page.getByRole("button", { name: "A year", exact: true }).click();
    await page.getByText(`${farther} lines of releases`).waitFor();
    const one = all.items.find((r) => r.kind === "application" && r.state === "ended");
    await page.getByRole("link", { name: `${one.title} ${one.cycle}`, exact: true }).first().click();
    await page.getByText(`${one.devices} item${one.devices === 1 ? "" : "s"}`, { exact: false }).first().waitFor();
    await page.locator("tbody a").first().click();
    await page.getByText("For how long anybody mends the applications here.", { exact: false }).waitFor();
  },

  "what is not looked at is told with what it is of, and why": async ({ page, base }) => {
    const whole = await get(base, "/coverage/summary");
    await visit(page, "/support");
    await page.getByRole("link", { name: "Coverage", exact: true }).click();
    await page.getByText(`${whole.looked} of ${whole.devices} devices`, { exact: false }).first().waitFor();
    const row = page.locator("tr", { hasText: "flatpak" });
    await row.getByText("What flatpak has is not joined to what advisories call it.").waitFor();
    await page.getByRole("link", { name: "osv-debian" }).click();
    await page.waitForURL(/tab=feeds/);
    await page.getByText("osv-debian").first().waitFor();
    await visit(page, "/coverage");
    await page.getByRole("button", { name: "Everything is", exact: true }).click();
    await page.getByText("Nothing like that").waitFor();
  },

  "what nobody updates, and what there are several of, leads to devices": async ({ page, base }) => {
    const [item] = (await get(base, "/software/unattended?limit=1")).items;
    const [purpose] = (await get(base, "/software/several")).items;
    await visit(page, "/coverage");
    await page.getByRole("link", { name: "Updated by nobody", exact: true }).click();
    await page.getByRole("link", { name: item.name, exact: true }).click();
    await page.getByText(`On ${item.devices} devices.`, { exact: false }).waitFor();
    await page.goBack();
    const row = page.locator("tr", { hasText: purpose.purpose });
    await row.getByText(purpose.programs.map((p) => `${p.name} (${p.devices})`).join(", ")).waitFor();
    await row.getByRole("link", { name: String(purpose.several), exact: true }).click();
    await page.getByRole("heading", { name: `Several: ${purpose.purpose}` }).waitFor();
    await page.getByText(`On ${purpose.several} devices.`, { exact: false }).waitFor();
  },

  "what is known of a product is found by its name, also when no device has it": async ({ page }) => {
    await visit(page, "/");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: /Find a device/ }).fill("openssl");
    await page.getByRole("option", { name: /About openssl/ }).click();
    await page.waitForURL(/products\/openssl/);
    await page.getByRole("heading", { name: "How often it is mended" }).waitFor();
    await page.getByText("2 with a version that mends it", { exact: false }).waitFor();
    await page.getByRole("heading", { name: "Known to be exploited" }).waitFor();
    await page.getByText("OpenSSL 3.3", { exact: true }).first().waitFor();
    await visit(page, "/products/nobody-has-this");
    await page.getByText("No feed that holds here speaks of it by this name").waitFor();
    await page.getByText("never installed or updated here", { exact: false }).waitFor();
  },

  "reject only with a reason, and withdraw it": async ({ page, base }) => {
    const waits = (await get(base, "/needs?state=waits_person&limit=200")).items.find((n) => n.can.reject === "" && n.verdict.name === "WAITS_DECISION");
    const drawer = await openNeed(page, waits.device.id, waits.item.name);
    await drawer.getByRole("button", { name: "Reject…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Write a reason first.").waitFor();
    assert(await dialog.getByRole("button", { name: /^Reject/ }).isDisabled());
    await answer(page, { reason: "breaks the scanner" });
    await drawer.getByText("Rejected", { exact: true }).waitFor();
    await drawer.getByText("breaks the scanner").first().waitFor();
    await drawer.getByRole("button", { name: "Withdraw this decision" }).first().click();
    await drawer.getByText("Waits for decision").waitFor();
  },

  "from what is open to who is exposed, and the fix approved there": async ({ page, base }) => {
    await visit(page, "/findings");
    await page.getByRole("searchbox").or(page.getByPlaceholder("Search CVEs and packages")).first().fill("7-Zip");
    const row = page.getByRole("row", { name: /7-Zip/ });
    await row.waitFor();
    const cve = await row.getByRole("link").first().innerText();
    const before = await get(base, `/findings/${cve}`);
    assert(before.waiting > 0 && before.enrolled > before.devices, "the example has lost its fix");
    await row.getByRole("link").first().click();
    await page.getByRole("heading", { name: cve }).waitFor();
    await page.getByText(`of ${before.enrolled} devices`, { exact: false }).first().waitFor();
    await page.getByText("could not be looked at", { exact: false }).first().waitFor();
    await page.getByRole("button", { name: `Approve the fix for ${before.waiting} device${before.waiting === 1 ? "" : "s"}…` }).click();
    await answer(page, { reason: "it is in the news" });
    await page.getByText(/^Approved for \d devices?/).waitFor();
    await page.getByRole("button", { name: "Approve the fix…" }).waitFor();
    await page.getByText("All that is on offer and mends it is answered already.").waitFor();
    assert.equal((await get(base, `/findings/${cve}`)).waiting, 0, "it still waits for somebody");
  },

  "a program that only the NVD speaks of is marked so, and what was mended has its day": async ({ page, base }) => {
    const zip = (await get(base, "/findings?q=7-Zip")).items[0];
    await visit(page, `/findings/${zip.id}`);
    await page.getByText("unconfirmed").first().waitFor();
    await page.getByRole("table", { name: "Devices on which it was mended" }).getByRole("row").nth(1).waitFor();
    const device = (await get(base, `/findings/${zip.id}`)).customers[0].devices[0].device;
    await visit(page, `/devices/${device.id}?tab=findings`);
    await page.getByRole("link", { name: zip.id }).waitFor();
    await page.getByText("unconfirmed").first().waitFor();
  },

  "a CVE that nobody has is not said to be well everywhere": async ({ page }) => {
    await visit(page, "/findings/CVE-1999-0001");
    await page.getByText("Nobody is exposed, as far as is known").waitFor();
    await page.getByText("could not be looked at", { exact: false }).first().waitFor();
    assert(await page.getByRole("button", { name: /Approve the fix/ }).isDisabled());
  },

  "an installed update is taken back, and what goes with it is said": async ({ page, base }) => {
    const done = (await get(base, "/needs?state=verified&q=openssl&limit=200")).items.find((n) => n.can.undo === "" && n.item.name === "openssl");
    await visit(page, `/needs?need=${done.id}`);
    const drawer = page.getByRole("complementary", { name: "Why this is not patched" });
    await drawer.getByText(`goes back to ${done.previous}`).waitFor();
    await drawer.getByRole("button", { name: "Undo…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Write a reason first.").waitFor();
    assert(await dialog.getByRole("button", { name: /^Undo/ }).isDisabled());
    await dialog.getByText("It is a security update: what it closed is open again.").waitFor();
    await dialog.getByText("2 updates, taken back together").waitFor();
    await dialog.getByText("libssl3").waitFor();
    await answer(page, { now: true, reason: "breaks the till" });
    await page.getByText("Undo asked for on 1 device. It starts at the next check-in.").waitFor();
    await drawer.getByText(`Undo decided for ${done.device.name} by Mia Berger`, { exact: false }).waitFor();
    await drawer.locator(".chain-verdict", { hasText: "Taken back" }).waitFor({ timeout: 60_000 });
    await drawer.locator(".chain-sentence", { hasText: "breaks the till" }).waitFor();
    await drawer.getByRole("button", { name: "Approve again…" }).waitFor();
    const job = (await get(base, `/jobs?q=openssl&limit=200`)).items.find((j) => j.verb === "undo" && j.device.id === done.device.id);
    await visit(page, `/jobs/${job.id}`);
    await page.getByText("taken back", { exact: true }).waitFor();
    await visit(page, `/devices/${done.device.id}?tab=timeline`);
    await page.getByText(`Asked to take back openssl ${done.available} on ${done.device.name}, to begin at once`).waitFor();
    await page.getByText(`Finished and verified: openssl ${done.available} back to ${done.previous}`).waitFor();
  },

  "an undo that waits may begin now, and one that cannot be says why": async ({ page, base }) => {
    const waits = (await get(base, "/needs?state=waits_time&limit=500")).items.find((n) => n.job?.verb === "undo" && n.verdict.name === "WAITS_WINDOW");
    await visit(page, `/needs?need=${waits.id}`);
    const drawer = page.getByRole("complementary", { name: "Why this is not patched" });
    await drawer.getByRole("button", { name: "Undo now…" }).click();
    await answer(page, { reason: "it cannot wait" });
    await drawer.locator(".chain-verdict", { hasText: "Taken back" }).waitFor({ timeout: 60_000 });
    const kept = (await get(base, "/needs?state=verified&limit=500")).items.find((n) => n.can.undo.includes("keeps no older version"));
    await visit(page, `/needs?need=${kept.id}`);
    assert(await drawer.getByRole("button", { name: "Undo…" }).isDisabled());
    await drawer.getByText(kept.can.undo).waitFor();
  },

  "a stuck update engine says why, what was tried, whose turn it is, and what Windows says it did": async ({ page, base }) => {
    const [device] = (await get(base, "/devices?q=dc-01")).items;
    await visit(page, `/devices/${device.id}`);
    await page.getByRole("link", { name: "Stuck: cannot look for updates" }).click();
    const card = page.getByRole("region", { name: "Update engine" });
    await card.getByText("Your team's turn").waitFor();
    await card.getByText("0x80070422").first().waitFor();
    await card.getByText("Set wuauserv, bits and cryptsvc to manual or automatic", { exact: false }).waitFor();
    await card.getByText("done 3 of 3 times", { exact: false }).waitFor();
    assert.equal(await card.locator(".acts > li").count(), 3);
    await page.getByRole("region", { name: "Restart" }).getByText("No restart is asked for").waitFor();
    const history = page.getByRole("region", { name: "What Windows says it did" });
    await history.getByText("It proves nothing", { exact: false }).waitFor();
    await history.getByRole("button", { name: "Not installed" }).click();
    await page.waitForURL((url) => url.searchParams.get("state") === "failed");
    await settled(page);
    const rows = history.locator("tbody tr");
    assert(await rows.count() > 0 && (await rows.filter({ hasText: "Not installed" }).count()) === (await rows.count()));
    await history.getByRole("searchbox").fill("nothing is called that");
    await history.getByText("Nothing in the history is like that").waitFor();
    await history.getByRole("button", { name: "Show all of it" }).click();
    await history.getByText("Installed, it says").nth(1).waitFor();
  },

  "updates of one class are approved together, and what that means is said before": async ({ page, base }) => {
    const [device] = (await get(base, "/devices?q=terminal-gate")).items;
    await visit(page, `/devices/${device.id}`);
    await page.getByRole("group", { name: "Class" }).getByRole("button", { name: /^Critical fixes/ }).click();
    await page.getByText("2 needs wait for a person.").waitFor();
    await page.getByRole("button", { name: "Approve critical fixes…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("The licences of 2 updates that nobody agreed to yet are agreed to with it.").waitFor();
    await answer(page);
    await page.getByText("Approved for 1 device.").waitFor();
    await page.getByText("None waits for a person.").waitFor();
    await visit(page, "/updates?class=preview");
    await page.getByText("Previews are not finished: they are approved one by one.").waitFor();
    assert.equal(await page.getByRole("button", { name: /^Approve previews/ }).count(), 0);
  },

  "how an update could be taken back is said before it is approved": async ({ page, base }) => {
    const update = (await get(base, "/updates?limit=200")).items.find((u) => u.reversible.not_at_all > 0 && u.counts.waits_person > 0);
    await visit(page, `/updates?q=${encodeURIComponent(update.name)}`);
    await page.getByText(update.devices > update.reversible.not_at_all ? `${update.reversible.not_at_all} not possible` : "not possible").first().waitFor();
    await visit(page, `/updates/${update.id}`);
    await page.getByText("cannot be taken back", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Approve for…" }).click();
    await page.getByRole("dialog").getByText(/^\d+ devices? cannot go back: once installed it stays/).waitFor();
    await page.keyboard.press("Escape");
    await visit(page, "/settings");
    await page.getByText("taking the last update of a thing back", { exact: false }).waitFor();
  },

  "home tells of bulletins that touch somebody, and one leads to its fix": async ({ page, base }) => {
    await visit(page, "/");
    await page.locator("li", { hasText: /bulletins of the last 7 days touch devices here/ }).getByRole("link", { name: "Read them" }).click();
    await page.getByRole("heading", { name: "Bulletins" }).waitFor();
    const list = page.getByRole("table", { name: "Bulletins" });
    await list.getByRole("link", { name: "CVE-2026-900006" }).waitFor();
    assert.equal(await list.getByText("nobody").count(), 0);
    await page.getByRole("button", { name: "All", exact: true }).click();
    await list.getByText("nobody").first().waitFor();
    await page.getByRole("button", { name: "now exploited" }).click();
    await list.getByRole("link", { name: "CVE-2026-900006" }).click();
    const [news] = (await get(base, "/bulletins?kind=exploited&q=CVE-2026-900006")).items;
    await page.getByText(`Touches ${news.devices} of ${news.enrolled} devices at ${news.customers} customers now. ${news.unread} devices could not be looked at.`).waitFor();
    await page.getByRole("button", { name: /^Approve the fix for \d+ devices/ }).click();
    await page.getByRole("dialog").getByText(/what mends CVE-2026-900006/).waitFor();
    await page.keyboard.press("Escape");
  },

  "what is held says why, and is installed only by whoever sets the recall aside": async ({ page, base }) => {
    const [held] = (await get(base, "/needs?verdict=HELD&q=tzdata")).items;
    const drawer = await openNeed(page, held.device.id, "tzdata");
    await drawer.getByText(/Example MSP says that it makes trouble: The calendar of the booking system is an hour off/).waitFor();
    await drawer.getByText("It goes on when nothing holds it any more.").waitFor();
    assert.equal(await drawer.getByRole("button", { name: "Approve…", exact: true }).count(), 0);
    await drawer.getByRole("button", { name: "Install all the same…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Otherwise the approval waits").waitFor();
    await dialog.getByLabel(/Install it here all the same/).check();
    await dialog.getByText("Write a reason first.").waitFor();
    assert(await dialog.getByRole("button", { name: /^Approve/ }).isDisabled());
    await dialog.getByRole("textbox", { name: "Reason" }).fill("nothing here shows a calendar");
    await dialog.getByRole("button", { name: "Approve for 1 device" }).click();
    await drawer.getByText("Held", { exact: true }).first().waitFor({ state: "detached" });
    const [kept] = (await get(base, "/approvals?open=true&q=nothing%20here%20shows")).items;
    assert.deepEqual(kept.despite, ["own-recalls/tzdata-2024b"]);
  },

  "what is installed and recalled is told, with the way back": async ({ page, base }) => {
    const need = (await get(base, "/needs?verdict=RECALLED&limit=200")).items.find((n) => n.can.undo === "");
    const drawer = await openNeed(page, need.device.id, need.item.name);
    await drawer.getByText(/It can be taken back to/).waitFor();
    await drawer.getByRole("button", { name: "Undo…" }).click();
    await page.getByRole("dialog").getByText(/The version before is put back/).waitFor();
    await page.keyboard.press("Escape");
  },

  "now says that it goes outside the window": async ({ page }) => {
    await visit(page, "/updates?sort=-waiting&class=security");
    await page.keyboard.press("j");
    await page.keyboard.press("a");
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Now", { exact: true }).click();
    await dialog.getByText(/also outside its window, for the next 4 hours/).waitFor();
    await dialog.getByRole("button", { name: /^Approve for \d+ device/ }).waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  },

  "a removal is named, allowed and told": async ({ page, base }) => {
    const stuck = (await get(base, "/needs?state=failed&limit=200")).items.find((n) => n.verdict.sentence.includes("would have to remove"));
    const drawer = await openNeed(page, stuck.device.id, stuck.item.name);
    await drawer.getByRole("button", { name: "Approve the removal…" }).click();
    const dialog = page.getByRole("dialog");
    const field = dialog.getByLabel("Packages that may be removed");
    assert.equal(await field.inputValue(), "libc6-i386, lib32gcc-s1");
    await dialog.getByText(/libc6-i386 and lib32gcc-s1 may be removed. A removed package is gone/).waitFor();
    await field.fill("--all");
    await dialog.getByText("“--all” cannot be the name of a package.").waitFor();
    assert(await dialog.getByRole("button", { name: /^Approve/ }).isDisabled());
    await field.fill("libc6-i386, lib32gcc-s1");
    await dialog.getByRole("button", { name: "Approve for 1 device, with removal" }).waitFor();
    await answer(page, { now: true, reason: "nothing here is 32 bit" });
    await drawer.locator(".chain-sentence", { hasText: "would have to remove" }).waitFor({ state: "detached" });
    await visit(page, "/activity");
    await page.getByText(/even if that removes libc6-i386 and lib32gcc-s1/).first().waitFor();
  },

  "a removal may be allowed before anything failed": async ({ page, base }) => {
    const waits = (await get(base, "/needs?state=waits_person&limit=200")).items.find((n) => n.can.approve === "" && n.verdict.name === "WAITS_DECISION");
    const drawer = await openNeed(page, waits.device.id, waits.item.name);
    await drawer.getByRole("button", { name: "Approve…" }).first().click();
    const dialog = page.getByRole("dialog");
    assert(await dialog.getByLabel("Packages that may be removed").isHidden());
    await dialog.getByText("It may also remove…").click();
    await dialog.getByLabel("Packages that may be removed").fill("old-lib");
    await dialog.getByText(/^old-lib may be removed/).waitFor();
    await page.keyboard.press("Escape");
  },

  "a list by keyboard": async ({ page }) => {
    await visit(page, "/needs");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    const drawer = page.getByRole("complementary", { name: "Why this is not patched" });
    await drawer.locator(".chain").waitFor();
    const first = page.url();
    await page.keyboard.press("j");
    await page.waitForURL((url) => url.href !== first && url.searchParams.has("need"));
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });
    await page.keyboard.press("/");
    await page.keyboard.type("openssl");
    await page.waitForURL(/q=openssl/);
    await settled(page);
    for (const row of await page.locator("tbody tr td:first-child").allInnerTexts()) assert.match(row, /openssl/);
  },

  "who may sign what, and how many agents hold to it": async ({ page, base }) => {
    const t = await get(base, "/trust");
    await visit(page, "/");
    await page.locator("li", { hasText: "The limits will end on" }).getByRole("link", { name: "See it" }).click();
    const trust = page.getByRole("region", { name: "Trust" });
    await trust.getByText("Publish the next limits before", { exact: false }).waitFor();
    await trust.getByText("2 of 3 keys together sign the next root", { exact: false }).waitFor();
    await trust.getByText("Each of 4 people signs approvals", { exact: false }).waitFor();
    await trust.getByText("About 50 of 20,000 devices begin in an hour").waitFor();
    await trust.getByText("Only what 2 people signed for").waitFor();
    assert(t.holding.limits < t.holding.root && t.holding.root < t.holding.agents, "the mock has agents that are behind");
    const agents = trust.getByRole("region", { name: "Agents" });
    await agents.getByText(`${t.holding.root} of ${t.holding.agents}`).waitFor();
    await agents.getByText(`${t.holding.limits} of ${t.holding.agents}`).waitFor();
    await trust.getByText(t.server_key).first().waitFor();
  },

  "a program of the catalogue says who has it and who is behind": async ({ page, base }) => {
    const program = (await get(base, "/catalog/packages?state=behind&sort=-behind")).items.find((p) => p.unknown > 0 && p.behind + p.unknown < p.devices);
    await visit(page, "/catalog");
    await page.getByRole("row").filter({ hasText: program.name }).click();
    const drawer = page.getByRole("complementary", { name: "One program of the catalogue" });
    await drawer.getByText(/^released/).first().waitFor();
    await drawer.getByRole("link", { name: `${program.devices} devices have it` }).click();
    await page.getByText(`${program.devices} devices of those enrolled.`).waitFor();
    await page.getByRole("button", { name: `Has ${program.id}` }).click();
    await page.getByText(/^\d+ devices enrolled/).waitFor();
    await visit(page, "/catalog");
    await page.getByRole("row").filter({ hasText: program.name }).getByRole("link", { name: new RegExp(`^${program.behind} of ${program.devices}`) }).click();
    await page.getByRole("link", { name: program.name }).waitFor();
    await visit(page, "/catalog");
    await page.getByRole("button", { name: "Make the next one" }).click();
    await page.getByRole("dialog").getByText("patchbay catalog pin catalog-v13.json").waitFor();
    await page.getByRole("dialog").getByText("--previous catalog-v12.json", { exact: false }).waitFor();
  },

  "a file that is named and not here is asked for": async ({ page, base }) => {
    const missing = (await get(base, "/catalog/missing")).items[0];
    const usage = await get(base, "/content/usage");
    await visit(page, "/catalog");
    await page.getByRole("link", { name: "Bring them" }).click();
    const room = page.getByRole("region", { name: "Room" });
    await room.getByText(`in ${usage.files} files`).waitFor();
    await room.getByText("goes first", { exact: false }).waitFor();
    const row = page.getByRole("region", { name: "Not here" }).getByRole("row").filter({ hasText: missing.name }).first();
    await row.getByText(`patchbay content add ${missing.file}`).waitFor();
    await row.getByRole("button", { name: "Fetch it from its maker" }).click();
    await page.getByText(/^This server fetches/).waitFor();
    await page.getByRole("region", { name: "Being fetched" }).getByText("asked by Mia Berger", { exact: false }).waitFor();
  },

  "an inventory says whose a program is and who updates it": async ({ page, base }) => {
    const device = (await get(base, "/devices?q=laptop-au")).items[0];
    await visit(page, `/devices/${device.id}?tab=inventory`);
    const row = (name) => page.getByRole("row").filter({ hasText: name });
    await row("Notepad++").getByText("the catalogue").waitFor();
    await row("DATEV").getByText("nobody").waitFor();
    await row("Microsoft 365").getByText("Office Click-to-Run").waitFor();
    await page.getByRole("button", { name: "Of one person" }).click();
    await row("DATEV").waitFor({ state: "detached" });
    await row("Spotify").getByText("anna.becker").waitFor();
    await page.getByText("Windows Update (automatic) and Windows Update for Business also install updates here.").waitFor();
  },

  "a copy says of what, and the original of which": async ({ page, base }) => {
    const original = (await get(base, "/devices?q=web-01")).items[0];
    await visit(page, `/devices/${original.id}?tab=about`);
    await page.getByText("Copied to 2 other machines").waitFor();
    await page.getByText(/^Set back to an earlier state/).waitFor();
    await page.getByText("root version 1, limits version 3").waitFor();
    await page.getByRole("link", { name: "erp" }).click();
    await page.getByRole("heading", { level: 1, name: "erp" }).waitFor();
    await page.getByText("copy of web-01").waitFor();
    await page.getByRole("link", { name: "About", exact: true }).click();
    await page.getByText(/^A copy of web-01/).waitFor();
  },

  "a receipt and a story are taken along": async ({ page, base }) => {
    const done = (await get(base, "/jobs?state=ended&limit=200")).items.find((j) => j.step === "done");
    await visit(page, `/jobs/${done.id}`);
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Save it" }).click()]);
    assert.equal(file.suggestedFilename(), `receipt-${done.id}.json`);
    const receipt = JSON.parse(await readFile(await file.path(), "utf8"));
    assert.equal(JSON.parse(Buffer.from(receipt.document.payload, "base64")).job, done.id);
    assert(receipt.key.length > 50);
    await visit(page, `/devices/${done.device.id}?tab=timeline`);
    const [whole] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Save the whole story" }).click()]);
    const story = JSON.parse(await readFile(await whole.path(), "utf8"));
    assert.equal(story.device.id, done.device.id);
    assert(story.entries.length > 0 && story.receipts.some((r) => r.document.payload === receipt.document.payload));
  },

  "the palette finds a device": async ({ page, base }) => {
    const device = (await get(base, "/devices?limit=40")).items.find((d) => d.name.length <= 20); // longer ones give way in the middle
    await visit(page, "/");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: /Find a device/ }).fill(device.name);
    await page.getByRole("option", { name: device.name }).first().waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: device.name }).waitFor();
  },

  "a customer, a site and a line to run": async ({ page }) => {
    await visit(page, "/customers");
    await page.getByRole("button", { name: "Add a customer" }).click();
    await page.getByLabel("Name").fill("Bäckerei Sauer & Söhne");
    await page.getByRole("button", { name: "Add the customer" }).click();
    await page.getByRole("heading", { level: 1, name: "Bäckerei Sauer & Söhne" }).waitFor();
    await page.getByRole("button", { name: "Add a site" }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("Backstube");
    await dialog.getByRole("button", { name: "Sun", exact: true }).click();
    await dialog.getByText(/every Saturday and Sunday from 22:00 to 02:00 the next day/).waitFor();
    await dialog.getByRole("button", { name: "Add the site" }).click();
    await page.getByRole("heading", { level: 1, name: "Backstube" }).waitFor();
    await page.getByRole("link", { name: "Enrol a device" }).click();
    await page.getByRole("button", { name: "Make a token" }).click();
    await page.getByText(/patchbay-agent enroll --server/).waitFor();
    await page.getByRole("button", { name: "Copy the line" }).click();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^(sudo )?patchbay-agent enroll --server \S+ --token \S+$/);
    await page.getByRole("button", { name: "Revoke" }).click();
    await page.getByText("Revoked", { exact: true }).waitFor();
  },

  "a refused name keeps what was typed": async ({ page, base }) => {
    const [customer] = (await get(base, "/customers?limit=1")).items;
    await visit(page, "/customers");
    await page.getByRole("button", { name: "Add a customer" }).click();
    await page.getByLabel("Name").fill(customer.name);
    await page.getByRole("button", { name: "Add the customer" }).click();
    await page.getByRole("alert").waitFor();
    assert.equal(await page.getByLabel("Name").inputValue(), customer.name);
    page.faults.splice(0); // the browser tells of every refused request
  },

  "the customer shown lives in the URL": async ({ page, base }) => {
    const [customer] = (await get(base, "/customers?limit=1&sort=-security_open")).items;
    await visit(page, "/");
    await page.getByRole("combobox", { name: "Customer shown" }).first().click();
    await page.getByRole("option", { name: customer.name }).click();
    await page.waitForURL((url) => url.searchParams.get("customer") === customer.id);
    await page.getByRole("link", { name: "Devices", exact: true }).first().click();
    await page.waitForURL((url) => url.pathname === "/devices" && url.searchParams.get("customer") === customer.id);
    await settled(page);
    for (const cell of await page.locator("tbody tr td:nth-child(2)").allInnerTexts()) assert.equal(cell.replace(/\s/g, ""), customer.name.replace(/\s/g, ""));
  },

  "a rule for a program is written and taken back": async ({ page, base }) => {
    const site = (await get(base, "/sites")).items.find((s) => s.policy.applications.length === 0);
    await visit(page, `/sites/${site.id}`);
    const save = page.getByRole("button", { name: "Change the policy" });
    await page.getByRole("button", { name: "Add a rule" }).click();
    await page.getByText("Name the program of each rule.").waitFor();
    assert(await save.isDisabled());
    await page.getByLabel("Program", { exact: true }).fill("Maker.Program");
    await page.getByLabel("Provider").fill("Apt");
    await page.getByLabel("No further than").fill("8.6.");
    await page.getByRole("combobox", { name: "What happens" }).click();
    await page.getByRole("option", { name: "Install and update" }).click();
    await page.getByLabel("Why").fill("the till needs it");
    await save.click();
    await page.getByText(/now works by the new policy/).waitFor();
    const [rule, ...others] = (await get(base, `/sites/${site.id}`)).policy.applications;
    assert(others.length === 0 && rule.package === "Maker.Program" && rule.provider === "apt" && rule.wish === "install" && rule.pin === "8.6." && rule.reason === "the till needs it" && rule.by === person.name);
    await visit(page, `/sites/${site.id}`);
    await page.getByText("One program has a rule of its own.", { exact: false }).waitFor();
    await page.getByRole("button", { name: "Remove the rule for Maker.Program" }).click();
    await save.click();
    await page.getByText(/now works by the new policy/).first().waitFor();
    await page.waitForFunction(async (id) => (await (await fetch(`/api/v1/sites/${id}`)).json()).policy.applications.length === 0, site.id);
  },

  "a policy is changed": async ({ page, base }) => {
    const site = (await get(base, "/sites")).items.find((s) => s.policy.auto === "by_hand");
    await visit(page, `/sites/${site.id}`);
    assert(await page.getByRole("button", { name: "Change the policy" }).isDisabled());
    const within = site.policy.reboots?.when === "window";
    await page.getByRole("radio", { name: within ? "Never reboot" : "Within the window" }).click();
    await page.getByRole("button", { name: "Change the policy" }).click();
    await page.getByText(/now works by the new policy/).waitFor();
    assert.equal((await get(base, `/sites/${site.id}`)).policy.reboots.when, within ? "never" : "window");
  },

  "an API key is shown once": async ({ page }) => {
    await visit(page, "/settings");
    await page.getByLabel("What it is for").fill("Nightly report");
    await page.getByRole("button", { name: "Make a key" }).click();
    await page.getByText(/^pbk_/).waitFor();
    await visit(page, "/settings");
    assert.equal(await page.getByText(/^pbk_/).count(), 0);
    await page.getByRole("button", { name: "Revoke" }).first().click();
    await page.getByText(/^revoked/).first().waitFor();
  },

  "the chains are checked": async ({ page }) => {
    await visit(page, "/activity");
    await page.getByRole("button", { name: "Check the chains" }).click();
    await page.getByText(/every hash fits/).waitFor();
  },

  "what a device is for is corrected, and moves what is open there": async ({ page, base }) => {
    const [d] = (await get(base, "/devices?q=fileserver")).items;
    const step = async () => (await get(base, `/devices/${d.id}/findings`)).items.find((i) => i.item.name === "openssh-server").findings[0];
    assert.equal((await step()).step, "out-of-cycle");
    await visit(page, `/devices/${d.id}?tab=about`);
    const about = page.getByRole("region", { name: "What it is for" });
    await about.getByText("Web server, detected: nginx is installed").waitFor();
    await about.getByText("Not known, so it counts as open to the internet").waitFor();
    await about.getByRole("button", { name: "Change…" }).click();
    const dialog = page.getByRole("dialog");
    assert(await dialog.getByRole("button", { name: "Save the changes" }).isDisabled());
    await dialog.getByRole("radiogroup", { name: "Web server" }).getByText("No", { exact: true }).click();
    await dialog.getByRole("radiogroup", { name: "File server" }).getByText("Yes", { exact: true }).click();
    await dialog.getByRole("radio", { name: "Open to the internet" }).check();
    await dialog.getByRole("radio", { name: "Very much" }).check();
    await dialog.getByRole("combobox", { name: "Groups" }).click();
    await page.getByRole("option", { name: "Servers" }).click();
    await page.keyboard.press("Escape");
    await dialog.getByRole("button", { name: "Save the changes" }).click();
    await page.getByText("What you said of fileserver is kept.").waitFor();
    await about.getByText("No web server, set by Mia Berger").waitFor();
    await about.getByText("File server, set by Mia Berger").waitFor();
    await about.getByText("Open to the internet, set by Mia Berger").waitFor();
    await about.getByRole("link", { name: "Servers" }).waitFor();
    const now = await step();
    assert.equal(now.step, "immediate");
    assert.match(now.why, /Who reaches the device was set by Mia Berger on \d{4}-\d\d-\d\d\./);
    await page.getByRole("navigation", { name: "Parts of this page" }).getByRole("link", { name: "Findings" }).click();
    await page.getByRole("button", { name: "immediate" }).first().click();
    await page.getByText("Who reaches the device was set by Mia Berger", { exact: false }).first().waitFor();
    await visit(page, "/devices?role=file");
    await page.getByRole("link", { name: "fileserver" }).waitFor();
    await page.getByRole("combobox", { name: "Group" }).click();
    await page.getByRole("option", { name: /^Servers · Müller/ }).click();
    await page.getByText("1 device of those enrolled.", { exact: false }).waitFor();
    await visit(page, `/devices/${d.id}?tab=timeline`);
    await page.getByText("it is not a web server", { exact: false }).first().waitFor();
  },

  "groups are made, ranked, renamed and deleted": async ({ page, base }) => {
    const [c] = (await get(base, "/customers?q=Müller")).items;
    await visit(page, `/customers/${c.id}`);
    const groups = page.getByRole("region", { name: "Groups" });
    await groups.getByLabel("New group").fill("Tills");
    await groups.getByRole("button", { name: "Make the group" }).click();
    const tills = groups.getByRole("listitem").filter({ hasText: "Tills" });
    await tills.getByRole("button", { name: "Move up" }).click();
    await groups.getByRole("listitem").nth(2).getByText("Tills").waitFor();
    await groups.getByLabel("New group").fill("tills");
    await groups.getByRole("button", { name: "Make the group" }).click();
    await groups.getByText("Another one has this name already: choose a different one.").waitFor();
    page.faults.splice(0); // the browser notes that something was refused
    await tills.getByRole("button", { name: "Rename…" }).click();
    await groups.getByLabel("New name of Tills").fill("Kassen");
    await groups.getByRole("button", { name: "Rename", exact: true }).click();
    await groups.getByText("Kassen").waitFor();
    const servers = groups.getByRole("listitem").filter({ hasText: "Servers" });
    await servers.getByRole("button", { name: "Delete…" }).click();
    await servers.getByRole("button", { name: "Keep it" }).click();
    await servers.getByRole("button", { name: "Delete…" }).click();
    await servers.getByRole("button", { name: /^Delete it; 1 device will be in no such group/ }).click();
    await page.getByText("The group Servers is deleted. Its devices stay.").waitFor();
    assert.deepEqual((await get(base, `/groups?customer=${c.id}`)).items.map((g) => g.rank), [1, 2, 3]);
  },

  "what holds for a customer's devices is said once": async ({ page, base }) => {
    const [c] = (await get(base, "/customers?q=Lang")).items;
    await visit(page, `/customers/${c.id}`);
    const said = page.getByRole("region", { name: "What holds for its devices" });
    await said.getByText("Set by Mia Berger", { exact: false }).waitFor();
    await said.getByRole("combobox", { name: "Who reaches them" }).click();
    await page.getByRole("option", { name: "Only inside" }).click();
    await said.getByRole("button", { name: "Save for all devices here" }).click();
    await page.getByText("What you said of the devices of Praxis Dr. Lang is kept.").waitFor();
    const [d] = (await get(base, "/devices?q=praxis-server")).items;
    await visit(page, `/devices/${d.id}?tab=about`);
    await page.getByText("Only inside, set by Mia Berger", { exact: false }).waitFor();
    await page.getByText("for its customer").first().waitFor();
  },

  "a device is retired by its name": async ({ page, base }) => {
    const device = (await get(base, "/devices?state=silent")).items[0];
    await visit(page, `/devices/${device.id}?tab=about`);
    const button = page.getByRole("button", { name: "Retire this device" });
    assert(await button.isDisabled());
    await page.getByLabel(`Type ${device.name} to retire it`).fill(device.name);
    await button.click();
    await page.getByText(`${device.name} is retired.`).waitFor();
    await page.waitForURL((url) => url.pathname === "/devices");
  },
};

const doors = {
  "sign in leads to where one wanted to go": async ({ page }) => {
    await page.goto("/devices?state=silent");
    await page.waitForURL(/signin\?next=/);
    await page.getByLabel("Email").fill(person.email);
    await page.getByLabel("Password", { exact: true }).fill("something else entirely");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
    assert.equal(await page.getByLabel("Email").inputValue(), person.email);
    await page.getByLabel("Password", { exact: true }).fill(person.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL((url) => url.pathname === "/devices" && url.searchParams.get("state") === "silent");
    page.faults.splice(0);
  },
  "sign in never leads elsewhere": async ({ page }) => {
    await page.goto("/signin?next=//elsewhere.test/");
    await page.getByLabel("Email").fill(person.email);
    await page.getByLabel("Password", { exact: true }).fill(person.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL((url) => url.pathname === "/" && url.hostname === "127.0.0.1");
  },
  "an ended session leads back after signing in": async ({ page }) => {
    await signIn(page, person);
    await visit(page, "/updates");
    await page.context().clearCookies();
    await page.getByRole("link", { name: "Jobs" }).click();
    await page.waitForURL(/signin/);
    page.faults.splice(0);
  },
};

const first = {
  "the one-time link makes the first administrator": async ({ page, text }) => {
    await page.goto("/");
    await page.getByRole("heading", { name: "Open the one-time link" }).waitFor();
    await setUp(page, text.match(/http:\S+setup#\S+/)[0], person);
    await page.getByText("Enrol the first device").waitFor();
    await visit(page, "/settings");
    await page.getByText(person.email).first().waitFor();
  },
};

let port = 8180;
const failed = [];
async function run(chromium, flags, all) {
  const chosen = Object.entries(all).filter(([name]) => !o.only || name.includes(o.only));
  const boot = () => {
    const listen = `127.0.0.1:${port++}`;
    return start(o.mock, ["-listen", listen, "-console", "dist/app", ...flags], /serving/).then((server) => ({ server, base: `http://${listen}` }));
  };
  let ahead = chosen.length > 0 ? boot() : null; // each flow has a server of its own, which starts while the one before runs
  for (const [i, [name, flow]] of chosen.entries()) {
    const { server, base } = await ahead;
    ahead = i + 1 < chosen.length ? boot() : null;
    const page = await open(chromium, { base });
    try {
      await flow({ page, base, text: server.text });
      assert.deepEqual(page.faults, []);
      console.log(`ok    ${name}`);
    } catch (error) {
      failed.push(name);
      console.log(`FAILS ${name}\n      ${error.message.split("\n").slice(0, 6).join("\n      ")}`);
      await page.screenshot({ path: `e2e/shots/flow-${port}.png` }).catch(() => {});
    } finally {
      await page.context().close();
      server.stop();
    }
  }
}

const chromium = await browser();
await run(chromium, [], flows);
await run(chromium, ["-signin"], doors);
await run(chromium, ["-setup"], first);
await chromium.close();
process.exit(failed.length > 0 ? 1 : 0);
