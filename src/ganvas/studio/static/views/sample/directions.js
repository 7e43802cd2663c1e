// Sliders along directions in the noise, found by the server when they are first asked for.

import { app } from "../../app.js";
import { getJson } from "../../api.js";
import { button, clear, h, slider } from "../../dom.js";
import { number, t } from "../../texts.js";

const REACH = 3; // standard deviations
const counts = new Map(); // promises, by run and way

function findCount(run, way) {
  const key = `${run.id} ${run.checkpoint} ${way}`;
  if (!counts.has(key)) {
    const asked = getJson(`/api/runs/${run.id}/directions?way=${way}`).then(({ count }) => count);
    asked.catch(() => counts.delete(key));
    counts.set(key, asked);
  }
  return counts.get(key);
}

/** `changed(moves, way)` is called when a slider moves. */
export function makeDirections(run, changed) {
  const ways = ["layer", "images"].map((way) => button(t(`sample.way.${way}`), () => choose(way), { title: t(`sample.way.${way}.help`), "aria-pressed": "false" }));
  const list = h("div", { class: "directions" });
  const zero = button(t("sample.zero"), () => { set([]); changed([], way); }, { kind: "link" });
  const element = h("section", { class: "panel-part" },
    h("div", { class: "row between" }, h("h2", { text: t("sample.directions") }), zero),
    h("div", { class: "row segments", role: "group", "aria-label": t("sample.way") }, ways), list);
  let way = "layer", amounts = new Map(), sliders = [], shown = "";

  function choose(next) {
    if (next !== way && amounts.size) { amounts = new Map(); changed([], next); }
    way = next;
    return load();
  }

  async function load() {
    ways.forEach((one, place) => one.setAttribute("aria-pressed", String(["layer", "images"][place] === way)));
    if (shown === way) return place();
    const mine = shown = way;
    clear(list, h("p", { class: "note", role: "status", text: t("sample.finding") }));
    sliders = [];
    try {
      const count = await findCount(run, way);
      if (mine !== shown) return;
      sliders = Array.from({ length: count }, (_, direction) => makeOne(direction));
      clear(list, sliders.map((one) => one.element), h("small", { text: t("sample.directions.help") }));
      place();
    } catch (error) {
      if (mine !== shown) return;
      clear(list, h("p", { class: "problem", role: "alert", text: app.describe(error) }));
      shown = "";
    }
  }

  const makeOne = (direction) => slider(t("sample.direction", { n: direction + 1 }), {
    min: -REACH, max: REACH, step: 0.1, value: 0, dblclick: 0, format: (value) => number(value),
    on(value) {
      if (value) amounts.set(direction, value); else amounts.delete(direction);
      zero.disabled = !amounts.size;
      changed([...amounts], way);
    },
  });

  function place() {
    sliders.forEach((one, direction) => one.set(amounts.get(direction) ?? 0));
    zero.disabled = !amounts.size;
  }

  /** Show the moves of a point. */
  function set(moves, next = way) {
    amounts = new Map(moves);
    if (amounts.size) way = next;
    return load();
  }
  return { element, set };
}
