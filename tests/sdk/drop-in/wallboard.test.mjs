// Row by row what the wallboard's page must see, in its versions of 2022 and 2024:
//
// | A tile's settings                | are saved, by /saveDefinition and by /api/save, with the user's cookie and nothing
//                                      else; a page of another site can't |
// | NEXT_PUBLIC_API_BASE points here | a listed page gets CORS with credentials, within one site; or a token in front |
// | Inverted thresholds              | 20 and 30: below 20 the first style, 20 to 29 the second |
// | Formulas of the older wallboard  | show the value that its page shows |
// | The first save of imported tiles | numbers all, so that none moves; the Document's keys keep their order |
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startProxy } from "../support/proxy.mjs";
import { PINNED, places, TODAY } from "./places.mjs";
import { QUICK, scene } from "./scene.mjs";

const VERSIONS = [PINNED.wallboard, TODAY];
const [node, chromium] = places;
const METRIC = { label: "Waiting", formula: "data.workspace.realtime.tasks_by_status.pending" };
/** As an import left them: in no order of the alphabet, and without a position. */
const IMPORTED = {
  Zebra: { metric: { label: "Zebra", formula: "1" } },
  Alpha: { metric: { label: "Alpha", formula: "2" } },
  Mid: { metric: { label: "Mid", formula: "3" } },
};
const SUCCESS = { styleName: "Success" };
const ERROR = { styleName: "Error" };

before(() => Promise.all(places.map((place) => place.start())));
after(() => Promise.all(places.map((place) => place.stop())));

/** A wallboard's service; the Map is one that is there already, named by its SID, as the sample's is. */
async function wallboard(t, definitions, more = {}) {
  let map;
  const set = await scene(t, {
    before: async (emulator) => {
      map = (await emulator.sync("POST", "/Maps", {})).sid;
      await emulator.sync("POST", "/Documents", { UniqueName: "dashboard-definitions", Data: definitions });
      return {
        ...QUICK,
        SYNC_LAYOUTS: "dashboard-document,dashboard-map,dashboard-metrics",
        DASHBOARD_SYNC_MAP_SID: map,
        ...more,
      };
    },
  });
  const names = { definitions: "dashboard-definitions", data: "dashboard-data", map };
  const settings = (year) => ({ year, names, options: set.emulator.options });
  const stored = async () => (await set.emulator.sync("GET", "/Documents/dashboard-definitions")).data;
  return { ...set, settings, stored };
}

const tile = (name) => (view) => view.tiles.find((tile) => tile.name === name);

for (const year of [2022, 2024]) {
  test(`settings of a tile are saved, version of ${year}`, async (t) => {
    const set = await wallboard(t, { Waiting: { metric: METRIC }, ...IMPORTED });
    const { openAll, settings, signIn, stored } = set;
    const pages = await openAll(places, VERSIONS, { client: "wallboard", signIn, settings: settings(year) });
    for (const [at, page] of pages.entries()) {
      assert.deepEqual((await page.view()).problems, [], page.name);
      if (year === 2024) await page.until("a number", (view) => typeof tile("Waiting")(view)?.value === "number");
      const styleName = `Style ${at}`;
      const changes = { firstThresholdValue: "1", firstThresholdStyle: { styleName } };
      const answer = await page.call("save", "Alpha", changes);
      assert.equal(answer?.Alpha.metric.firstThresholdStyle.styleName, styleName, `${page.name}: it answers the whole`);
      await page.until("its own tile shows it", (view) => tile("Alpha")(view).style === styleName);
      assert.deepEqual((await page.view()).problems, [], page.name);

      // None moves, in the Document or on a page that sorts by position.
      const after = await stored();
      const order = ["Waiting", "Zebra", "Alpha", "Mid"];
      assert.deepEqual(Object.keys(after), order);
      const positions = order.map((name) => after[name].metric.position);
      assert.ok(
        positions.every((position) => typeof position === "number"),
        `${positions}`,
      );
      assert.deepEqual(
        positions,
        [...positions].sort((a, b) => a - b),
      );
    }
  });
}

test("without a user the page sees nothing and saves nothing; the browser asks for one", async (t) => {
  const { open, settings, signIn, stored } = await wallboard(t, IMPORTED);
  const page = await open(node, { client: "wallboard", settings: settings(2024) });
  assert.equal(await page.call("save", "Alpha", { label: "Other" }), null);
  assert.deepEqual((await page.view()).problems, ["Error: /api/token: 401", "Error: /api/save: 401"]);
  assert.equal((await stored()).Alpha.metric.label, "Alpha");
  // What is typed into the browser's own dialog, which the first 401 opens.
  const typed = { username: signIn.user, password: signIn.password };
  const asked = await open(chromium, { client: "wallboard", typed, settings: settings(2024) });
  assert.ok(await asked.call("save", "Alpha", { label: "Other" }));
  assert.deepEqual((await asked.view()).problems, []);
  assert.equal((await stored()).Alpha.metric.label, "Other");
});

test("a listed page on another host of the site saves with its user's cookie, in Chromium", async (t) => {
  const board = await startProxy();
  const { atEnd, open, settings, service, signIn, stored } = await wallboard(t, IMPORTED, {
    ALLOWED_ORIGINS: board.url,
  });
  atEnd(() => board.stop());
  const crossing = { ...settings(2024), base: service.url };
  const changed = { ...crossing, credentials: "include" };

  // As it is, its fetch carries no cookie to another origin: the page says so, and shows nothing.
  const asItIs = await open(chromium, { client: "wallboard", site: board, signIn, settings: crossing });
  assert.deepEqual((await asItIs.view()).problems, ["Error: /api/token: 401"]);

  const page = await open(chromium, { client: "wallboard", site: board, signIn, settings: changed });
  await page.until("its tiles", (view) => view.tiles.length === 3);
  assert.ok(await page.call("save", "Alpha", { label: "Saved" }));
  assert.deepEqual((await page.view()).problems, []);
  assert.equal((await stored()).Alpha.metric.label, "Saved");

  // Another site: 127.0.0.1 and localhost are two, and the cookie is SameSite=Lax.
  const apart = { url: board.url.replace("127.0.0.1", "localhost"), pages: board.pages };
  const elsewhere = await open(chromium, { client: "wallboard", site: apart, signIn, settings: changed });
  assert.equal((await elsewhere.view()).tiles.length, 0);
  assert.equal((await elsewhere.view()).problems.length, 1);
});

test("a proxy that adds the token lets the page on another origin work as it is, in Chromium", async (t) => {
  const board = await startProxy();
  const { atEnd, open, settings, service, stored } = await wallboard(t, IMPORTED, {
    ALLOWED_ORIGINS: board.url,
    AUTHENTICATION_TOKEN: "a-bearer-token-for-tests",
  });
  atEnd(() => board.stop());
  const front = await startProxy({ authorization: "Bearer a-bearer-token-for-tests" });
  atEnd(() => front.stop());
  front.port = new URL(service.url).port;
  for (const year of [2022, 2024]) {
    const crossing = { ...settings(year), base: front.url };
    const page = await open(chromium, { client: "wallboard", site: board, settings: crossing });
    await page.until("its tiles", (view) => view.tiles.length === 3);
    assert.ok(await page.call("save", "Alpha", { label: `Saved ${year}` }));
    assert.deepEqual((await page.view()).problems, []);
    assert.equal((await stored()).Alpha.metric.label, `Saved ${year}`);
  }
});

test("a page that is not listed reads nothing and saves nothing in a signed-in user's browser, in Chromium", async (t) => {
  const foreign = await startProxy();
  const { atEnd, open, settings, service, signIn, stored } = await wallboard(t, IMPORTED);
  atEnd(() => foreign.stop());
  // On another port of the same host, where the browser does send the cookie.
  const changed = { ...settings(2024), base: service.url, credentials: "include" };
  const page = await open(chromium, { client: "wallboard", site: foreign, signIn, settings: changed });
  assert.equal((await page.view()).tiles.length, 0);
  assert.equal(await page.call("save", "Alpha", { label: "Taken over" }), null);
  // What a page may send without asking first: JSON in disguise. The browser sends the cookie along.
  const earlier = service.answered.length;
  await page.page.evaluate(async (url) => {
    const body = JSON.stringify({ Alpha: { metric: { label: "Taken over", formula: "1" } } });
    for (const path of ["/api/save", "/saveDefinition"]) {
      for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
        const init = { method: "POST", credentials: "include", mode: "no-cors", body: new Blob([body], { type }) };
        // The answer may not be read either, so the browser calls it a failure.
        await fetch(url + path, init).catch(() => {});
      }
    }
  }, service.url);
  const sent = { method: "POST", status: 403, cookie: true };
  const [save, older] = [
    { ...sent, path: "/api/save" },
    { ...sent, path: "/saveDefinition" },
  ];
  assert.deepEqual(service.answered.slice(earlier), [save, save, older, older]);
  assert.deepEqual(await stored(), IMPORTED);
});

test("inverted thresholds colour as the older page colours", async (t) => {
  const at = (formula, invertThresholds) => ({
    metric: {
      label: "x",
      formula,
      invertThresholds,
      firstThresholdValue: "20",
      firstThresholdStyle: SUCCESS,
      secondThresholdValue: "30",
      secondThresholdStyle: ERROR,
    },
  });
  const odd = { "'-'": "Default", "0 / 0": "Default", "[1, 2]": "Default", "'12px'": "Default" };
  const expected = { 19: "Success", 20: "Error", 29: "Error", 30: "Default", "'25'": "Error", "''": "Success", ...odd };
  const upwards = { 20: "Default", 21: "Success", 30: "Success", 31: "Error", "1 / 0": "Error", "''": "Default", ...odd };
  const definitions = Object.fromEntries([
    ...Object.keys(expected).map((value) => [`below ${value}`, at(value, true)]),
    ...Object.keys(upwards).map((value) => [`above ${value}`, at(value, false)]),
  ]);
  const all = Object.fromEntries([
    ...Object.entries(expected).map(([value, style]) => [`below ${value}`, style]),
    ...Object.entries(upwards).map(([value, style]) => [`above ${value}`, style]),
  ]);
  const { emulator, openAll, settings, signIn } = await wallboard(t, definitions);
  for (const page of await openAll(places, [TODAY], { client: "wallboard", signIn, settings: settings(2024) })) {
    const { tiles } = await page.view();
    assert.deepEqual(Object.fromEntries(tiles.map(({ name, style }) => [name, style])), all, page.name);
  }
  const ours = await evaluated(emulator, Object.keys(all));
  assert.deepEqual(Object.fromEntries(Object.keys(all).map((name) => [name, ours[name].style.styleName])), all);
});

/** The service's own results, once all of these tiles have one. */
async function evaluated(emulator, names) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const { data } = await emulator.sync("GET", "/Documents/dashboard-metrics").catch(() => ({ data: {} }));
    if (names.every((name) => data[name]?.text !== undefined && data[name].text !== null)) return data;
    if (Date.now() > deadline) throw new Error(JSON.stringify(data, null, 1));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The formula and its format; the text where a format makes it another, or where ours says more. */
const FORMULAS = [
  ["data.queues.sort((a, b) => (a.friendlyName < b.friendlyName ? 1 : -1))[0].friendlyName"],
  ["data.queues.reverse().length"],
  ["data.queues.map((queue) => queue.friendlyName).sort().join()"],
  ["[1, 2, 3]"],
  ["0 / 0"],
  ["1 === 1", undefined, "true"],
  ["(1234567).toLocaleString('en-US')"],
  ["(console.log('seen'), 7)"],
  ["12", "hours", "12"],
  ["75", "seconds", "00:01:15"],
  ["'12px'", "seconds", "00:00:12"],
  ["'-'", "seconds", "00:00:00"],
  ["undefined.x"],
  ["undefined"],
];

test("formulas show what the older page shows", async (t) => {
  const names = FORMULAS.map((_, at) => `f${at}`);
  const definitions = Object.fromEntries(
    FORMULAS.map(([formula, format], at) => [`f${at}`, { metric: { label: `f${at}`, formula, format } }]),
  );
  definitions.f0.metric.firstThresholdValue = "many";
  const { emulator, openAll, settings, signIn } = await wallboard(t, definitions);
  const front = { client: "wallboard", signIn, settings: settings(2024) };
  for (const page of await openAll(places, [PINNED.wallboard], front)) {
    const view = await page.until("all queues", (view) => tile("f1")(view).value === 4);
    const ours = await evaluated(emulator, names);
    for (const [at, [formula, format, text]] of FORMULAS.entries()) {
      assert.equal(ours[`f${at}`].text, text ?? tile(`f${at}`)(view).text, `${formula}, ${format}`);
    }
  }
});

test("the later page's camelCase names of the Workspace hold as well", async (t) => {
  const { emulator } = await wallboard(t, { f: { metric: { label: "f", formula: "data.workspace.accountSid" } } });
  assert.equal((await evaluated(emulator, ["f"])).f.text, emulator.account.account_sid);
});
