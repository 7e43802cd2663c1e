// The square in which a box or key points are placed, by pointer and by keys.
// Places are whole numbers of GRID-ths of the side: shares of it that no rounding changes.

import { button, h } from "../../dom.js";
import { percent, t } from "../../texts.js";

export const GRID = 256;
const SMALLEST = 16; // side of a box
const STEP = 4; // of an arrow key; with Shift, of a point, four times as much
const MIDDLE = [38, 38, 180, 180]; // left, top, width, height: the box that the command line uses
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const share = (value) => `${(value / GRID) * 100}%`;

/** Call `move(x, y)` with GRID-ths of the board while the pointer is held; `end` with its release. */
function drag(element, board, event, move, end = () => {}) {
  if (event.button !== 0) return;
  event.preventDefault();
  element.setPointerCapture(event.pointerId);
  const follow = (moved) => {
    const { left, top, width, height } = board.getBoundingClientRect();
    move(Math.round(((moved.clientX - left) / width) * GRID), Math.round(((moved.clientY - top) / height) * GRID));
  };
  const stop = (last) => {
    element.removeEventListener("pointermove", follow);
    for (const name of ["pointerup", "pointercancel"]) element.removeEventListener(name, stop);
    end(last);
  };
  element.addEventListener("pointermove", follow);
  for (const name of ["pointerup", "pointercancel"]) element.addEventListener(name, stop);
}

/** A box in shares of the side, or the usual one where none is given. */
export function readBox(text) {
  const values = (text ?? "").split(",").map(Number);
  const [left, top, width, height] = values;
  const fits = values.length === 4 && values.every(Number.isInteger) && left >= 0 && top >= 0 && width >= SMALLEST && height >= SMALLEST && left + width <= GRID && top + height <= GRID;
  return fits ? values : [...MIDDLE];
}

/** A board with a box; `change` is called with each move. */
export function makeBoxBoard(box, change) {
  const element = h("div", { class: "box", tabindex: 0, role: "group", "aria-describedby": "place-help" });
  const board = h("div", { class: "board", role: "group", "aria-label": t("place.board") }, element);

  function set(left, top, width, height) {
    const next = [left, top, width, height].map(Math.round);
    if (next.every((value, place) => value === box[place])) return;
    box.splice(0, 4, ...next);
    draw();
    change();
  }

  function draw() {
    const [left, top, width, height] = box;
    for (const [name, value] of Object.entries({ left, top, width, height })) element.style.setProperty(name, share(value));
    const [x, y, w, high] = box.map((value) => percent(value / GRID));
    element.setAttribute("aria-label", t("place.boxLabel", { left: x, top: y, width: w, height: high }));
  }

  const moveTo = (left, top) => set(clamp(left, 0, GRID - box[2]), clamp(top, 0, GRID - box[3]), box[2], box[3]);

  /** Bring sides to a place: -1 is the left or upper one, 1 the right or lower one, 0 neither. */
  function stretch(x, y, [left, top, width, height], across, down) {
    const right = left + width, bottom = top + height;
    const start = across < 0 ? clamp(x, 0, right - SMALLEST) : left, end = across > 0 ? clamp(x, left + SMALLEST, GRID) : right;
    const first = down < 0 ? clamp(y, 0, bottom - SMALLEST) : top, last = down > 0 ? clamp(y, top + SMALLEST, GRID) : bottom;
    set(start, first, end - start, last - first);
  }

  element.addEventListener("pointerdown", (event) => {
    if (event.target !== element) return;
    element.focus({ preventScroll: true });
    let offset = null; // from the pointer to the box's corner
    const { left, top, width, height } = board.getBoundingClientRect();
    offset = [box[0] - ((event.clientX - left) / width) * GRID, box[1] - ((event.clientY - top) / height) * GRID];
    drag(element, board, event, (x, y) => moveTo(x + offset[0], y + offset[1]));
  });
  for (const down of [-1, 0, 1]) for (const across of [-1, 0, 1]) {
    if (!across && !down) continue;
    const handle = h("span", { class: "handle", "aria-hidden": "true", data: { at: `${down}${across}` }, style: { left: `${50 + 50 * across}%`, top: `${50 + 50 * down}%`, cursor: across && down ? (across === down ? "nwse-resize" : "nesw-resize") : across ? "ew-resize" : "ns-resize" } });
    handle.addEventListener("pointerdown", (event) => {
      element.focus({ preventScroll: true });
      const start = [...box];
      drag(handle, board, event, (x, y) => stretch(x, y, start, across, down));
    });
    element.append(handle);
  }

  const reset = () => set(...MIDDLE);
  element.addEventListener("keydown", (event) => {
    const [across, down] = ARROWS[event.key] ?? [0, 0];
    if (event.key === "Delete" || event.key === "Backspace") reset();
    else if (!ARROWS[event.key]) return;
    else if (event.shiftKey) stretch(box[0] + box[2] + across * STEP, box[1] + box[3] + down * STEP, [...box], Math.abs(across), Math.abs(down));
    else moveTo(box[0] + across * STEP, box[1] + down * STEP);
    event.preventDefault();
  });
  draw();
  return { element: board, tools: [button(t("place.reset"), reset, { kind: "link" })], help: t("place.boxHelp") };
}

/** Places "part:x:y,..." of the address as a Map of part: [x, y]; unknown parts are left out. */
export function readPoints(text, parts) {
  const points = new Map();
  for (const one of (text ?? "").split(",")) {
    const [name, x, y] = one.split(":");
    const place = [Number(x), Number(y)];
    if (parts.includes(name) && place.every((value) => Number.isInteger(value) && value >= 0 && value < GRID)) points.set(name, place);
  }
  return points;
}
export const writePoints = (points) => [...points].map(([part, [x, y]]) => `${part}:${x}:${y}`).join(",");

/** A board with key points, and the list of parts from which they are dragged. */
export function makePointBoard(points, parts, change) {
  const board = h("div", { class: "board", role: "group", "aria-label": t("place.board") });
  const list = h("div", { class: "parts" });
  const removeAll = button(t("place.removeAll"), () => { points.clear(); fill(); change(); }, { kind: "link" });
  const dots = new Map(), chips = new Map();

  function set(part, x, y) {
    points.set(part, [clamp(Math.round(x), 0, GRID - 1), clamp(Math.round(y), 0, GRID - 1)]);
    fill();
    change();
  }

  function take(part) {
    points.delete(part);
    fill();
    change();
    chips.get(part).focus();
  }

  function fill() {
    for (const [part, dot] of dots) if (!points.has(part)) { dot.remove(); dots.delete(part); }
    for (const [part, [x, y]] of points) {
      if (!dots.has(part)) { dots.set(part, drawDot(part)); board.append(dots.get(part)); }
      const dot = dots.get(part);
      dot.style.setProperty("left", share(x));
      dot.style.setProperty("top", share(y));
      dot.classList.toggle("late", x > GRID / 2); // its name stands on its left
      dot.setAttribute("aria-label", t("place.pointLabel", { part: readPart(part), x: percent(x / GRID), y: percent(y / GRID) }));
    }
    for (const [part, chip] of chips) {
      chip.classList.toggle("set", points.has(part));
      chip.setAttribute("aria-label", t(points.has(part) ? "place.findPart" : "place.addPart", { part: readPart(part) }));
    }
    removeAll.hidden = !points.size;
  }

  function drawDot(part) {
    const dot = h("button", { type: "button", class: "point", "aria-describedby": "place-help" }, h("span", { class: "number", text: String(parts.indexOf(part) + 1) }), h("span", { class: "name", text: readPart(part) }));
    dot.addEventListener("pointerdown", (event) => { dot.focus({ preventScroll: true }); drag(dot, board, event, (x, y) => set(part, x, y)); });
    dot.addEventListener("keydown", (event) => {
      const [x, y] = points.get(part), step = event.shiftKey ? 4 * STEP : STEP;
      if (event.key === "Delete" || event.key === "Backspace") take(part);
      else if (ARROWS[event.key]) set(part, x + ARROWS[event.key][0] * step, y + ARROWS[event.key][1] * step);
      else return;
      event.preventDefault();
    });
    return dot;
  }

  /** Where a part lies at first: around the middle, so that none hides another. */
  function findFirst(part) {
    const angle = (2 * Math.PI * parts.indexOf(part)) / parts.length;
    return [GRID * (0.5 + 0.25 * Math.cos(angle)), GRID * (0.5 + 0.25 * Math.sin(angle))];
  }

  for (const part of parts) {
    const chip = h("button", { type: "button", class: "part" }, h("span", { class: "number", text: String(parts.indexOf(part) + 1) }), readPart(part));
    let dragged = false;
    chip.addEventListener("pointerdown", (event) => {
      dragged = false;
      drag(chip, board, event, (x, y) => {
        // outside of the square nothing is placed yet
        if (!dragged && (x < 0 || y < 0 || x >= GRID || y >= GRID)) return;
        dragged = true;
        set(part, x, y);
      });
    });
    chip.addEventListener("click", () => {
      if (!dragged && !points.has(part)) set(part, ...findFirst(part));
      dots.get(part)?.focus();
      dragged = false;
    });
    chips.set(part, chip);
    list.append(chip);
  }
  fill();
  return { element: board, tools: [removeAll], list, help: t("place.partsHelp") };
}

const readPart = (part) => part.replaceAll("_", " ");
