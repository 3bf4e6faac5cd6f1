// Takes pictures of every page against the mock server, and fails on what a machine can see:
// errors in the page, serious accessibility faults, a page wider than its window.
//
//   go build -o /tmp/mockserver ./test/mockserver && npm run build
//   node e2e/shots.mjs --mock /tmp/mockserver [--out DIR] [--only PART] [--scene normal,empty,huge,error]

import { mkdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { accessibility, browser, open, overflow, settled, start } from "./lib.mjs";

const { values: o } = parseArgs({
  options: {
    mock: { type: "string" },
    out: { type: "string", default: "e2e/shots" },
    only: { type: "string", default: "" },
    scene: { type: "string", default: "normal,empty,huge,error,doors" },
    devices: { type: "string", default: "20000" },
    looks: { type: "string", default: "1400-light,1400-dark,390-light,390-dark" },
  },
});
mkdirSync(o.out, { recursive: true });

const get = async (base, path) => (await (await fetch(base + "/api/v1" + path)).json());

/** Every page there is, with the IDs of things that exist. */
async function pages(base) {
  const first = async (path) => (await get(base, path)).items?.[0];
  const [customer, site, device, update, job] = await Promise.all(
    ["/customers?sort=-security_open", "/sites", "/devices?sort=-failed", "/updates?sort=-waiting", "/jobs"].map(first),
  );
  const failed = await first("/needs?state=failed");
  const waits = await first("/needs?state=waits_time");
  const verified = await first("/needs?state=verified");
  const list = {
    home: "/",
    needs: "/needs",
    devices: "/devices",
    updates: "/updates",
    findings: "/findings",
    "finding-none": "/findings/CVE-1999-0001",
    "finding-mended": "/findings/CVE-2026-900002",
    support: "/support",
    coverage: "/coverage",
    product: "/products/openssl",
    "product-unknown": "/products/7-zip",
    software: "/software",
    "software-devices": "/software/devices?kind=several&of=browser",
    "support-unknown": "/support?state=unknown",
    "support-systems": "/support?kind=os&within=365",
    "support-devices": "/support/devices?of=application:oracle-jdk:8",
    customers: "/customers",
    enrolment: "/enrolment",
    jobs: "/jobs",
    activity: "/activity",
    settings: "/settings",
  };
  Object.assign(list, { catalog: "/catalog", "catalog-files": "/catalog?tab=files", "catalog-feeds": "/catalog?tab=feeds" });
  for (const [part, state] of [["package", "behind"], ["package-recalled", "recalled"], ["package-missing", "missing"]]) {
    const p = await first(`/catalog/packages?sort=-behind&state=${state}`);
    if (p) list[part] = `/catalog?package=${p.provider}/${p.id}`;
  }
  if (customer) Object.assign(list, { customer: `/customers/${customer.id}`, scoped: `/?customer=${customer.id}` });
  if (site) list.site = `/sites/${site.id}`;
  if (device) {
    Object.assign(list, {
      device: `/devices/${device.id}`,
      "device-timeline": `/devices/${device.id}?tab=timeline`,
      "device-findings": `/devices/${device.id}?tab=findings`,
      "device-inventory": `/devices/${device.id}?tab=inventory`,
      "device-about": `/devices/${device.id}?tab=about`,
    });
  }
  const exposed = (await get(base, "/findings")).items?.[0];
  if (exposed) list.finding = `/findings/${exposed.id}`;
  list.bulletins = "/bulletins";
  list["bulletins-none"] = "/bulletins?q=nothing-like-it";
  for (const kind of ["exploited", "monthly", "recalled"]) {
    const b = await first(`/bulletins?kind=${kind}`);
    if (b) list[`bulletin-${kind}`] = `/bulletins/${b.id}`;
  }
  const held = await first("/needs?verdict=HELD&q=tzdata");
  if (held) Object.assign(list, { "need-held": `/needs?need=${held.id}` });
  const recalled = await first("/needs?verdict=RECALLED");
  if (recalled) Object.assign(list, { "need-recalled": `/needs?need=${recalled.id}` });
  const copied = await first("/devices?q=web-01");
  if (copied) list["device-copied"] = `/devices/${copied.id}?tab=about`;
  const old = await first("/needs?verdict=RUNNING_OLD");
  if (old) Object.assign(list, { "device-runs-old": `/devices/${old.device.id}`, "device-running": `/devices/${old.device.id}?tab=about`, "need-runs-old": `/needs?verdict=RUNNING_OLD&need=${old.id}` });
  for (const name of ["ws-buchhaltung", "terminal-gate", "dc-01", "laptop-au", "macbook-gesch"]) {
    const d = await first(`/devices?q=${name}`);
    if (d) Object.assign(list, { [`win-${name}`]: `/devices/${d.id}`, [`win-${name}-inventory`]: `/devices/${d.id}?tab=inventory`, [`win-${name}-about`]: `/devices/${d.id}?tab=about` });
  }
  const engines = { normal: "ws-buchhaltung", busiest: "terminal-gate", mends: "laptop-au", stuck: "dc-01", offline: "cnc-steuerung", unread: "empfang-01", mended: "ws-konstruktion", new: "device-00013", fresh: "neu-vm" };
  for (const [part, name] of Object.entries(engines)) {
    const d = await first(`/devices?q=${name}`);
    if (d) list[`engine-${part}`] = `/devices/${d.id}?tab=engine`;
    if (d && part === "stuck") list["engine-summary"] = `/devices/${d.id}`;
    if (d && part === "busiest") Object.assign(list, { "engine-needs": `/devices/${d.id}?class=driver`, "engine-failed": `/devices/${d.id}?tab=engine&state=failed`, "engine-none": `/devices/${d.id}?tab=engine&q=nothing` });
  }
  const till = await first("/devices?role=pos");
  if (till) Object.assign(list, { "device-till": `/devices/${till.id}?tab=about`, "devices-role": "/devices?role=web", "needs-soonest": "/needs?sort=-place" });
  list["updates-class"] = "/updates?class=driver";
  list["updates-preview"] = "/updates?class=preview";
  const lost = await first("/devices?state=not_back");
  if (lost) Object.assign(list, { "device-lost": `/devices/${lost.id}`, "devices-lost": "/devices?state=not_back" });
  if (update) list.update = `/updates/${update.id}`;
  const system = await first("/updates?q=KB5044285");
  if (system) Object.assign(list, { "update-system": `/updates/${system.id}`, "needs-system": "/needs?q=KB50", "updates-system": "/updates?q=KB" });
  for (const [part, query] of [["need-system", "q=KB5044285&state=waits_time"], ["need-disputed", "verdict=DISPUTED"]]) {
    const n = await first(`/needs?${query}`);
    if (n) list[part] = `/needs?${query}&need=${n.id}`;
  }
  if (job) list.job = `/jobs/${job.id}`;
  if (failed) list["need-failed"] = `/needs?state=failed&need=${failed.id}`;
  if (waits) list["need-waits"] = `/needs?state=waits_time&need=${waits.id}`;
  if (verified) list["need-verified"] = `/needs?state=verified&need=${verified.id}`;
  const some = (await Promise.all(["waits_time", "failed"].map((state) => get(base, `/needs?limit=500&state=${state}`)))).flatMap((p) => p.items ?? []);
  const undone = { "need-undo-waits": (n) => n.job?.verb === "undo", "need-undo-failed": (n) => n.verdict.sentence.includes("dicom-viewer"), "need-taken-back": (n) => n.verdict.name === "ROLLED_BACK" };
  for (const [part, is] of Object.entries(undone)) {
    const need = some.find(is);
    if (need) list[part] = `/needs?q=${need.item.name}&need=${need.id}`;
  }
  const mixed = await first("/updates?q=docker-ce");
  if (mixed) list["update-mixed"] = `/updates/${mixed.id}`;
  const undo = ((await get(base, "/jobs?limit=200")).items ?? []).find((j) => j.verb === "undo" && j.step === "done");
  if (undo) list["job-undo"] = `/jobs/${undo.id}`;
  return list;
}

/** What opens over a page. */
const over = {
  palette: ["/", async (page) => { await page.keyboard.press("Control+k"); await page.getByRole("listbox").waitFor(); }],
  approve: ["/updates?sort=-waiting", async (page) => { await page.keyboard.press("j"); await page.keyboard.press("a"); await page.getByText(/^Approve for/).waitFor(); await page.waitForTimeout(400); }],
  "approve-for-good": ["/updates?q=docker-ce", async (page) => { await page.keyboard.press("j"); await page.keyboard.press("a"); await page.getByText(/cannot go back/).waitFor(); await page.waitForTimeout(400); }],
  undo: ["/needs?state=verified&q=openssl", async (page) => {
    await page.locator("tbody tr").filter({ hasText: "web-01" }).locator("td.title").click();
    await page.getByRole("button", { name: "Undo…" }).click();
    await page.getByText("taken back together").waitFor();
    await page.waitForTimeout(400);
  }],
  despite: ["/needs?state=waits_person&q=tzdata", async (page) => {
    await page.locator("tbody tr").filter({ hasText: "Held" }).locator("td.title").first().click();
    await page.getByRole("button", { name: "Install all the same…" }).click();
    await page.getByLabel(/Install it here all the same/).check();
    await page.waitForTimeout(500);
  }],
  "next-catalog": ["/catalog", async (page) => { await page.getByRole("button", { name: "Make the next one" }).click(); await page.getByRole("dialog").waitFor(); await page.waitForTimeout(300); }],
  "device-findings-why": ["/devices?q=web-01", async (page) => {
    await page.getByRole("link", { name: "web-01" }).first().click();
    await page.getByRole("navigation", { name: "Parts of this page" }).getByRole("link", { name: "Findings" }).click();
    await page.getByRole("button", { name: "immediate" }).first().click();
    await page.waitForTimeout(200);
  }],
  "change-standing": ["/devices?q=web-01", async (page) => {
    await page.getByRole("link", { name: "web-01" }).first().click();
    await page.getByRole("link", { name: "About" }).click();
    await page.getByRole("button", { name: "Change…" }).click();
    await page.getByRole("dialog").waitFor();
    await page.waitForTimeout(400);
  }],
  "new-customer": ["/customers", async (page) => { await page.getByRole("button", { name: "Add a customer" }).first().click(); await page.getByRole("dialog").waitFor(); }],
};

const faults = [];
let taken = 0;

async function shoot(page, name, look) {
  await page.screenshot({ path: `${o.out}/${name}.${look}.png`, fullPage: (await page.evaluate(() => document.documentElement.scrollHeight)) < 4200 });
  taken++;
  const wide = await overflow(page);
  if (wide > 0) faults.push(`${name} ${look}: ${wide} px wider than the window`);
  for (const fault of await accessibility(page)) faults.push(`${name} ${look}: ${fault}`);
  for (const fault of page.faults.splice(0)) faults.push(`${name} ${look}: ${fault}`);
}

async function scene(chromium, name, base, list, prepare) {
  for (const look of o.looks.split(",")) {
    const page = await open(chromium, { width: Number(look.split("-")[0]), dark: look.endsWith("dark"), base });
    await prepare?.(page);
    for (const [part, target] of Object.entries(list)) {
      if (o.only && !part.match(new RegExp(o.only))) continue;
      const [path, act] = Array.isArray(target) ? target : [target];
      try {
        await page.goto(path, { waitUntil: "domcontentloaded" });
        await settled(page);
        await act?.(page);
        await shoot(page, `${name}.${part}`, look);
      } catch (error) {
        faults.push(`${name}.${part} ${look}: ${error.message.split("\n")[0]}`);
        await page.screenshot({ path: `${o.out}/${name}.${part}.${look}.broken.png` });
        page.faults.splice(0);
      }
    }
    await page.context().close();
  }
}

let port = 8150;
async function served(flags, use) {
  const listen = `127.0.0.1:${port++}`;
  const server = await start(o.mock, ["-listen", listen, "-console", "dist/app", ...flags], /serving/);
  try {
    await use(`http://${listen}`, server.text);
  } finally {
    server.stop();
  }
}

const scenes = {
  normal: (chromium) => served([], async (base) => scene(chromium, "normal", base, { ...(await pages(base)), ...over })),
  empty: (chromium) => served(["-empty"], async (base) => scene(chromium, "empty", base, await pages(base))),
  huge: (chromium) => served(["-devices", o.devices], async (base) => scene(chromium, "huge", base, { ...(await pages(base)), ...over })),
  error: (chromium) =>
    served([], async (base) =>
      scene(chromium, "error", base, await pages(base), (page) => {
        page.on("console", () => page.faults.splice(0)); // refused requests are what is being looked at
        return page.route("**/api/v1/**", (route) =>
          route.request().url().includes("/session") ? route.fallback() : route.fulfill({
            status: 500,
            contentType: "application/problem+json",
            body: JSON.stringify({ type: "about:blank", title: "Internal Server Error", status: 500, detail: "Something went wrong in the server. Its log says what." }),
          }),
        );
      }),
    ),
  doors: async (chromium) => {
    await served(["-signin"], (base) => scene(chromium, "door", base, { signin: "/signin?next=/devices", "setup-without-link": "/setup" }));
    await served(["-setup"], (base, text) => scene(chromium, "door", base, { setup: new URL(text.match(/http:\S+setup#\S+/)[0]).href.slice(base.length) }));
    await served([], (base) => scene(chromium, "door", base, { totp: "/totp" }));
  },
};

const chromium = await browser();
for (const name of o.scene.split(",")) await scenes[name](chromium);
await chromium.close();

console.log(`${taken} pictures in ${o.out}`);
for (const fault of faults) console.log(fault);
process.exit(faults.length > 0 ? 1 : 0);
