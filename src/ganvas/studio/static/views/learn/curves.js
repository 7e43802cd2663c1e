// A small curve of one number against its goal.

import { h } from "../../dom.js";

const WIDTH = 200, HEIGHT = 44; // units of the drawing, which is stretched to its place
const MOST = 1200; // points; beyond it every second one is dropped

/**
 * A curve with its name, its number now and its goal.
 * `low` and `high` are the ends of the axis; what lies beyond is cut off.
 */
export function makeCurve({ name, title, kind, goal, goalText, low, high, format }) {
  const y = (value) => HEIGHT - 2 - (Math.min(Math.max(value, low), high) - low) / (high - low) * (HEIGHT - 4);
  const line = h("path", { class: `curve ${kind}`, "vector-effect": "non-scaling-stroke" });
  const now = h("strong", { text: "–" });
  const goalLine = h("line", { class: "goal", x1: 0, x2: WIDTH, y1: y(goal), y2: y(goal), "vector-effect": "non-scaling-stroke" });
  const element = h("div", { class: "curve-box", title },
    h("div", { class: "row between" }, h("span", {}, name, " ", now), h("small", { text: goalText })),
    h("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" }, goalLine, line));

  return {
    element,
    /** values: numbers or null, of equal distance on the axis; text: shown in place of a number that there is not. */
    show(values, text = "–") {
      const known = values.filter((value) => value !== null);
      now.textContent = known.length ? format(known.at(-1)) : text;
      const step = values.length > 1 ? WIDTH / (values.length - 1) : 0;
      const points = values.map((value, i) => (value === null ? "" : `${(i * step).toFixed(2)} ${y(value).toFixed(2)}`)).filter(Boolean);
      line.setAttribute("d", points.length > 1 ? `M${points.join("L")}` : "");
    },
  };
}

/** The moments of a game, thinned out when they become too many. */
export class History {
  moments = [];
  stride = 1; // of the moments that are kept
  seen = 0;

  add(moment) {
    if (this.seen++ % this.stride === 0) this.moments.push(moment); else this.moments[this.moments.length - 1] = moment;
    if (this.moments.length <= MOST) return;
    this.moments = this.moments.filter((_, i) => i % 2 === 0);
    this.stride *= 2;
  }
}
