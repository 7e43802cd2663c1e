// Curves over images shown, as SVG: log or linear on a click, a balance line, numbers on hover.

import { h } from "../dom.js";
import { number, t } from "../texts.js";

const WIDTH = 300, HEIGHT = 120, LEFT = 40, BOTTOM = 18, TOP = 6, RIGHT = 6;

/**
 * A chart.
 * curves: [{name, colour, points: [[images, value], ...]}]; goal: a dotted line at this value;
 * floor, ceiling: fixed ends of the scale; help: a sentence under it.
 */
export function drawChart(title, curves, { help = "", goal = null, floor = null, ceiling = null, log = false, toggle = null } = {}) {
  const shown = curves.map((curve) => ({ ...curve, points: thin(curve.points.filter(([, value]) => Number.isFinite(value) && (!log || value > 0))) })).filter((curve) => curve.points.length);
  const all = shown.flatMap((curve) => curve.points);
  const legend = h("div", { class: "legend" }, shown.map((curve) => h("span", {}, h("i", { style: { background: curve.colour } }), curve.name)));
  const readout = h("output", { class: "readout" });
  const head = h("div", { class: "row between chart-head" }, h("strong", { text: title }), readout,
    toggle && h("button", { type: "button", class: "quiet small", text: t(log ? "watch.scale.log" : "watch.scale.linear"), "aria-label": t("watch.scale"), on: { click: toggle } }));
  // One point is no curve: its value says it.
  if (!shown.some((curve) => curve.points.length > 1)) {
    const values = shown.map((curve) => `${curve.name} ${number(curve.points[0][1])}`).join(" · ");
    return h("figure", { class: "chart" }, head, h("p", { class: "faint", text: values || t("watch.early") }), help && h("small", { text: help }));
  }

  const xs = all.map(([x]) => x), ys = all.map(([, y]) => y);
  const scale = log ? Math.log10 : (value) => value;
  let low = scale(floor ?? Math.min(...ys)), high = scale(ceiling ?? Math.max(...ys));
  if (goal !== null && !log) { low = Math.min(low, goal); high = Math.max(high, goal); }
  if (high - low < 1e-9) { low -= 0.5; high += 0.5; }
  const first = Math.min(...xs), last = Math.max(...xs, first + 1);
  const px = (x) => LEFT + ((x - first) / (last - first)) * (WIDTH - LEFT - RIGHT);
  const py = (y) => TOP + (1 - (scale(y) - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);

  const svg = h("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}: ${shown.map((curve) => `${curve.name} ${number(curve.points.at(-1)[1])}`).join(", ")}` });
  for (const share of [0, 0.5, 1]) {
    const value = low + share * (high - low), y = TOP + (1 - share) * (HEIGHT - TOP - BOTTOM);
    svg.append(h("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y, class: "rule" }),
      h("text", { x: LEFT - 4, y: y + 3.5, "text-anchor": "end", text: short(log ? 10 ** value : value) }));
  }
  svg.append(h("text", { x: LEFT, y: HEIGHT - 4, text: short(first) }), h("text", { x: WIDTH - RIGHT, y: HEIGHT - 4, "text-anchor": "end", text: short(last) }));
  if (goal !== null && (!log || goal > 0)) svg.append(h("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: py(goal), y2: py(goal), class: "goal" }));
  for (const curve of shown) svg.append(h("polyline", { points: curve.points.map(([x, y]) => `${px(x).toFixed(1)},${py(y).toFixed(1)}`).join(" "), fill: "none", stroke: curve.colour, "stroke-width": 1.6 }));

  const mark = h("line", { class: "mark", y1: TOP, y2: HEIGHT - BOTTOM, hidden: true });
  svg.append(mark);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const x = first + (((event.clientX - box.left) / box.width) * WIDTH - LEFT) / (WIDTH - LEFT - RIGHT) * (last - first);
    const near = shown.map((curve) => [curve, curve.points.reduce((best, point) => (Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best))]);
    mark.setAttribute("x1", px(near[0][1][0])); mark.setAttribute("x2", px(near[0][1][0])); mark.style.display = "block";
    readout.textContent = `${short(near[0][1][0])}: ${near.map(([, point]) => number(point[1])).join(" / ")}`;
  });
  svg.addEventListener("pointerleave", () => { mark.style.display = "none"; readout.textContent = ""; });
  mark.style.display = "none";
  return h("figure", { class: "chart" }, head, svg, legend, help && h("small", { text: help }));
}

/** At most about 300 points: the mean of each stretch. */
function thin(points, most = 300) {
  if (points.length <= most) return points;
  const step = points.length / most, kept = [];
  for (let i = 0; i < most; i++) {
    const part = points.slice(Math.floor(i * step), Math.floor((i + 1) * step));
    kept.push([part.at(-1)[0], part.reduce((sum, [, y]) => sum + y, 0) / part.length]);
  }
  return kept;
}

function short(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${+(value / 1e6).toPrecision(3)}M`;
  if (size >= 1e4) return `${+(value / 1e3).toPrecision(3)}k`;
  if (size >= 100) return String(Math.round(value));
  return String(+value.toPrecision(2));
}
