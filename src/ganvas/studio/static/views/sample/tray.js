// The tray at the bottom: favourites of this tab, kept by run, and their exports.

import { app } from "../../app.js";
import { button, clear, h, saveAs } from "../../dom.js";
import { t } from "../../texts.js";
import { makeBusy } from "./busy.js";
import { decode, encode, haveTwoWays, walk } from "./points.js";
import { filmScale, makeCanvas, put } from "./source.js";

const MOST = 64; // favourites
const FRAMES = 240; // of a film at most
const FRAMES_A_LEG = 24;

/** `desk.act(point)` is called when a favourite is chosen. */
export function makeTray(desk) {
  const { source } = desk, { run } = source, place = `ganvas-tray-${run.id}`;
  let kept = read();
  const list = h("div", { class: "tray-list", role: "group", "aria-label": t("sample.tray") });
  const count = h("h2", {});
  const busy = makeBusy();
  const exports = ["png", "zip", ...source.films].map((format) => button(t(`sample.export.${format}`), () => exportAll(format), { title: t(`sample.export.${format}.help`), data: { format } }));
  const element = h("section", { class: "tray", "aria-label": t("sample.tray") },
    h("div", { class: "row" }, count, h("div", { class: "grow" }), busy.element, h("div", { class: "row tray-exports" }, exports)), list);

  function read() {
    try { return JSON.parse(sessionStorage.getItem(place) ?? "[]").map(decode).filter(Boolean); } catch { return []; }
  }

  function changed() {
    try { sessionStorage.setItem(place, JSON.stringify(kept.map(encode))); } catch { /* full: the tray lives as long as the page */ }
    draw();
    desk.trayChanged();
  }

  const find = (point) => kept.findIndex((one) => encode(one) === encode(point));
  function toggle(point) {
    const number = find(point);
    if (number >= 0) { removeAt(number); return; }
    if (kept.length >= MOST) { busy.fail(t("sample.tray.full", { n: MOST })); return; }
    kept.push(point);
    changed();
    list.lastElementChild?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  function removeAt(number) {
    const [point] = kept.splice(number, 1);
    changed();
    app.say(t("sample.removed"), { action: { text: t("word.undo"), on() { kept.splice(number, 0, point); changed(); } } });
  }

  // Pictures are kept by point, so that one more favourite is one more request of one sample.
  const canvases = new Map();
  async function draw() {
    count.textContent = kept.length ? t("sample.tray.count", { n: kept.length }) : t("sample.tray");
    element.classList.toggle("empty-tray", !kept.length);
    for (const one of exports) one.disabled = kept.length < (source.films.includes(one.dataset.format) ? 2 : 1);
    const missing = kept.filter((point) => !canvases.has(encode(point)));
    for (const point of missing) canvases.set(encode(point), makeCanvas(source.size));
    clear(list, kept.length ? kept.map(drawItem) : h("p", { class: "note", text: t("sample.tray.empty") }));
    if (!missing.length) return;
    try {
      const tiles = await source.draw(missing);
      missing.forEach((point, number) => put(canvases.get(encode(point)), tiles[number]));
    } catch (error) {
      for (const point of missing) canvases.delete(encode(point));
      busy.fail(app.describe(error));
    }
  }

  function drawItem(point, number) {
    const canvas = canvases.get(encode(point));
    const onKey = (event) => { if (event.key === "Delete" || event.key === "Backspace") { event.preventDefault(); removeAt(number); list.querySelectorAll(".cell")[Math.max(0, number - 1)]?.focus(); } };
    return h("div", { class: "cell-frame" },
      h("button", {
        type: "button", class: "cell", draggable: "true", title: desk.describe(point), "aria-label": t("sample.favourite", { n: number + 1, what: desk.describe(point) }),
        on: { click: () => desk.act(point), dragstart: (event) => desk.drag(event, point, canvas), keydown: onKey },
      }, canvas),
      button("×", () => removeAt(number), { kind: "heart", "aria-label": t("sample.remove"), title: t("sample.remove") }));
  }

  async function exportAll(format) {
    if (haveTwoWays(kept)) { busy.fail(t("sample.ways")); return; }
    const film = source.films.includes(format);
    const points = film ? walk(kept, Math.min(FRAMES, FRAMES_A_LEG * kept.length), true) : kept;
    const rest = film ? { scale: filmScale(source.size) } : { columns: Math.ceil(Math.sqrt(kept.length)) };
    const blob = await busy.run((signal) => source.file(points, { format, ...rest }, { signal }));
    if (blob) saveAs(blob, `${desk.fileName}-${film ? "walk" : "favourites"}.${format}`);
  }

  draw();
  return { element, toggle, has: (point) => find(point) >= 0, stop: busy.cancel };
}
