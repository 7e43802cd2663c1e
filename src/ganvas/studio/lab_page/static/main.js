// The theory lab as a page of its own: a bar with language and colours, and the studio's view.

import { drawBar, readTheme } from "../../../export/page/static/bar.js";
import { clear, h } from "../../static/dom.js";
import { show } from "../../static/views/learn.js";
import { makeGame } from "./api.js";
import { readAddress } from "./frame.js";
import { getLanguage, t } from "../../../export/page/static/texts.js";

const main = document.getElementById("view"), spec = JSON.parse(document.getElementById("spec").textContent);
let close = null;

async function draw() {
  document.documentElement.lang = getLanguage() === "zh" ? "zh-CN" : "en";
  document.title = `${t("learn.title")} · Ganvas`;
  document.querySelector(".skip").textContent = t("page.skip");
  drawBar(document.getElementById("bar"), draw);
  clear(document.getElementById("foot"), h("p", { text: t("page.made", { version: spec.ganvas }) }), h("p", { text: t("page.private") }));
  close?.();
  close = null;
  const root = h("div", {});
  clear(main, root);
  close = await show(root, { query: readAddress() });
}

readTheme();
window.addEventListener("hashchange", draw);
document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });

/** For tests and for the curious: a game that is played without the view. */
window.ganvas = { ready: draw(), makeGame };
