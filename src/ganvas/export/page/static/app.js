// The page of a GAN: a bar with language and colours, the view that its inputs ask for, and where it comes from.

import { clear, h } from "../../../studio/static/dom.js";
import { drawBar, readTheme } from "./bar.js";
import { EngineError, findPort, openEngine, rowNoise, spec } from "./engine.js";
import { showLayout } from "./layout.js";
import { showPaint } from "./paint.js";
import { showPoints } from "./points.js";
import { showSamples } from "./samples.js";
import { getLanguage, t } from "./texts.js";
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
  drawBar(bar, draw);
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

function drawFoot() {
  const parts = [
    t("page.made", { version: spec.ganvas }), spec.recipe && t("page.recipe", { name: spec.recipe }), spec.gan, t("page.images", { n: spec.images }),
    spec.licence && t("page.licence", { name: spec.licence })];
  clear(foot, h("p", { text: parts.filter(Boolean).join(" · ") }), h("p", { text: t("page.private") }));
}

readTheme();
draw();
const ready = openEngine().then((opened) => { engine = opened; }).catch((error) => {
  problem = error instanceof EngineError ? error : new EngineError("page.noStart", { cause: error });
}).finally(draw);

/** For tests and for the curious: the description, the noise of a row, and the raw output of the GAN. */
window.ganvas = { spec, ready, noise: rowNoise, run: (count, values, sides) => engine.run(count, values, sides) };
