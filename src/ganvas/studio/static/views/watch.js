// A run live: its samples with the way there, curves, the doctor, speed; stop, resume, longer.

import { app } from "../app.js";
import { getJson, postJson } from "../api.js";
import { button, clear, h, sharpness } from "../dom.js";
import { say } from "../say.js";
import { duration, number, percent, t } from "../texts.js";
import { drawChart } from "./chart.js";
import { drawReason } from "./reasons.js";
import { drawMinutes, nearestMinutes } from "./minutes.js";
import { describeRun, describeState, gridAddress } from "./runs.js";

const PLAYERS = { discriminator: "var(--d)", generator: "var(--g)" };
const OTHERS = ["#7a5bc0", "#2a9d8f", "#b8860b", "#c2528b"];

export async function show(root, { run, query }) {
  const state = { run, entries: [], at: null, playing: null, log: query.log === "1" };
  const film = drawFilm(state);
  const facts = h("div", { class: "facts" }), actions = h("div", { class: "row" }), problem = h("p", { class: "problem", role: "alert" });
  const more = h("div", { class: "more" }, drawMore(run));
  const doctor = h("div"), charts = h("div", { class: "charts" });
  root.append(h("div", { class: "stage" },
    h("div", { class: "picture" }, film.element),
    h("div", { class: "panel" }, facts, actions, problem,
      h("section", {}, h("h2", { text: t("watch.doctor") }), doctor), charts, more)));

  let drawn = ""; // of what the actions were drawn
  async function readLog() {
    const { entries, count } = await getJson(`/api/runs/${run.id}/log?after=${state.entries.length}`);
    // a run that resumes cuts its log: begin anew
    if (count < state.entries.length + entries.length) { state.entries = []; return readLog(); }
    state.entries.push(...entries);
  }
  function draw() {
    const now = state.run;
    clear(facts, h("p", { class: "state" }, h("span", { class: `dot ${now.state}` }), describeState(now)),
      h("progress", { max: now.total, value: now.images, "aria-label": t("watch.progress") }),
      h("p", { class: "faint", text: t("watch.shown", { n: now.images, total: now.total }) }),
      now.rate && h("p", { class: "faint", text: t("watch.rate", { rate: number(now.rate) }) }),
      h("p", { class: "faint", text: describeRun(now) }),
      now.failure && h("p", { class: "problem", role: "alert", text: now.failure }),
      now.reason && h("p", { class: "note", text: t("watch.ended-early", { reason: now.reason }) }));
    // what is unfolded or focused in them stays, unless they have changed; in training there is one button
    const key = JSON.stringify(now.state === "training" ? now.state : [now.state, now.images, now.total, now.rate, now.views]);
    if (key !== drawn) { drawn = key; clear(actions, drawActions(now)); }
    clear(doctor, now.doctor.length > 0 && h("ul", { class: "plain" }, now.doctor.map((one) => h("li", {}, h("strong", { class: "problem", text: say(one.name) }), h("p", { text: say(one.evidence) }), h("p", { class: "faint", text: say(one.action) })))),
      now.health && now.health !== "ill" && h("p", { class: now.health === "healthy" ? "fine" : "faint" }, h("strong", { text: say(now.health) })),
      now.remarks?.map((text) => h("p", { class: "faint", text: say(text) })));
    clear(charts, drawCharts(state, () => { state.log = !state.log; app.keep({ log: state.log ? "1" : "" }); draw(); }));
    film.update();
  }
  const act = (work, text) => async (event) => {
    problem.textContent = "";
    event.target.disabled = true;
    try { await work(); app.say(text); drawn = ""; } catch (error) { problem.textContent = app.describe(error); event.target.disabled = false; }
  };
  function drawActions(now) {
    const path = `/api/runs/${run.id}`;
    if (now.state === "starting") return [button(t("state.starting"), () => {}, { disabled: true })];
    if (now.state === "stopping") return [button(t("state.stopping"), () => {}, { disabled: true })];
    if (now.state === "training") return [button(t("watch.stop"), act(() => postJson(`${path}/stop`), t("watch.asked")), { kind: "primary" })];
    if (now.state === "interrupted") return [button(t("watch.resume"), act(() => postJson(`${path}/resume`), t("watch.goes-on")), { kind: "primary" })];
    const use = now.views?.find((name) => ["sample", "translate", "place", "paint"].includes(name));
    return [use && h("a", { class: "button-link", href: `#/run/${run.id}/${use}`, text: t("watch.use") }),
      h("details", { class: "wide-details" }, h("summary", { text: t("watch.longer") }), drawLength(now, (images) => act(() => postJson(`${path}/extend`, { images }), t("watch.goes-on"))))];
  }
  // How much longer, in minutes at the speed that was measured last; a run too short for that: as long again.
  function drawLength(now, extend) {
    let minutes = now.rate ? nearestMinutes(now.images / now.rate / 60) : 0;
    // a run that ended early has its old length at least
    const whole = () => Math.max(now.total, now.images + Math.max(1, Math.round(now.rate ? 60 * minutes * now.rate : now.total)));
    const help = h("small"), tell = () => { help.textContent = t("watch.longer-help", { more: whole() - now.images, total: whole() }) + (now.reason ? ` ${t("watch.longer-early")}` : ""); };
    tell();
    return h("div", { class: "stack" }, now.rate && drawMinutes(t("watch.minutes"), minutes, (wanted) => { minutes = wanted; tell(); }), help,
      button(t("watch.extend"), (event) => extend(whole())(event), { kind: "primary" }));
  }

  // Numbers and commands are those of another moment when a training begins or ends.
  async function readMore() {
    try {
      const parts = drawMore(await getJson(`/api/runs/${run.id}`)).filter(Boolean);
      // what was unfolded stays so
      parts.forEach((part, place) => { part.open = more.children[place]?.open ?? false; });
      clear(more, parts);
    } catch { /* the next change reads again */ }
  }
  let reading = false;
  async function changed(id) {
    if (id !== run.id && id !== null) return;
    const card = app.runs.get(run.id);
    if (!card) { draw(); return; }
    const before = state.run;
    state.run = { ...state.run, failure: "", ...card };
    if (before.state !== card.state || before.checkpoint !== card.checkpoint) readMore();
    if (reading) return;
    reading = true;
    try { await readLog(); } catch { /* the next event reads again */ } finally { reading = false; }
    draw();
  }
  await readLog();
  draw();
  app.listeners.add(changed);
  const keys = (event) => film.key(event);
  window.addEventListener("keydown", keys);
  return () => { app.listeners.delete(changed); window.removeEventListener("keydown", keys); film.pause(); };
}

/** The grid large, and under it the way there: a slider through all grids, and play. */
function drawFilm(state) {
  const image = h("img", { class: `grid ${sharpness(state.run.size)}`, alt: "" });
  const nothing = h("p", { class: "empty", text: t("watch.no-grids") });
  const range = h("input", { type: "range", min: 0, max: 0, value: "0", "aria-label": t("watch.film") });
  const caption = h("output"), play = button("▶", toggle, { "aria-label": t("watch.play"), title: t("watch.play") });
  const strip = h("div", { class: "film row" }, play, h("div", { class: "grow" }, range), caption);
  const last = () => state.run.grids.length - 1;
  const at = () => Math.min(state.at ?? last(), last());

  function update() {
    const grids = state.run.grids;
    nothing.hidden = grids.length > 0; image.hidden = strip.hidden = grids.length === 0;
    if (!grids.length) return;
    range.max = String(last()); range.value = String(at());
    const source = gridAddress(state.run, grids[at()]);
    if (image.getAttribute("src") !== source) image.src = source;
    image.alt = caption.textContent = t("watch.after", { n: grids[at()] });
  }
  function go(place) { state.at = place >= last() ? null : Math.max(0, place); update(); }
  function pause() { clearInterval(state.playing); state.playing = null; play.textContent = "▶"; play.setAttribute("aria-label", t("watch.play")); }
  function toggle() {
    if (state.playing) { pause(); return; }
    if (at() === last()) go(0);
    play.textContent = "❚❚"; play.setAttribute("aria-label", t("watch.pause"));
    state.playing = setInterval(() => { go(at() + 1); if (at() === last()) pause(); }, Math.max(80, Math.min(400, 6000 / (last() + 1))));
  }
  range.addEventListener("input", () => { pause(); go(Number(range.value)); });
  return {
    element: h("div", {}, image, nothing, strip), update, pause,
    key(event) { if (event.key === " " && event.target === document.body) { event.preventDefault(); toggle(); } },
  };
}

function drawCharts(state, toggle) {
  const series = (kind) => {
    const found = {};
    for (const entry of state.entries) {
      if (entry.kind !== kind) continue;
      for (const [key, value] of Object.entries(entry)) if (typeof value === "number" && key !== "images") (found[key] ??= []).push([entry.images, value]);
    }
    return found;
  };
  const losses = series("losses"), health = series("health"), scores = series("evaluated");
  const players = (state.run.players ?? Object.keys(PLAYERS)).filter((name) => losses[name]);
  const colour = (name, place) => PLAYERS[name] ?? OTHERS[place % OTHERS.length];
  const pick = (found, names) => names.filter((name) => found[name]).map((name, place) => ({ name: t(`watch.${name}`), colour: OTHERS[place], points: found[name] }));
  const charts = [drawChart(t("watch.losses"), players.map((name, place) => ({ name: label(name), colour: colour(name, place), points: losses[name] })), { help: t(players.length === 2 ? "watch.losses-help" : "watch.losses-help.more"), log: state.log, toggle })];
  const accuracy = [["real_accuracy", "var(--d)"], ["fake_accuracy", "var(--g)"]].map(([quantity, paint]) => {
    const key = Object.keys(health).find((name) => name.endsWith(quantity));
    return key && { name: t(`watch.${quantity}`), colour: paint, points: health[key] };
  }).filter(Boolean);
  if (accuracy.length) charts.push(drawChart(t("watch.accuracy"), accuracy, { help: t("watch.accuracy-help"), goal: 0.5, floor: 0, ceiling: 1 }));
  const variety = pick(health, ["diversity", "distance", "palette"]);
  if (variety.length) charts.push(drawChart(t("watch.variety"), variety, { help: t("watch.variety-help"), goal: 1, floor: 0 }));
  if (scores.distance) charts.push(drawChart(t("watch.score"), [{ name: t("watch.score"), colour: "var(--accent)", points: scores.distance }], { help: t("watch.score-help"), log: state.log, toggle }));
  return charts;
}

const label = (player) => (player in PLAYERS ? t(`watch.${player}`) : player);

/** A step of how images are prepared, which may name the part of a row before a colon. */
function sayStep(step) {
  const [, part = "", what] = step.match(/^(\w+: )?(.*)$/s);
  return part + say(what);
}

/** Settings, data and commands: there, but folded. */
function drawMore(run) {
  const table = (rows) => h("table", {}, rows.map(([name, value]) => h("tr", {}, h("th", { scope: "row", text: name }), h("td", { text: value }))));
  return [
    run.reasons.length > 0 && h("details", {}, h("summary", { text: t("watch.chosen") }), h("ul", { class: "plain" }, run.reasons.map(drawReason))),
    h("details", {}, h("summary", { text: t("watch.numbers") }), table(Object.entries(run.numbers).map(([name, value]) => [say(name), say(value)]))),
    h("details", {}, h("summary", { text: t("watch.data") }), table([[t("watch.used"), number(run.report.used)], [t("watch.left-out"), number(run.report.skipped.length)]]),
      run.report.notes.map((note) => h("p", { class: "note", text: say(note) })), run.report.steps.map((step) => h("p", { class: "faint", text: sayStep(step) }))),
    h("details", {}, h("summary", { text: t("watch.commands") }), run.use.map((one) => [h("p", { class: "faint", text: say(one.text) }), one.command && h("pre", { text: one.command })])),
  ];
}
