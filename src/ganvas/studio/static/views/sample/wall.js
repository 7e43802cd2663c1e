// The wall of samples: one request for all of them, a button for each.

import { app } from "../../app.js";
import { latest, nextWish } from "../../api.js";
import { button, clear, h } from "../../dom.js";
import { t } from "../../texts.js";
import { COLUMNS, makeCanvas, put } from "./source.js";

const COUNT = COLUMNS * 6;
const SHIFTS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS };
const kept = { key: "", tiles: null }; // of the wall that was shown last, for the way back to it

/**
 * The wall. `desk.act(point)` is called when a sample is chosen, `desk.toggle(point)` for its heart.
 * Arrow keys go from sample to sample, Enter chooses, F keeps.
 */
export function makeWall(desk) {
  const { source } = desk;
  const cells = Array.from({ length: COUNT }, (_, row) => makeCell(row));
  const grid = h("div", { class: "wall", role: "group", "aria-label": t("sample.wall") }, cells.map((cell) => cell.element));
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const element = h("div", { class: "wall-frame" }, grid, problem);
  let points = [];

  function makeCell(row) {
    const canvas = makeCanvas(source.size);
    const open = h("button", {
      type: "button", class: "cell", draggable: "true", tabindex: row ? -1 : 0,
      on: {
        click: () => desk.act(points[row]),
        dragstart: (event) => desk.drag(event, points[row], canvas),
        keydown: (event) => move(event, row),
        focus: () => cells.forEach((cell, number) => { cell.open.tabIndex = number === row ? 0 : -1; }),
      },
    }, canvas);
    const heart = button("♥", () => desk.toggle(points[row]), { kind: "heart", tabindex: -1, title: t("sample.keep.key"), "aria-label": t("sample.keep") });
    return { element: h("div", { class: "cell-frame" }, open, heart), open, heart, canvas };
  }

  function move(event, row) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.toLowerCase() === "f") { desk.toggle(points[row]); return; }
    const next = row + (SHIFTS[event.key] ?? NaN);
    if (!(next >= 0 && next < COUNT)) return;
    event.preventDefault();
    cells[next].open.focus();
  }

  function mark() {
    cells.forEach((cell, row) => cell.heart.setAttribute("aria-pressed", String(desk.isKept(points[row]))));
  }

  const draw = latest(async (key, wanted) => {
    grid.setAttribute("aria-busy", "true");
    try {
      const tiles = kept.key === key ? kept.tiles : await source.draw(wanted, { wish: nextWish("wall") });
      if (!tiles) return;
      Object.assign(kept, { key, tiles });
      tiles.forEach((tile, row) => put(cells[row].canvas, tile));
      problem.hidden = true;
    } catch (error) {
      clear(problem, app.describe(error), " ", button(t("frame.retry"), () => draw(key, wanted), { kind: "link" }));
      problem.hidden = false;
    } finally {
      grid.setAttribute("aria-busy", "false");
    }
  });

  /** Show 36 points. */
  function show(wanted) {
    points = wanted;
    points.forEach((point, row) => {
      const name = source.classes[point.label];
      const text = name === undefined ? t("sample.cell", { row: row + 1 }) : t("sample.cell.class", { row: row + 1, name });
      cells[row].open.setAttribute("aria-label", text);
      cells[row].open.title = text;
    });
    mark();
    return draw(`${source.run.id} ${source.run.checkpoint} ${JSON.stringify(points)}`, points);
  }
  return { element, count: COUNT, show, mark, focus: (row) => cells[row]?.open.focus({ preventScroll: true }) };
}
