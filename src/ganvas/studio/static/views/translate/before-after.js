// Two images over each other, with a divider between them that is dragged or moved by keys.

import { h } from "../../dom.js";
import { percent, t } from "../../texts.js";

const STEP = 2, PAGE = 10; // per cent of the width: a key of the arrows, a key of the pages

/**
 * Make the element; `update({before, after, stale, name, ratio, pixel})` shows other images.
 * `before` and `after` are addresses or null; `stale`: the result belongs to older settings;
 * `ratio`: width through height; `pixel`: whether small images are enlarged sharply.
 */
export function makeBeforeAfter() {
  let at = 50;
  const before = h("img", { class: "before", alt: "", draggable: "false" }), after = h("img", { class: "after", alt: "", draggable: "false" });
  const divider = h("div", { class: "divider", role: "slider", tabindex: 0, "aria-label": t("translate.divider"), "aria-valuemin": 0, "aria-valuemax": 100 }, h("span", { class: "grip", "aria-hidden": "true" }));
  const left = h("span", { class: "tag left", "aria-hidden": "true", text: t("translate.before") });
  const right = h("span", { class: "tag right", "aria-hidden": "true", text: t("translate.after") });
  const element = h("div", { class: "before-after" }, after, before, left, right, divider);

  function move(next) {
    at = Math.min(100, Math.max(0, next));
    element.style.setProperty("--at", `${at}%`);
    divider.setAttribute("aria-valuenow", String(Math.round(at)));
    divider.setAttribute("aria-valuetext", t("translate.shown", { share: percent(at / 100) }));
    left.classList.toggle("away", at < 12);
    right.classList.toggle("away", at > 88);
  }

  const follow = (event) => {
    const { left: start, width } = element.getBoundingClientRect();
    move(((event.clientX - start) / width) * 100);
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || divider.hidden) return;
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    divider.focus({ preventScroll: true });
    follow(event);
  });
  element.addEventListener("pointermove", (event) => { if (element.hasPointerCapture(event.pointerId)) follow(event); });
  divider.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? PAGE : STEP;
    const next = { ArrowLeft: at - step, ArrowDown: at - step, ArrowRight: at + step, ArrowUp: at + step, PageDown: at - PAGE, PageUp: at + PAGE, Home: 0, End: 100 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    move(next);
  });
  move(at);

  function setSource(image, address) {
    image.hidden = !address;
    if (address && image.getAttribute("src") !== address) image.src = address;
  }

  function update({ before: first, after: second, stale, name, ratio, pixel }) {
    setSource(before, first);
    setSource(after, second);
    before.alt = first ? `${t("translate.before")}: ${name}` : "";
    after.alt = second ? `${t("translate.after")}: ${name}` : "";
    const both = Boolean(first && second);
    divider.hidden = left.hidden = right.hidden = !both;
    element.classList.toggle("both", both);
    element.classList.toggle("stale", stale);
    element.style.setProperty("--ratio", String(ratio));
    for (const image of [before, after]) image.classList.toggle("pixel", pixel);
  }

  return { element, update };
}
