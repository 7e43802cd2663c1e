// Begin with the weights of another run: which one, and what is taken of it.

import { field, h } from "../../dom.js";
import { t } from "../../texts.js";

/** The choice of a run to begin with; null where none could fit. */
export function drawBegin(state, look) {
  const { runs } = state.look;
  if (!runs.length) return null;
  const wish = state.begin;
  const choose = (change) => { state.begin = { ...state.begin, ...change }; look(); };
  const select = h("select", { on: { change: () => {
    state.begin = select.value ? { run: select.value } : null;
    state.recipe = "auto"; // a recipe of another GAN would not fit
    look();
  } } },
  h("option", { value: "", text: t("new.begin-nothing"), selected: !wish }),
  runs.map((run) => h("option", { value: run.id, text: t("new.begin-run", run), selected: run.id === wish?.run })));
  return h("div", { class: "stack" }, field(t("new.begin-with"), select, t(wish ? "new.begin-why" : "new.begin-help")), wish && drawTaken(wish, choose));
}

function drawTaken(wish, choose) {
  const weights = h("select", { on: { change: () => choose({ weights: weights.value }) } },
    ["ema", "last"].map((one) => h("option", { value: one, text: t(`new.weights-${one}`), selected: one === (wish.weights ?? "ema") })));
  const frozen = h("select", { on: { change: () => choose({ frozen: Number(frozen.value) }) } },
    [0, 1, 2, 3, 4].map((n) => h("option", { value: String(n), text: n ? t("new.frozen-n", { n }) : t("new.frozen-none"), selected: n === (wish.frozen ?? 0) })));
  const moments = h("input", { type: "checkbox", checked: Boolean(wish.optimizers), on: { change: () => choose({ optimizers: moments.checked }) } });
  return h("details", { open: Object.keys(wish).length > 1 }, h("summary", { text: t("new.taken") }),
    h("div", { class: "stack" }, field(t("new.weights"), weights), field(t("new.frozen"), frozen, t("new.frozen-help")),
      h("label", { class: "check" }, moments, h("span", { text: t("new.optimizers") }))));
}
