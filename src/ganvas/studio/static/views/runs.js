// All runs as cards: newest grid, what it is, how it stands. Search, compare two, delete with undo.

import { app, loadRuns } from "../app.js";
import { getJson, postJson, remove } from "../api.js";
import { button, clear, h } from "../dom.js";
import { say } from "../say.js";
import { date, duration, number, percent, t } from "../texts.js";

export async function show(root, place) {
  const chosen = new Set();
  const search = h("input", { type: "search", placeholder: t("runs.search"), "aria-label": t("runs.search"), value: place.query.find ?? "" });
  const compare = button(t("runs.compare"), () => app.go("compare", { runs: [...chosen].join(",") }), { disabled: true, title: t("runs.compare.help") });
  const cards = h("div", { class: "cards" });
  const head = h("div", { class: "row runs-head" }, search, compare, h("div", { class: "grow" }),
    h("a", { class: "button-link", href: "#/new", text: t("runs.train") }));
  const summary = h("summary"), inBin = h("table");
  const bin = h("details", { class: "bin", hidden: true, on: { toggle: () => { if (bin.open) drawBin(); } } }, summary, h("p", { class: "faint", text: t("runs.bin.help") }), inBin);
  const ready = h("div", { class: "row zoo", hidden: true });
  root.append(h("h1", { class: "visually-hidden", text: t("view.runs") }), head, cards, ready, bin);

  const elements = new Map(); // by id, so that a change redraws one card alone
  function draw() {
    const wanted = search.value.trim().toLowerCase();
    const runs = [...app.runs.values()].filter((run) => `${run.name} ${run.recipe ?? ""} ${run.data ?? ""}`.toLowerCase().includes(wanted));
    runs.sort((a, b) => (isBusy(b) - isBusy(a)) || b.changed - a.changed);
    for (const run of runs) {
      const key = JSON.stringify(run);
      if (elements.get(run.id)?.key !== key) elements.set(run.id, { key, element: drawCard(run, chosen, choose, deleteRun) });
    }
    const next = runs.map((run) => elements.get(run.id).element);
    if (!runs.length && app.loaded) next.push(drawEmpty(app.runs.size > 0));
    if (next.length !== cards.children.length || next.some((one, place_) => cards.children[place_] !== one)) clear(cards, next);
    head.hidden = app.runs.size === 0;
    compare.hidden = app.runs.size < 2;
  }
  function choose(id, on) {
    if (on) chosen.add(id); else chosen.delete(id);
    compare.disabled = chosen.size !== 2;
  }
  async function deleteRun(run) {
    try {
      const { bin: name } = await remove(`/api/runs/${run.id}`);
      app.runs.delete(run.id);
      chosen.delete(run.id);
      draw();
      drawBin();
      app.say(t("runs.deleted", { name: run.name }), { action: { text: t("word.undo"), on: () => restore(name, run.name) } });
    } catch (error) { app.say(app.describe(error), { kind: "problem" }); }
  }
  async function restore(name, of) {
    try {
      await postJson(`/api/bin/${name}/restore`);
      await loadRuns();
      app.say(t("runs.restored", { name: of }));
    } catch (error) { app.say(app.describe(error), { kind: "problem" }); }
    await drawBin();
    if (!bin.hidden) summary.focus();
  }
  async function drawBin() {
    try {
      const { bin: deleted } = await getJson("/api/bin");
      bin.hidden = !deleted.length;
      summary.textContent = t("runs.bin", { n: deleted.length });
      clear(inBin, deleted.map((one) => h("tr", {}, h("th", { scope: "row", text: one.name }), h("td", { text: date(one.time) }),
        h("td", {}, button(t("runs.restore"), () => restore(one.bin, one.name), { "aria-label": t("runs.restore.name", { name: one.name }) })))));
    } catch { /* the runs above say that the studio does not answer */ }
  }

  async function drawReady() {
    try {
      const { zoo } = await getJson("/api/zoo");
      clear(ready, [h("span", { text: t("runs.zoo") }), ...zoo.map((name) => button(t(`runs.zoo.${name}`), () => add(name), { title: t("runs.zoo.help", { name: `zoo:${name}` }) }))]);
      ready.hidden = false;
    } catch { /* as for the bin */ }
  }
  async function add(name) {
    try {
      const { id } = await postJson(`/api/zoo/${name}`);
      await loadRuns();
      app.go(`run/${id}/sample`);
    } catch (error) { app.say(app.describe(error), { kind: "problem" }); }
  }

  search.addEventListener("input", () => { app.keep({ find: search.value }); draw(); });
  app.listeners.add(draw);
  draw();
  drawBin();
  drawReady();
  return () => app.listeners.delete(draw);
}

const isBusy = (run) => ["training", "stopping", "starting"].includes(run.state);

/** What a run is, in a few words: "faces · 64 px · relativistic". */
export const describeRun = (run) => [run.data, run.size > 1 && `${run.size} px`, run.recipe].filter(Boolean).join(" · ");

/** How a run stands, in a few words. */
export function describeState(run) {
  if (run.state === "training") {
    const left = run.seconds_left ? ` · ${t("frame.left", { time: duration(run.seconds_left) })}` : "";
    return `${t("state.training")} ${percent(Math.min(1, run.images / run.total))}${left}`;
  }
  if (run.state === "interrupted") return `${t("state.interrupted")} · ${percent(run.images / run.total)}`;
  return t(`state.${run.state}`);
}

export const gridAddress = (run, images) => `/api/runs/${run.id}/grids/${images}.png?v=${run.mark}`;
export const newestGrid = (run) => run.grids?.length ? gridAddress(run, run.grids.at(-1)) : null;

function drawCard(run, chosen, choose, deleteRun) {
  const grid = newestGrid(run);
  const worst = run.doctor?.[0];
  const box = h("input", { type: "checkbox", checked: chosen.has(run.id), "aria-label": t("runs.choose", { name: run.name }), on: { change: (event) => choose(run.id, event.target.checked) } });
  return h("div", { class: "card run-card", data: { run: run.id } },
    h("a", { class: "cover", href: `#/run/${run.id}/watch` },
      h("div", { class: "shot" }, grid ? h("img", { src: grid, alt: "", loading: "lazy" }) : h("span", { class: "faint", text: t("runs.nothing") })),
      h("div", { class: "words" }, h("strong", { text: run.name }),
        h("small", { text: run.error ? say(run.error) : describeRun(run) }),
        h("small", {}, h("span", { class: `dot ${run.state}` }), describeState(run)),
        run.images > 0 && !isBusy(run) && h("small", { text: t("runs.images", { n: run.images }) }),
        run.failure && h("small", { class: "problem", text: run.failure }),
        worst && h("small", { class: "problem", text: say(worst.name) }),
        !worst && run.images > 0 && run.health && run.health !== "healthy" && h("small", { class: "faint", text: say(run.health) }))),
    isBusy(run) && h("progress", { max: run.total, value: run.images, "aria-label": describeState(run) }),
    h("div", { class: "tools" }, box, !isBusy(run) && button("✕", () => deleteRun(run), { kind: "quiet", "aria-label": t("runs.delete", { name: run.name }), title: t("runs.delete", { name: run.name }) })));
}

const drawEmpty = (searching) => h("div", { class: "empty wide" },
  h("p", { text: t(searching ? "runs.none" : "runs.empty") }),
  !searching && [
    h("div", { class: "row centred" }, h("a", { class: "button-link", href: "#/new", text: t("runs.train") }),
      h("a", { class: "button-link second", href: "#/new?data=digits&minutes=1", text: t("runs.digits") }),
      h("a", { class: "button-link second", href: "#/learn", text: t("runs.learn") })),
    h("p", { class: "faint", text: t("runs.where") })]);
