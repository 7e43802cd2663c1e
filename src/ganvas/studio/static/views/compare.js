// Two runs side by side: newest samples, how they stand, their losses.

import { app } from "../app.js";
import { getJson } from "../api.js";
import { h } from "../dom.js";
import { say, settingName } from "../say.js";
import { number, t } from "../texts.js";
import { describeRun, describeState, newestGrid } from "./runs.js";

export async function show(root, { query }) {
  const ids = (query.runs ?? "").split(",").filter(Boolean).slice(0, 2);
  if (ids.length !== 2) { root.append(h("p", { text: t("compare.two") }), h("a", { href: "#/runs", text: t("view.runs") })); return; }
  const runs = await Promise.all(ids.map((id) => getJson(`/api/runs/${id}`)));
  root.append(h("h1", { text: t("compare.title") }), h("div", { class: "sides" }, runs.map((run) =>
    h("section", { class: "picture" }, h("h2", {}, h("a", { href: `#/run/${run.id}/watch`, text: run.name })),
      h("p", { class: "faint", text: describeRun(run) }), h("p", {}, h("span", { class: `dot ${run.state}` }), describeState(run)),
      newestGrid(run) ? h("img", { src: newestGrid(run), alt: t("compare.samples", { name: run.name }) }) : h("p", { class: "empty", text: t("runs.nothing") })))),
    drawDifferences(runs));
}

/** The value of a setting as text. */
function write(value) {
  if (typeof value === "boolean") return t(value ? "word.yes" : "word.no");
  if (typeof value === "number") return number(value);
  return value === null ? "–" : typeof value === "string" ? say(value) : JSON.stringify(value);
}

/** The settings in which two runs differ. */
function drawDifferences([one, other]) {
  const flat = (values, prefix = "") => Object.entries(values).flatMap(([key, value]) =>
    value !== null && typeof value === "object" && !Array.isArray(value) ? flat(value, `${prefix}${key}.`) : [[prefix + key, write(value)]]);
  const [a, b] = [one, other].map((run) => new Map(flat(run.settings)));
  const keys = [...new Set([...a.keys(), ...b.keys()])].filter((key) => a.get(key) !== b.get(key));
  // what has a name of its own first: it matters more
  keys.sort((x, y) => (settingName(x) === x) - (settingName(y) === y));
  return h("section", { class: "panel differences" }, h("h2", { text: t("compare.differences") }),
    keys.length === 0 ? h("p", { text: t("compare.same") })
      : h("table", {}, h("tr", {}, h("th", { text: "" }), [one, other].map((run) => h("th", { scope: "col", text: run.name }))),
        keys.map((key) => h("tr", {}, h("th", { scope: "row", text: settingName(key), title: key }), [a, b].map((side) => h("td", { text: side.get(key) ?? "–" }))))));
}
