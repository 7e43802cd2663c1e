// The theory lab: two small networks that a person trains, one update at a time.

import { getJson, postJson } from "../api.js";
import { app } from "../app.js";
import { button, clear, field, h, slider } from "../dom.js";
import { fixed, number, percent, t } from "../texts.js";
import { History } from "./learn/curves.js";
import { encode } from "./learn/drawing.js";
import * as line from "./learn/line.js";
import * as plane from "./learn/plane.js";

const MODES = { line, plane };
const FRAME = 65; // milliseconds between two requests while the game plays
const HOLD = 350; // milliseconds after which a held button repeats
const HELD_UPDATES = 4; // of one request while a button or key is held
const SPEEDS = { slow: 1, usual: 4, fast: 16 }; // turns of one request
const PENALTIES = [0, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
const SENTENCE = 1200; // milliseconds for which a sentence stays at least
const AFTER_KEYS = 700; // milliseconds after the last key of a drawing until its game begins

// What outlives the view: a game goes on where it was, in another language too.
let lab = null, lastMode = "line";
const memory = { line: null, plane: null };

export async function show(root, place) {
  lab ??= await getJson("/api/lab");
  const mode = place.query.mode in MODES ? place.query.mode : lastMode;
  lastMode = mode;
  const rules = MODES[mode];
  const settings = readSettings(place.query, rules, memory[mode]);
  const format = (value) => fixed(value, 3).replace("-", "−");

  let game = null; // {id, key, state, steps, history, settings}
  let open = true, playing = false, pumping = false, begun = 0, controller = new AbortController();
  let preparing = false, pending = { d: 0, g: 0 }, sentence = { text: "", since: 0, timer: 0 }, keyTimer = 0;

  const panel = rules.makePanel({ lab, onDrawn });
  const curves = rules.makeCurves(lab.losses[settings.loss], format, percent);
  const says = h("p", { class: "says", role: "status" });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const counts = h("span", { class: "note counts" });
  const play = button("", () => (playing ? stop() : start()), { kind: "primary play" });
  const stepD = makeStep("d"), stepG = makeStep("g");
  const targets = h("div", { class: "targets", role: "group", "aria-label": t("learn.targets") });
  const drawHelp = h("div", { class: "draw-help", hidden: true });
  const legend = h("ul", { class: "legend" });

  root.append(
    h("div", { class: "lab-head" },
      h("div", {}, h("h1", { text: t("learn.title") }), h("p", { class: "note", text: t("learn.intro") })),
      h("nav", { class: "tabs", "aria-label": t("learn.modes") }, Object.keys(MODES).map((name) =>
        h("a", { href: `#/learn?mode=${name}`, text: t(`learn.mode.${name}`), "aria-current": name === mode ? "page" : null })))),
    h("div", { class: "stage" },
      h("div", { class: `picture lab of-${mode}` }, panel.element,
        h("div", { class: "lab-words" }, says, legend),
        h("div", { class: "lab-buttons" }, play, stepD, stepG, button(t("learn.reset"), begin), counts, problem),
        h("div", { class: "lab-targets" }, targets), drawHelp),
      h("div", { class: "panel" }, h("div", { class: "curves" }, curves.elements), ...makeSettings())));

  // The game

  const key = () => JSON.stringify([settings.target, settings.target === "drawn" ? encode(settings.drawing) : "", settings.loss, settings.penalty]);

  async function begin() {
    stop();
    controller.abort();
    controller = new AbortController();
    const mine = ++begun;
    pending = { d: 0, g: 0 };
    game = null;
    complain(null);
    preparing = false;
    if (settings.target === "drawn" && rules.isEmpty(settings.drawing)) { draw(); return; }
    says.textContent = t("word.working");
    const body = {
      kind: mode, loss: settings.loss, penalty: settings.penalty,
      target: settings.target === "drawn" ? rules.toTarget(settings.drawing, lab) : settings.target,
    };
    preparing = true;
    enable();
    try {
      const { id, ...state } = await postJson("/api/lab", body, { signal: controller.signal });
      if (mine !== begun || !open) return;
      preparing = false;
      game = memory[mode] = { id, key: key(), state, steps: { d: 0, g: 0 }, history: new History(), settings };
      game.history.add(curves.read(state));
      draw();
      pump();
    } catch (error) {
      if (mine !== begun || !open) return;
      preparing = false;
      stop();
      complain(error);
    }
  }

  /** Requests one after the other, while there are wishes or the game plays. */
  async function pump() {
    if (pumping) return;
    pumping = true;
    while (open && game && (playing || pending.d || pending.g)) {
      const now = performance.now(), mine = game;
      const single = pending.d || pending.g;
      const wish = single ? { d: Math.min(pending.d, 50), g: Math.min(pending.g, 50), turns: 1 } : { d: settings.ratio, g: 1, turns: SPEEDS[settings.speed] };
      if (single) pending = { d: 0, g: 0 };
      const rates = { discriminator: 10 ** settings.rateD, generator: 10 ** settings.rateG };
      try {
        const state = await postJson(`/api/lab/${mine.id}`, { ...wish, rates }, { signal: controller.signal });
        if (mine !== game || !open) continue;
        game.state = state;
        game.steps.d += wish.d * wish.turns;
        game.steps.g += wish.g * wish.turns;
        game.history.add(curves.read(state));
        draw();
      } catch (error) {
        if (mine === game && open) { stop(); complain(error); }
        break;
      }
      if (playing) await new Promise((resolve) => { setTimeout(resolve, Math.max(0, FRAME - (performance.now() - now))); });
    }
    pumping = false;
    // A game that began while an old request was being given up.
    if (open && game && (playing || pending.d || pending.g)) pump();
  }

  /** Play; a game that is still being prepared plays when it is ready. */
  function start() {
    if (!game && !preparing) return;
    playing = true;
    complain(null);
    enable();
    pump();
  }
  function stop() {
    playing = false;
    enable();
  }
  function step(player, updates) {
    if (!game) return;
    complain(null);
    pending[player] = Math.min(pending[player] + updates, 50);
    pump();
  }

  // What is seen

  function draw() {
    enable();
    if (!game) {
      counts.textContent = "";
      curves.show([]);
      say(t(`learn.${mode}.draw`));
      return;
    }
    panel.show(game.state);
    drawLegend();
    curves.show(game.history.moments);
    counts.textContent = t("learn.counts", game.steps);
    const [name, values] = rules.describe({
      state: game.state, steps: game.steps, moments: game.history.moments, loss: settings.loss, kind: lab.losses[settings.loss], percent,
    });
    say(t(name, values));
  }

  function drawLegend() {
    const scale = rules.describeScale(game.state);
    const texts = rules.legend.map(([, key]) => t(key, { high: format(scale.high ?? 0), low: format(scale.low ?? 0) }));
    if (legend.children.length) { [...legend.children].forEach((item, i) => { item.lastChild.textContent = texts[i]; }); return; }
    clear(legend, rules.legend.map(([kind], i) => h("li", {}, h("span", { class: `swatch ${kind}`, "aria-hidden": "true" }), h("span", { text: texts[i] }))));
  }

  /** A sentence is to be read: while the game plays it does not change too often. */
  function say(text) {
    clearTimeout(sentence.timer);
    const wait = playing ? SENTENCE - (performance.now() - sentence.since) : 0;
    const write = () => { if (says.textContent !== text) { says.textContent = text; sentence.since = performance.now(); } };
    if (wait > 0) sentence.timer = setTimeout(write, wait); else write();
  }

  function complain(error) {
    problem.hidden = !error;
    problem.textContent = error ? app.describe(error) : "";
    if (error) says.textContent = "";
  }

  function enable() {
    play.textContent = t(playing ? "learn.pause" : "learn.play");
    play.disabled = !game && !preparing;
    for (const one of [stepD, stepG]) one.disabled = !game || playing;
  }

  /** A button that steps once, and goes on while it is held. */
  function makeStep(player) {
    let timer = 0;
    const release = () => { clearTimeout(timer); clearInterval(timer); };
    // The pointer has stepped already when it is released; a click without it comes from a key.
    const one = button(t(`learn.step.${player}`), (event) => { if (event.detail === 0) step(player, 1); }, {
      kind: `step ${player}`, title: t("learn.hold"), "aria-keyshortcuts": player.toUpperCase(),
    });
    one.addEventListener("pointerdown", (event) => {
      if (event.button || one.disabled) return;
      release();
      step(player, 1);
      timer = setTimeout(() => { timer = setInterval(() => step(player, HELD_UPDATES), FRAME); }, HOLD);
    });
    for (const name of ["pointerup", "pointerleave", "pointercancel", "contextmenu"]) one.addEventListener(name, release);
    return one;
  }

  // Settings

  function makeSettings() {
    const rate = (player, name) => slider(t(`learn.rate.${player}`), {
      min: -1, max: 1, step: 0.05, value: settings[name], dblclick: 0, format: (value) => `× ${number(10 ** value, 2)}`,
      on: (value) => { settings[name] = value; keep(); },
    }).element;
    const choose = (name, options, again) => h("select", {
      on: { change: (event) => { settings[name] = typeof settings[name] === "number" ? Number(event.target.value) : event.target.value; keep(); again?.(); } },
    }, options.map(([value, text]) => h("option", { value: String(value), text, selected: value === settings[name] })));
    const lossHelp = h("small", { text: t(`learn.loss.${settings.loss}.help`) });
    return [
      slider(t("learn.ratio"), { min: 1, max: 5, step: 1, value: settings.ratio, format: (value) => `${value} : 1`, on: (value) => { settings.ratio = value; keep(); } }).element,
      rate("d", "rateD"), rate("g", "rateG"),
      field(t("learn.speed"), choose("speed", Object.keys(SPEEDS).map((name) => [name, t(`learn.speed.${name}`)]))),
      h("div", { class: "field" },
        field(t("learn.loss"), choose("loss", Object.keys(lab.losses).map((name) => [name, t(`learn.loss.${name}`)]), () => { lossHelp.textContent = t(`learn.loss.${settings.loss}.help`); begin(); })),
        lossHelp),
      field(t("learn.penalty"), choose("penalty", PENALTIES.map((value) => [value, value === 0 ? t("learn.penalty.none") : number(value)]), begin), t("learn.penalty.help")),
      h("p", { class: "note small", text: t("learn.keys") }),
    ];
  }

  function drawTargets() {
    clear(targets, [...rules.targetsOf(lab), "drawn"].map((name) => button("", () => choose(name), {
      kind: "target", "aria-pressed": String(name === settings.target), "data-target": name,
    })));
    for (const one of targets.children) {
      const name = one.dataset.target;
      one.append(name === "drawn" && rules.isEmpty(settings.drawing) ? h("span", { class: "pencil", text: "✎", "aria-hidden": "true" }) : rules.drawTarget(lab, name, settings.drawing),
        h("span", { text: t(`learn.target.${name}`) }));
    }
    const drawn = settings.target === "drawn";
    drawHelp.hidden = !drawn;
    clear(drawHelp, h("small", { text: t(`learn.${mode}.draw`) }), button(t("learn.clear"), () => {
      settings.drawing = rules.readDrawing("");
      keep();
      drawTargets();
      panel.draw(settings.drawing);
      begin();
    }));
    panel.draw(drawn ? settings.drawing : null);
  }

  function choose(name) {
    if (name === settings.target) return;
    settings.target = name;
    keep();
    drawTargets();
    targets.querySelector(`[data-target="${name}"]`).focus();
    begin();
  }

  /** A drawing has changed; its game begins when the pointer is lifted, or soon after the last key. */
  function onDrawn(isDone, byKey) {
    stop();
    clearTimeout(keyTimer);
    if (!isDone) return;
    keyTimer = setTimeout(() => {
      keep();
      targets.querySelector('[data-target="drawn"]').firstChild.replaceWith(rules.drawTarget(lab, "drawn", settings.drawing));
      begin();
    }, byKey ? AFTER_KEYS : 0);
  }

  function keep() {
    app.keep({
      mode, target: settings.target, drawing: settings.target === "drawn" ? encode(settings.drawing) : "", loss: settings.loss, penalty: settings.penalty,
      ratio: settings.ratio, d: settings.rateD || "", g: settings.rateG || "", speed: settings.speed === "usual" ? "" : settings.speed,
    });
  }

  // Keys, and when the page is not seen

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, textarea, input:not([type=range])")) return;
    const pressed = event.key.toLowerCase();
    if ((pressed === "d" || pressed === "g") && !playing) step(pressed, event.repeat ? HELD_UPDATES : 1);
    else if (pressed === " " && !event.target.closest("button:not([aria-pressed=true]), a, summary")) { if (!event.repeat) { if (playing) stop(); else start(); } } else return;
    event.preventDefault();
  }
  const onHidden = () => { if (document.hidden) stop(); };
  document.addEventListener("keydown", onKey);
  document.addEventListener("visibilitychange", onHidden);

  drawTargets();
  const known = memory[mode];
  if (known && known.key === key()) { game = known; game.settings = settings; draw(); } else begin();

  return () => {
    open = false;
    playing = false;
    controller.abort();
    clearTimeout(sentence.timer);
    clearTimeout(keyTimer);
    document.removeEventListener("keydown", onKey);
    document.removeEventListener("visibilitychange", onHidden);
    panel.close();
  };
}

/** Settings from the address; if it has none, those of the game that was played last. */
function readSettings(query, rules, last) {
  const base = { ...rules.defaults, rateD: 0, rateG: 0, speed: "usual", drawing: rules.readDrawing("") };
  if (!query.target) return last ? { ...last.settings } : base;
  const within = (text, low, high, usual) => { const value = Number(text ?? ""); return text !== undefined && value >= low && value <= high ? value : usual; };
  return {
    target: query.target === "drawn" || rules.targetsOf(lab).includes(query.target) ? query.target : base.target,
    drawing: query.drawing ? rules.readDrawing(query.drawing) : (last?.settings.drawing ?? base.drawing),
    loss: query.loss in lab.losses ? query.loss : base.loss,
    penalty: PENALTIES.includes(Number(query.penalty)) ? Number(query.penalty) : base.penalty,
    ratio: Math.round(within(query.ratio, 1, 5, base.ratio)),
    rateD: within(query.d, -1, 1, 0), rateG: within(query.g, -1, 1, 0),
    speed: query.speed in SPEEDS ? query.speed : "usual",
  };
}
