// The frame: the bar, the address, the runs as they change, and the view that is open.

import { getJson, listen } from "./api.js";
import { button, clear, h } from "./dom.js";
import { say } from "./say.js";
import { duration, language, percent, setLanguage, t } from "./texts.js";

const VIEWS = {
  runs: () => import("./views/runs.js"), new: () => import("./views/new.js"), learn: () => import("./views/learn.js"),
  compare: () => import("./views/compare.js"),
  watch: () => import("./views/watch.js"), sample: () => import("./views/sample.js"), paint: () => import("./views/paint.js"),
  translate: () => import("./views/translate.js"), place: () => import("./views/place.js"), judge: () => import("./views/judge.js"),
};
const bar = document.getElementById("bar"), view = document.getElementById("view"), toasts = document.getElementById("toasts");

/** What views share. */
export const app = {
  runs: new Map(), // cards by id
  loaded: false, // whether `runs` is what the server has
  connected: true,
  listeners: new Set(), // called with (id) whenever a run has changed or gone
  /** Go to an address such as "run/ID/watch", with {name: value} kept in it. */
  go(path, query = {}, { replace = false } = {}) {
    const text = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined)).toString();
    const hash = `#/${path}${text ? `?${text}` : ""}`;
    if (replace) { history.replaceState(null, "", hash); }
    else if (location.hash === hash) open(); else location.hash = hash;
  },
  /** Keep settings of the open view in its address, without opening it anew. */
  keep(query) { const place = parse(); app.go(place.path, { ...place.query, ...query }, { replace: true }); },
  handed: null, // an image for the view that opens next: {path, blob, name}
  /** Open another view of a run with an image. */
  hand(id, name_, blob, name) { const path = `run/${id}/${name_}`; app.handed = { path, blob, name }; app.go(path); },
  /** The image that was handed to the view at a path, once; null: none was. */
  take(path) { const found = app.handed?.path === path ? app.handed : null; app.handed = null; return found; },
  /** Say something at the lower edge; `action` is {text, on}. */
  say(text, { kind = "", action = null } = {}) {
    const toast = h("div", { class: `toast ${kind}` }, h("span", { text }));
    if (action) toast.append(button(action.text, () => { toast.remove(); action.on(); }, { kind: "link" }));
    toasts.append(toast);
    setTimeout(() => toast.remove(), action ? 12000 : 6000);
  },
  /** Show an error of a request beside what caused it; "offline" in the page's language. */
  describe: (error) => (error.message === "offline" ? t("error.offline") : say(error.message)),
};

function parse() {
  const [path, text = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").map((part) => { try { return decodeURIComponent(part); } catch { return part; } });
  const query = Object.fromEntries(new URLSearchParams(text));
  if (parts[0] === "run" && parts[1]) return { path, name: parts[2] || "watch", id: parts[1], query };
  return { path: path || "runs", name: parts[0] || "runs", id: null, query };
}

let close = null, opened = 0;
async function open() {
  const mine = ++opened, place = parse();
  close?.();
  close = null;
  if (app.handed?.path !== place.path) app.handed = null; // it was for another view
  drawBar();
  if (!Object.hasOwn(VIEWS, place.name)) { app.go("runs", {}, { replace: true }); return open(); }
  const root = h("div", { class: `view ${place.name}` });
  document.title = `${t(`view.${place.name}`)} · Ganvas`;
  try {
    const [module, run] = await Promise.all([VIEWS[place.name](), place.id ? getJson(`/api/runs/${place.id}`) : null]);
    if (mine !== opened) return;
    if (run) { root.append(drawRunHead(run, place.name)); document.title = `${run.name} · ${document.title}`; }
    clear(view, root);
    const ended = await module.show(root, { ...place, run });
    if (mine !== opened) ended?.(); else close = ended ?? null;
  } catch (error) {
    if (mine === opened) clear(view, h("div", { class: "view" }, h("p", { class: "problem", role: "alert", text: app.describe(error) }), button(t("frame.retry"), open)));
  }
  window.scrollTo(0, 0);
}

function drawRunHead(run, name) {
  const tabs = run.views?.length ? run.views : ["watch"];
  return h("div", { class: "run-head", data: { views: String(run.views ?? []) } },
    h("h1", { text: run.name }),
    h("nav", { class: "tabs", "aria-label": t("frame.views") }, tabs.map((tab) =>
      h("a", { href: `#/run/${run.id}/${tab}`, text: t(`view.${tab}`), "aria-current": tab === name ? "page" : null }))));
}

function drawBar() {
  const place = parse();
  const busy = [...app.runs.values()].filter((run) => run.state === "training" || run.state === "stopping");
  const link = (name) => h("a", { href: `#/${name}`, text: t(`view.${name}`), "aria-current": place.name === name ? "page" : null });
  clear(bar,
    h("a", { class: "brand", href: "#/runs" }, h("img", { src: "/static/icon.svg", alt: "", width: 22, height: 22 }), "Ganvas"),
    h("nav", { "aria-label": t("frame.main") }, link("runs"), link("new"), link("learn")),
    h("div", { class: "grow" }),
    !app.connected && h("span", { class: "lost", text: t("frame.lost") }),
    busy.slice(0, 1).map((run) => h("a", { class: "busy", href: `#/run/${run.id}/watch`, title: t("frame.training", { name: run.name }) },
      h("span", { class: "dot" }), h("span", { class: "busy-name", text: run.name }), " · ",
      h("span", { text: run.seconds_left ? t("frame.left", { time: duration(run.seconds_left) }) : percent(run.images / run.total) }),
      busy.length > 1 && ` +${busy.length - 1}`)),
    button(language === "en" ? "中文" : "English", () => { setLanguage(language === "en" ? "zh" : "en"); open(); }, { kind: "quiet", lang: language === "en" ? "zh" : "en", id: "language" }),
    button(isDark() ? "☀" : "☾", () => { setTheme(isDark() ? "light" : "dark"); drawBar(); }, { kind: "quiet", "aria-label": t(isDark() ? "frame.light" : "frame.dark"), id: "theme" }));
  document.querySelector(".skip").textContent = t("frame.skip");
}

const isDark = () => (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
function setTheme(theme) { document.documentElement.dataset.theme = theme; localStorage.setItem("theme", theme); }
if (["light", "dark"].includes(localStorage.getItem("theme"))) setTheme(localStorage.getItem("theme"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawBar);

function changed(id) {
  drawBar();
  // a run gets its views with its first checkpoint
  const head = view.querySelector(".run-head"), place = parse(), run = app.runs.get(place.id);
  if (head && run && id === place.id && head.dataset.views !== String(run.views ?? [])) head.replaceWith(drawRunHead(run, place.name));
  for (const listener of app.listeners) listener(id);
}
listen({
  run(card) { app.runs.set(card.id, card); changed(card.id); },
  gone({ id }) { app.runs.delete(id); changed(id); },
  async state(connected) {
    const back = connected && !app.connected;
    app.connected = connected;
    drawBar();
    if (back) await loadRuns(); // what was missed
  },
});
export async function loadRuns() {
  const { runs } = await getJson("/api/runs");
  app.runs = new Map(runs.map((run) => [run.id, run]));
  app.loaded = true;
  changed(null);
}

window.addEventListener("hashchange", open);
document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); view.focus(); });
drawBar();
open(); // not awaited: views import this module, and would wait for it in vain
loadRuns().catch(() => {});
