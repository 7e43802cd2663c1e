// Pieces that several views share: the seed, saving, what the GAN is doing.

import { button, field, h, saveAs } from "../../../studio/static/dom.js";
import { spec } from "./engine.js";
import { t } from "./texts.js";

const SEEDS = 1_000_000; // of the dice
const PATIENCE = 100; // ms after which it is said that something is computed

/** Save a canvas as a PNG; what is seen is what is saved. */
export function savePng(canvas, name) {
  canvas.toBlob((blob) => saveAs(blob, `${spec.name}-${name}.png`), "image/png");
}

/** A field for a seed with a button for another one; `change` gets the seed. */
export function seedField(value, change) {
  const input = h("input", { type: "number", min: 0, step: 1, value: String(value), inputmode: "numeric" });
  const problem = h("small", { class: "problem", role: "alert", hidden: true, text: t("page.badSeed") });
  const read = () => {
    const good = /^\d{1,15}$/.test(input.value);
    problem.hidden = good;
    if (good) change(Number(input.value));
  };
  input.addEventListener("input", read);
  const roll = () => { input.value = String(Math.floor(Math.random() * SEEDS)); read(); };
  const element = field(t("page.seed"), input);
  element.append(h("div", { class: "seed" }, input, button("⚄", roll, { kind: "dice", title: t("page.dice"), "aria-label": t("page.dice") })), problem);
  return element;
}

/** A line that says what the GAN is doing, what went wrong, and how long it took. */
export function makeStatus() {
  const line = h("span", { role: "status" }), problem = h("p", { class: "problem", role: "alert", hidden: true });
  return {
    element: h("div", { class: "status note" }, line, problem),
    say(text) { line.textContent = text; },
    complain(text) { problem.textContent = text; problem.hidden = !text; },
    /** Run something of the GAN, and say so; null where it fails. */
    async follow(act, count = 1) {
      const timer = setTimeout(() => { line.textContent = t("page.working"); }, PATIENCE);
      this.complain("");
      try {
        const result = await act();
        const milliseconds = Math.max(1, Math.round(result.milliseconds));
        line.textContent = count > 1 ? t("page.took", { n: milliseconds, count }) : t("page.tookOne", { n: milliseconds });
        return result;
      } catch (error) {
        line.textContent = "";
        this.complain(t("page.failed", { reason: error.message ?? String(error) }));
        return null;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** Let the browser draw what was changed, before the GAN keeps it busy. */
export const breathe = () => new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); });
