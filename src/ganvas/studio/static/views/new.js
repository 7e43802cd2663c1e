// Begin a training: pictures, settings, start. Each step unfolds when the one before it is done.

import { app } from "../app.js";
import { getJson, postJson } from "../api.js";
import { button, clear, field, h } from "../dom.js";
import { say } from "../say.js";
import { duration, t } from "../texts.js";
import { drawMinutes } from "./minutes.js";
import { drawReason } from "./reasons.js";
import { drawBegin } from "./new/begin.js";
import { SETTINGS, drawData, isSaidThere } from "./new/data.js";
import { collectDropped, collectPicked, upload } from "./new/upload.js";

const PLAIN = new Set(["", "idx", "arrays"]); // kinds of data with one image a row
const DEGRADED = ["pairs:grey", "pairs:small4x", "pairs:edges", "pairs:noise", "pairs:blur"]; // pairs that are made of single images
const KINDS = ["", "pairs", ...DEGRADED, "unpaired", "attributes", "captions"];
const MAIN = new Set(["size", "fit", "labels", "gan", "options.augmentation", "options.conditional", "flip"]); // choices that are shown unfolded

export async function show(root, { query }) {
  const { places, recipes, endings } = await getJson("/api/data");
  const wanted = places.find((one) => one.id === query.data) ?? places.find((one) => one.origin === "built-in" && one.name === query.data);
  // `chosen`: settings of the data by name, as texts; what is not in it is chosen automatically.
  const chosen = Object.fromEntries(SETTINGS.filter((key) => query[key]).map((key) => [key, query[key]]));
  const begin = query.begin ? { run: query.begin } : null;
  const state = { places, recipes, endings, place: wanted?.id ?? "", kind: null, chosen, begin, recipe: "auto", minutes: Number(query.minutes) || 10, look: null, name: "", open: false };
  const pictures = h("section", { class: "panel step" }), settings = h("section", { class: "panel step", hidden: true }), start = h("section", { class: "panel step", hidden: true });
  root.append(h("h1", { text: t("new.title") }), pictures, settings, start);
  const redraw = { settings: () => drawSettings(settings, state, look), start: () => drawStart(start, state) };

  // A newer choice makes the answer to an older one worthless.
  let asked = 0;
  async function look() {
    const mine = ++asked;
    const kept = Object.fromEntries(SETTINGS.map((key) => [key, state.chosen[key] ?? ""]));
    app.keep({ data: state.place, minutes: state.minutes, begin: state.begin?.run ?? "", ...kept });
    // the choices stay where they are, so that nothing jumps while the images are looked at
    const again = state.look && state.looked === state.place;
    if (again) { found.classList.add("waiting"); settings.inert = start.inert = true; }
    else { settings.hidden = start.hidden = true; drawFound(found, null); }
    try {
      const answer = await postJson("/api/data/look", describeWish(state));
      if (mine !== asked) return;
      Object.assign(state, { look: answer, looked: state.place });
      settings.inert = start.inert = false;
      if (state.recipe && state.recipe !== "auto" && !fits(recipes[state.recipe], answer)) state.recipe = "auto";
      drawFound(found, state, look);
      settings.hidden = start.hidden = Boolean(answer.refusal);
      if (answer.refusal) return;
      redraw.settings();
      redraw.start();
    } catch (error) {
      if (mine !== asked) return;
      clear(found, h("p", { class: "problem", role: "alert", text: app.describe(error) }));
      found.classList.remove("waiting");
      settings.hidden = start.hidden = true;
    }
  }
  const found = h("div", { class: "found", "aria-live": "polite" });
  pictures.append(h("h2", { text: t("new.pictures") }), drawChoice(state, () => { state.kind = state.begin = null; state.recipe = "auto"; state.chosen = {}; look(); }), found);
  if (state.place) look();
  return () => { state.gone = true; ++asked; };
}

/** What was chosen, as a request names it. */
const describeWish = (state) => ({ place: state.place, kind: state.kind, begin: state.begin, recipe: state.recipe, ...state.chosen });

const fits = (row, answer) => Boolean(row) && row.data === (PLAIN.has(answer.kind) ? "your images" : { pairs: "image pairs", unpaired: "two folders", attributes: "attributes", captions: "captions" }[answer.kind.split(":")[0]]);

/** Choose a data set, or send one. */
function drawChoice(state, chosen) {
  const select = h("select", { on: { change: () => { if (select.value) { state.place = select.value; chosen(); } else select.value = state.place; } } });
  const fill = () => clear(select, h("option", { value: "", text: t("new.choose") }),
    ["upload", "folder", "run", "built-in"].map((origin) => {
      const some = state.places.filter((one) => one.origin === origin);
      return some.length && h("optgroup", { label: t(`new.${origin}`) }, some.map((one) => h("option", { value: one.id, text: one.name, selected: one.id === state.place })));
    }));
  fill();

  const problem = h("p", { class: "problem", role: "alert" }), progress = h("progress", { hidden: true, max: 1, value: 0, "aria-label": t("new.sending") }), sent = h("small", { role: "status" });
  const pick = (attributes) => {
    const input = h("input", { type: "file", multiple: true, class: "visually-hidden", tabindex: "-1", "aria-hidden": "true", ...attributes, on: { change: () => { send(collectPicked(input)); input.value = ""; } } });
    return input;
  };
  const files = pick({ accept: "image/*,.zip" }), folder = pick({ webkitdirectory: true });
  const drop = h("div", { class: "drop" }, h("span", { text: t("new.drop") }),
    h("div", { class: "row centred" }, button(t("new.pick"), () => files.click()), button(t("new.pick-folder"), () => folder.click())), files, folder, progress, sent);
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => { event.preventDefault(); drop.classList.remove("over"); send(collectDropped(event.dataTransfer)); });

  async function send(found) {
    problem.textContent = sent.textContent = "";
    try {
      const all = await found;
      if (!all.length) return;
      progress.hidden = false;
      progress.value = 0;
      const { place, count, left } = await upload(all, state.endings, (bytes, total) => { progress.max = total; progress.value = bytes; });
      sent.textContent = left ? t("new.sent-some", { n: count, left }) : t("new.sent", { n: count });
      state.places.unshift(place);
      state.place = place.id;
      if (state.gone) return;
      fill();
      chosen();
    } catch (error) { problem.textContent = app.describe(error); } finally { progress.hidden = true; }
  }
  return h("div", { class: "choice" }, h("div", {}, field(t("new.data"), select, t("new.data-help"))), drop, problem);
}

/** What was found: a contact sheet, counts, what was left out, and remedies as buttons. */
function drawFound(found, state, look) {
  found.classList.remove("waiting");
  if (!state) { clear(found, h("p", { class: "note", text: t("new.looking") }), h("progress", { "aria-label": t("new.looking") })); return; }
  const answer = { sizes: {}, classes: {}, notes: [], left_out: [], left_out_count: 0, copies: 0, choices: [], labels: [], ...state.look };
  const kind = h("select", { on: { change: () => { state.kind = kind.value; look(); } } }, KINDS.map((one) => h("option", { value: one, text: t(`new.kind-${one || "plain"}`), selected: one === answer.kind })));
  const isFolder = state.places.find((one) => one.id === state.place)?.origin !== "built-in";
  const remedies = h("div", { class: "row" });
  const remedy = (text, change) => remedies.append(button(text, () => { Object.assign(state.chosen, change); look(); }));
  const others = Object.keys(answer.sizes).filter((size) => { const [width, height] = size.split("x"); return width !== height; }).length;
  const padded = (state.chosen.fit || answer.choices.find((one) => one.key === "fit")?.value) === "pad";
  if (answer.left_out_count && !padded) remedy(t("new.pad"), { fit: "pad" });
  else if (others && !padded && answer.kind === "") remedy(t("new.pad-shapes"), { fit: "pad" });
  if (answer.labels.includes("folders") && !Object.keys(answer.classes).length) remedy(t("new.use-folders"), { labels: "folders" });
  clear(found,
    h("div", { class: answer.sheet ? "sheet" : "" }, answer.sheet && h("img", { src: answer.sheet, alt: t("new.sheet") }),
      h("div", {},
        answer.sheet && h("p", {}, h("strong", { text: t("new.used", { used: answer.used, found: answer.found }) })),
        answer.sheet && h("p", { class: "faint", text: describeSeen(answer) }),
        Object.keys(answer.classes).length > 0 && h("p", { class: "faint", text: t("new.classes", { n: Object.keys(answer.classes).length, names: Object.keys(answer.classes).slice(0, 12).join(", ") + (Object.keys(answer.classes).length > 12 ? ", …" : "") }) }),
        answer.copies > 0 && h("p", { class: "note", text: t("new.copies", { n: answer.copies }) }),
        isFolder && KINDS.includes(answer.kind) && field(t("new.kind"), kind, t("new.kind-help")),
        answer.refusal && !isSaidThere(state) && h("p", { class: "problem", role: "alert", text: say(answer.refusal) }),
        answer.refusal && (Object.keys(state.chosen).length > 0 || state.begin) && button(t("new.anew"), () => { state.chosen = {}; state.begin = null; state.recipe = "auto"; look(); }),
        answer.left_out_count > 0 && h("details", {}, h("summary", { class: "problem", text: t("new.left-out", { n: answer.left_out_count }) }), h("ul", {}, answer.left_out.map((item) => h("li", { text: `${item.file}: ${item.reason}` })))),
        answer.notes.map((note) => h("p", { class: "note", text: say(note) })), remedies)),
    drawData(state, look));
  found.querySelector(`[data-key="${state.focus}"]`)?.focus();
  state.focus = null;
}

/** What training sees, in a sentence. */
function describeSeen({ size, channels, alpha }) {
  if (channels === 1) return t("new.seen-grey", { size });
  if (channels === 3) return t("new.seen", { size });
  return t(alpha ? "new.seen-alpha" : "new.seen-bands", { size, n: channels });
}

/** What was chosen, a sentence each; the time; what one wants otherwise. */
function drawSettings(section, state, look) {
  const answer = state.look;
  const start = answer.runs.find((run) => run.id === state.begin?.run);
  const usable = ([, row]) => fits(row, answer) && !start;
  const recipe = h("select", { on: { change: () => { state.recipe = recipe.value; if (start) look(); else drawSettings(section, state, look); } } },
    h("option", { value: "auto", text: t(start ? "new.auto-from" : "new.auto"), selected: state.recipe === "auto" }),
    start && h("option", { value: "", text: t("new.same", { name: start.name }), selected: state.recipe === "" }),
    Object.entries(state.recipes).filter(usable).map(([name, row]) => h("option", { value: name, text: t("word.pair", { name, value: say(row.for) }), selected: state.recipe === name })));
  const auto = state.recipe === "auto";
  const main = answer.choices.filter((one) => MAIN.has(one.key)), more = answer.choices.filter((one) => !MAIN.has(one.key));
  const time = drawMinutes(t("new.minutes"), state.minutes, (minutes) => { state.minutes = minutes; app.keep({ minutes }); expect(); });
  const expected = h("figure", { class: "expected" });
  // The run that was measured nearest to this time, as a picture: no promise, but something to go by.
  function expect() {
    const far = (run) => Math.abs(Math.log2(run.seconds / (60 * state.minutes)));
    const run = answer.measured.reduce((best, one) => (best && far(best) <= far(one) ? best : one), null);
    clear(expected, run && [h("img", { src: run.picture, alt: "" }), h("figcaption", { class: "faint", text: t("new.expected", { recipe: run.recipe, data: run.data, size: run.size, time: duration(run.seconds) }) })]);
  }
  expect();
  clear(section, h("h2", { text: t("new.settings") }),
    h("div", { class: "columns" },
      h("div", { class: "stack" }, field(t("new.what"), recipe, t("new.what-help")), time, h("small", { text: t("new.minutes-help") }), auto && expected,
        drawBegin(state, look)),
      auto && h("ul", { class: "plain reasons" }, main.map(drawReason),
        more.length > 0 && h("li", {}, h("details", {}, h("summary", { text: t("new.all-reasons", { n: more.length }) }), h("ul", { class: "plain" }, more.map(drawReason)))))));
}

function drawStart(section, state) {
  const name = h("input", { type: "text", value: state.name, placeholder: state.look.name.replace(/\.zip$/, ""), maxlength: 60, on: { input: () => { state.name = name.value; } } });
  const problem = h("p", { class: "problem", role: "alert" }), said = h("p", { class: "note", role: "status" });
  const go = button(t("new.start"), async () => {
    problem.textContent = said.textContent = "";
    go.disabled = true;
    try {
      // of files that are no images the kind is known
      const kind = KINDS.includes(state.look.kind) ? state.look.kind : null;
      const body = { ...describeWish(state), kind, name: state.name, minutes: state.minutes };
      const run = await postJson("/api/trainings", body);
      said.textContent = t("new.starting");
      await waitUntilBegun(run, (line) => { said.textContent = line; });
      if (!state.gone) app.go(`run/${run.id}/watch`);
    } catch (error) { problem.textContent = app.describe(error); said.textContent = ""; go.disabled = false; }
  }, { kind: "primary" });
  clear(section, h("h2", { text: t("new.begin") }), h("div", { class: "columns" }, field(t("new.name"), name), h("div", { class: "row end" }, go)), said, problem);
}

/** Wait for the run's first file; what the training says before it fails becomes the error. */
async function waitUntilBegun(run, tell) {
  for (;;) {
    const training = await getJson(`/api/trainings/${encodeURIComponent(run.name)}`);
    if (training.failure) throw new Error(training.failure);
    if (training.begun) return;
    if (!training.running) throw new Error(training.lines.at(-1) ?? t("new.ended"));
    if (training.lines.length) tell(say(training.lines.at(-1)));
    await new Promise((done) => setTimeout(done, 500));
  }
}
