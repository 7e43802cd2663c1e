// The page of a GAN: a bar with language and colours, the view that its inputs ask for, and where it comes from.

import { button, clear, h } from "../../../studio/static/dom.js";
import { EngineError, findPort, openEngine, rowNoise, spec } from "./engine.js";
import { recall, remember } from "./kept.js";
import { showLayout } from "./layout.js";
import { showPaint } from "./paint.js";
import { showPoints } from "./points.js";
import { showSamples } from "./samples.js";
import { getLanguage, setLanguage, t } from "./texts.js";
import { showTranslate } from "./translate.js";

const bar = document.getElementById("bar"), main = document.getElementById("view"), foot = document.getElementById("foot");
const kept = {}; // what the view has been set to, while language or colours change
let engine = null, problem = null, close = () => {};

/** Which view suits the GAN, and the class of its element, by which it is styled. */
function chooseView() {
  if (findPort("mask")) return [showPaint, "paint"];
  if (findPort("picture")) return [showTranslate, "translate"];
  if (findPort("text")) return [showLayout, "place"];
  return spec.output.kind === "point" ? [showPoints, "points"] : [showSamples, "samples"];
}

function draw() {
  document.documentElement.lang = getLanguage() === "zh" ? "zh-CN" : "en";
  document.querySelector(".skip").textContent = t("page.skip");
  drawBar();
  drawFoot();

  close();
  close = () => {};
  const [show, name] = chooseView(), view = h("div", {});
  main.className = `view ${name}`;
  clear(main, h("div", { class: "run-head" }, h("h1", { text: spec.name }), spec.output.kind === "image" && h("span", { class: "faint", text: t("page.pixels", { width: spec.size, height: spec.size }) })), view);
  if (problem) clear(view, h("p", { class: "problem empty", role: "alert", text: t(problem.message, { reason: String(problem.cause?.message ?? problem.cause ?? "") }) }));
  else if (!engine) clear(view, h("p", { class: "empty", role: "status", text: t("page.loading") }));
  else close = show(view, engine, kept);
}

function drawBar() {
  const dark = isDark();
  clear(bar, h("span", { class: "brand", text: "Ganvas" }), h("span", { class: "grow" }),
    button(t("page.language"), () => { setLanguage(getLanguage() === "zh" ? "en" : "zh"); draw(); bar.querySelector(".language").focus(); }, { kind: "quiet language", lang: getLanguage() === "zh" ? "en" : "zh-CN" }),
    button(dark ? "☀" : "☾", () => { setTheme(dark ? "light" : "dark"); draw(); bar.querySelector(".theme").focus(); }, { kind: "quiet theme", "aria-label": t(dark ? "page.light" : "page.dark"), title: t(dark ? "page.light" : "page.dark") }));
}

const isDark = () => (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  remember("theme", theme);
}

function drawFoot() {
  const parts = [
    t("page.made", { version: spec.ganvas }), spec.recipe && t("page.recipe", { name: spec.recipe }), spec.gan, t("page.images", { n: spec.images }),
    spec.licence && t("page.licence", { name: spec.licence })];
  clear(foot, h("p", { text: parts.filter(Boolean).join(" · ") }), h("p", { text: t("page.private") }));
}

const theme = recall("theme");
if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
draw();
const ready = openEngine().then((opened) => { engine = opened; }).catch((error) => {
  problem = error instanceof EngineError ? error : new EngineError("page.noStart", { cause: error });
}).finally(draw);

/** For tests and for the curious: the description, the noise of a row, and the raw output of the GAN. */
window.ganvas = { spec, ready, noise: rowNoise, run: (count, values, sides) => engine.run(count, values, sides) };
