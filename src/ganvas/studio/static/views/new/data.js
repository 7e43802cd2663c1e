// How images are prepared: what matters for the chosen set stands first, with what was found in it; the rest is folded.

import { field, h } from "../../dom.js";
import { say } from "../../say.js";
import { hasText, number, percent, t } from "../../texts.js";

/** The settings of the data, in the order in which they are shown. */
export const SETTINGS = ["labels", "split", "subset", "categories", "transpose", "range", "channels", "background", "frames", "fit", "size", "overlap", "tiles", "ignore_alpha"];
const SWITCHES = new Set(["transpose", "ignore_alpha"]);
const SIZES = ["16", "28", "32", "48", "64", "96", "128", "256"];
const ONLY_WHERE = new Set(["split", "overlap", "tiles"]); // without splits or tiles there is nothing to choose
const OVERLAPS = ["0.1", "0.25", "0.5", "0.75"];
const MOST_BANDS = 16;
const ORDER = ["train", "val", "test"];

/** The settings of a set: those that matter or were chosen, then a fold with the others. Null: it has none. */
export function drawData(state, look) {
  const { settings = [], offers = {} } = state.look;
  const tiled = state.chosen.fit === "tiles";
  const shown = (key) => (key === "overlap" || key === "tiles" ? tiled : key in offers || key in state.chosen);
  const known = SETTINGS.filter((key) => settings.includes(key));
  const first = known.filter(shown), rest = known.filter((key) => !shown(key) && !ONLY_WHERE.has(key));
  if (!known.length) return null;

  const draw = (key) => drawSetting(key, state, look);
  const fold = h("details", { on: { toggle: () => { state.open = fold.open; } } }, h("summary", { text: t("new.more-data") }), h("div", { class: "settings" }, rest.map(draw)));
  if (state.open) fold.setAttribute("open", "");
  return h("div", { class: "data" }, first.length > 0 && h("div", { class: "settings" }, first.map(draw)), rest.length > 0 && fold);
}

/** Whether what is wrong is said at the setting that it is about: one that was chosen. */
export const isSaidThere = ({ look, chosen }) => look.about in chosen && (look.settings ?? []).includes(look.about);

/** A setting, and below it what is wrong with it. */
function drawSetting(key, state, look) {
  const element = drawControl(key, state, look);
  if (state.look.about !== key || !isSaidThere(state)) return element;
  const id = `wrong-${key}`, control = element.querySelector("[data-key]");
  control.setAttribute("aria-invalid", "true");
  control.setAttribute("aria-describedby", `${control.getAttribute("aria-describedby")} ${id}`);
  element.append(h("p", { class: "problem", id, role: "alert", text: say(state.look.refusal) }));
  return element;
}

function drawControl(key, state, look) {
  const choose = (value) => {
    if (value === "" || value === false) delete state.chosen[key]; else state.chosen[key] = value;
    state.focus = key;
    if (key === "fit" && value !== "tiles") { delete state.chosen.overlap; delete state.chosen.tiles; }
    look();
  };
  const why = describeReason(key, state.look.offers ?? {});
  if (SWITCHES.has(key)) return drawSwitch(key, Boolean(state.chosen[key]), why, choose);

  const value = state.chosen[key] ?? "";
  const choices = listChoices(key, state.look);
  if (!choices) return field(t(`new.${key}`), drawText(key, value, state.look, choose), why);
  // what came with an address, or an unusual value
  if (value && !choices.some(([one]) => one === value)) choices.push([value, value]);
  const select = h("select", { data: { key }, on: { change: () => choose(select.value) } },
    h("option", { value: "", text: t(`new.usual-${hasText(`new.usual-${key}`) ? key : "any"}`), selected: value === "" }),
    choices.map(([one, text]) => h("option", { value: one, text, selected: one === value })));
  return field(t(`new.${key}`), select, why);
}

function drawSwitch(key, on, why, choose) {
  const box = h("input", { type: "checkbox", checked: on, data: { key }, "aria-describedby": `why-${key}`, on: { change: () => choose(box.checked) } });
  return h("div", { class: "field" }, h("label", { class: "check" }, box, h("span", { text: t(`new.${key}`) })), h("small", { id: `why-${key}`, text: why }));
}

/** A field for a text or a number; it counts when it is left, or with Enter. */
function drawText(key, value, { offers = {} }, choose) {
  const usual = { range: offers.range ? `${offers.range.low},${offers.range.high}` : t("new.by-itself"), background: "white", tiles: t("new.by-itself"), subset: t("new.split-all") }[key];
  const input = h("input", { type: "text", inputmode: key === "tiles" ? "numeric" : null, value, placeholder: usual, maxlength: 60, spellcheck: "false", data: { key }, on: { change: () => choose(input.value.trim()) } });
  return input;
}

/** The values of a setting and how people know them; null: it is written. */
function listChoices(key, { labels = [], offers = {}, columns = [], kind }) {
  switch (key) {
    case "labels": return labels.map((one) => [one, describeLabels(one)]);
    case "split": return listSplits(offers.split?.counts ?? {});
    case "categories": return columns.map((one) => [one, t(`new.column-${kind === "pairs" ? one : "image"}`, { column: one })]);
    case "channels": return listChannels(offers.channels?.bands ?? 0);
    case "frames": return ["all", "2", "5", "10"].map((one) => [one, one === "all" ? t("new.frames-all") : t("new.frames-every", { n: Number(one) })]);
    case "fit": return ["crop", "pad", "stretch", "tiles"].map((one) => [one, t(`new.fit-${one}`)]);
    case "size": return SIZES.map((one) => [one, `${one} px`]);
    case "overlap": return OVERLAPS.map((one) => [one, percent(Number(one))]);
    default: return null;
  }
}

function describeLabels(labels) {
  if (labels === "none" || labels === "folders") return t(`new.labels-${labels}`);
  const [table, column] = [labels.replace(/:[^:]*$/, ""), labels.includes(":") ? labels.split(":").at(-1) : ""];
  return column ? t("new.labels-column", { table, column }) : t("new.labels-table", { table });
}

function listSplits(counts) {
  const there = ORDER.filter((one) => one in counts);
  const all = there.reduce((sum, one) => sum + counts[one], 0);
  const texts = (there.length ? there : ORDER).map((one) => [one, one in counts ? t("new.split-count", { name: t(`new.split-${one}`), n: counts[one] }) : t(`new.split-${one}`)]);
  return [...texts, ["all", all ? t("new.split-count", { name: t("new.split-all"), n: all }) : t("new.split-all")]];
}

function listChannels(bands) {
  const most = Math.min(MOST_BANDS, Math.max(4, bands));
  const name = (n) => ({ 1: t("new.channels-1"), 3: t("new.channels-3"), 4: t(bands > 3 ? "new.channels-n" : "new.channels-4", { n }) }[n] ?? t("new.channels-n", { n }));
  return Array.from({ length: bands > 3 ? most : MOST_BANDS }, (_, place) => place + 1).map((n) => [String(n), name(n)]);
}

/** What was found that makes a setting matter; else what it is. */
function describeReason(key, offers) {
  const facts = offers[key];
  if (!facts) return t(`new.help-${key}`);
  if (key === "channels") return facts.bands > 3 ? t("new.why-bands", { n: facts.bands }) : t("new.why-transparent", { n: facts.transparent });
  if (key === "categories") return t("new.why-categories", { columns: facts.columns.map((one) => t(`new.column-${one}`)).join(t("new.and")) });
  if (key === "range") return t("new.why-range", { low: number(facts.low, 6), high: number(facts.high, 6) });
  return t(`new.why-${key}`, facts);
}
