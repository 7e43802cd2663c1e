// A line that says that something is under way, can cancel it, and shows what went wrong.

import { app } from "../../app.js";
import { button, clear, h } from "../../dom.js";
import { t } from "../../texts.js";

/** `run(work, text)` shows a text or an element, calls work(signal) and resolves with its result; null: it was cancelled or failed. */
export function makeBusy() {
  const element = h("div", { class: "busy-line" });
  let controller = null;

  async function run(work, text = t("word.working")) {
    controller?.abort();
    const mine = controller = new AbortController();
    const label = h("span", { class: "faint grow" }, text);
    clear(element, h("div", { class: "row", role: "status" }, label, button(t("word.cancel"), () => mine.abort(), { kind: "link" })));
    try {
      const result = await work(mine.signal);
      if (mine === controller) clear(element);
      return result;
    } catch (error) {
      if (mine !== controller) return null;
      if (error.name === "AbortError") clear(element); else fail(app.describe(error));
      return null;
    } finally {
      if (mine === controller) controller = null;
    }
  }
  const fail = (text) => clear(element, h("p", { class: "problem", role: "alert", text }));
  return { element, run, fail, clear: () => clear(element), cancel: () => controller?.abort() };
}
