// A − B + C of three samples, chosen or dragged into three slots.

import { app } from "../../app.js";
import { button, clear, h } from "../../dom.js";
import { t } from "../../texts.js";
import { combine, haveTwoWays } from "./points.js";
import { makeCanvas, put } from "./source.js";

const NAMES = ["A", "B", "C"];

export function makeArithmetic(desk) {
  const { source } = desk;
  const slots = NAMES.map((name, number) => makeSlot(name, number));
  const canvas = makeCanvas(source.size);
  const result = h("button", { type: "button", class: "cell", disabled: true, "aria-label": t("sample.result"), title: t("sample.result"), on: { click: () => desk.open(point) } }, canvas);
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const sign = (text) => h("span", { class: "sign", text, "aria-hidden": "true" });
  const reset = button(t("sample.reset"), () => { slots.forEach((slot) => { slot.point = null; }); draw(); }, { kind: "link" });
  const element = h("section", { class: "panel-part" },
    h("div", { class: "row between" }, h("h2", { text: "A − B + C" }), reset),
    h("div", { class: "sum" }, slots[0].element, sign("−"), slots[1].element, sign("+"), slots[2].element, sign("="), result),
    h("small", { text: t("sample.sum.help") }), problem);
  let point = null;

  function makeSlot(name, number) {
    const picture = makeCanvas(source.size);
    const slot = { point: null, picture, element: null };
    const fill = (chosen) => { slot.point = chosen; draw(); };
    slot.element = h("button", {
      type: "button", class: "cell slot", "aria-label": t("sample.slot", { name }), title: t("sample.slot", { name }), data: { name },
      on: {
        click: () => desk.pick(t("sample.pick.sum", { name }), (chosen) => { fill(chosen); slots[number].element.focus(); }),
        dragover: (event) => { if (desk.dragged) { event.preventDefault(); slot.element.classList.add("over"); } },
        dragleave: () => slot.element.classList.remove("over"),
        drop: (event) => { event.preventDefault(); slot.element.classList.remove("over"); if (desk.dragged) fill(desk.dragged); },
      },
    }, h("span", { text: name }), picture);
    return slot;
  }

  async function draw() {
    const points = slots.map((slot) => slot.point);
    const known = points.filter(Boolean);
    point = known.length === 3 ? combine(...points) : null;
    problem.hidden = true;
    reset.hidden = !known.length;
    result.disabled = true;
    slots.forEach((slot) => slot.element.classList.toggle("full", Boolean(slot.point)));
    result.classList.toggle("full", Boolean(point));
    if (!known.length) return;
    const mine = point;
    try {
      if (point && haveTwoWays(known)) throw new Error(t("sample.ways"));
      const tiles = await source.draw(point ? [...known, point] : known);
      if (mine !== point) return;
      slots.filter((slot) => slot.point).forEach((slot, number) => put(slot.picture, tiles[number]));
      if (point) put(canvas, tiles[3]);
      result.disabled = !point;
    } catch (error) {
      clear(problem, app.describe(error));
      problem.hidden = false;
    }
  }
  draw();
  return { element };
}
