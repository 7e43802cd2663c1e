// The bar of a page that is one file: its language and its colours.

import { button, clear, h } from "../../../studio/static/dom.js";
import { recall, remember } from "./kept.js";
import { getLanguage, setLanguage, t } from "./texts.js";

const isDark = () => (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  remember("theme", theme);
}

/** The colours that were chosen before. */
export function readTheme() {
  const theme = recall("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
}

/** Fill the bar; `redraw` is called after language or colours have changed, and fills it again. */
export function drawBar(bar, redraw) {
  const dark = isDark();
  const change = (act, kind) => { act(); redraw(); bar.querySelector(`.${kind}`).focus(); };
  clear(bar, h("span", { class: "brand", text: "Ganvas" }), h("span", { class: "grow" }),
    button(t("page.language"), () => change(() => setLanguage(getLanguage() === "zh" ? "en" : "zh"), "language"), { kind: "quiet language", lang: getLanguage() === "zh" ? "en" : "zh-CN" }),
    button(dark ? "☀" : "☾", () => change(() => setTheme(dark ? "light" : "dark"), "theme"), { kind: "quiet theme", "aria-label": t(dark ? "page.light" : "page.dark"), title: t(dark ? "page.light" : "page.dark") }));
}
