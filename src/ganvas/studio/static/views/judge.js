// How good a run's samples are, in numbers: the newest evaluation, older ones, and those of another run beside it.

import { getJson, postJson, remove } from "../api.js";
import { app } from "../app.js";
import { button, clear, field, h, sharpness } from "../dom.js";
import { say } from "../say.js";
import { date, duration, number, t } from "../texts.js";
import { describeExtractor, describeProtocol, findBar, findBetter, findDifferences, findVerdict, formatClass, formatEnd, formatValue, GROUPS, isClassShare, METRICS } from "./judge/metrics.js";

const COUNTS = [500, 2000, 10000];
const POLL = 2000; // milliseconds, only while something is measured
const MANY_CLASSES = 20; // more are folded

export async function show(root, place) {
  const { run } = place, path = `/api/runs/${run.id}`;
  let data = await getJson(`${path}/evaluations`);
  let chosen = place.query.at ?? "", other = null; // other: {run, evaluation}
  let open = true, timer = 0, since = Date.now(), asking = 0, tick = 0;

  const main = h("div", { class: "judge-main" });
  const status = h("div", { class: "judge-status", role: "status" });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const measure = button(t("judge.measure"), begin, { kind: "primary" });
  const cancel = button(t("word.cancel"), async () => { try { await remove(`${path}/evaluate`); } catch (error) { complain(app.describe(error)); } }, { hidden: true });
  const count = h("select", { on: { change: () => app.keep({ count: count.value }) } },
    COUNTS.map((value) => h("option", { value: String(value), text: t("judge.samples", { n: value }), selected: String(value) === place.query.count || (!place.query.count && value === 2000) })));
  const older = h("select", { on: { change: () => { chosen = older.selectedIndex === 0 ? "" : older.value; app.keep({ at: chosen }); draw(); } } });
  const olderField = field(t("judge.evaluation"), older);
  const versus = h("select", { on: { change: () => { app.keep({ with: versus.value }); compare(versus.value); } } });
  const versusProblem = h("p", { class: "note", role: "status", hidden: true });

  root.append(h("div", { class: "stage" }, main,
    h("div", { class: "panel" },
      field(t("judge.count"), count, t("judge.count.help")), measure, cancel, status, problem,
      olderField, field(t("judge.versus"), versus), versusProblem)));

  // Measuring: in a process of its own, which outlives the page

  async function begin() {
    complain("");
    since = Date.now();
    data.running = true;
    drawStatus();
    try {
      await postJson(`${path}/evaluate`, { count: Number(count.value) });
      poll();
    } catch (error) {
      data.running = false;
      drawStatus();
      complain(app.describe(error));
    }
  }

  function poll() {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      try {
        const known = data.evaluations.length && data.evaluations[0].time;
        data = await getJson(`${path}/evaluations`);
        if (!open) return;
        if (data.running) { poll(); return; }
        if (data.failure) complain(data.failure);
        else if (data.evaluations[0]?.time !== known) { chosen = ""; app.keep({ at: "" }); }
        drawAll();
      } catch (error) {
        if (!open) return;
        complain(app.describe(error));
        poll();
      }
    }, POLL);
  }

  function complain(text) {
    problem.hidden = !text;
    problem.textContent = text;
  }

  function drawStatus() {
    clearInterval(tick);
    measure.disabled = data.running;
    cancel.hidden = !data.running;
    measure.textContent = t(data.running ? "judge.measuring" : "judge.measure");
    if (!data.running) { clear(status); return; }
    const time = h("span", { "aria-hidden": "true" });
    const write = () => { time.textContent = duration((Date.now() - since) / 1000); };
    write();
    tick = setInterval(write, 1000);
    clear(status, h("progress", { "aria-label": t("judge.measuring") }), h("div", { class: "row between note" }, h("span", { text: t("judge.goes-on") }), time));
  }

  // Another run beside it

  function drawVersus() {
    const others = [...app.runs.values()].filter((card) => card.id !== run.id).sort((a, b) => a.name.localeCompare(b.name));
    const wanted = new URLSearchParams(location.hash.split("?")[1] ?? "").get("with") ?? "";
    clear(versus, h("option", { value: "", text: t("judge.versus.none") }), others.map((card) => h("option", { value: card.id, text: card.name, selected: card.id === wanted })));
    versus.disabled = !others.length;
  }

  async function compare(id) {
    const mine = ++asking;
    other = null;
    versusProblem.hidden = true;
    if (id) {
      try {
        const { evaluations } = await getJson(`/api/runs/${id}/evaluations`);
        if (mine !== asking || !open) return;
        const name = app.runs.get(id)?.name ?? id;
        if (evaluations.length) {
          other = { name, evaluation: evaluations[0] };
          versusProblem.hidden = false;
          versusProblem.textContent = t("judge.versus.hint");
        }
        else { versusProblem.hidden = false; clear(versusProblem, t("judge.versus.empty", { name }), " ", h("a", { href: `#/run/${id}/judge`, text: t("judge.versus.measure") })); }
      } catch (error) {
        if (mine !== asking || !open) return;
        versusProblem.hidden = false;
        versusProblem.textContent = app.describe(error);
      }
    }
    draw();
  }

  // The table

  function drawAll() {
    drawStatus();
    const { evaluations } = data;
    olderField.hidden = evaluations.length === 0;
    clear(older, evaluations.map((one) => h("option", { value: one.time, text: describeEvaluation(one), selected: one.time === chosen })));
    draw();
  }

  function draw() {
    const evaluation = data.evaluations.find((one) => one.time === chosen) ?? data.evaluations[0];
    if (!evaluation) {
      clear(main, h("div", { class: "picture empty" }, h("p", { text: t("judge.empty") }), h("p", { text: t("judge.empty.help") })));
      return;
    }
    const both = other ? [evaluation, other.evaluation] : [evaluation];
    const differences = other ? findDifferences(both) : [];
    const verdict = findVerdict(evaluation);
    const isNewest = evaluation === data.evaluations[0];
    clear(main,
      h("section", { class: "picture" },
        h("h2", { text: describeEvaluation(evaluation) }),
        verdict.length > 0 && h("ul", { class: "verdict" }, verdict.map(({ level, text }) => h("li", { class: level, text }))),
        evaluation.notes.length > 0 && h("ul", { class: "judge-notes note" }, [...new Set(evaluation.notes)].map((text) => h("li", { text: say(text) }))),
        differences.length > 0 && h("div", { class: "judge-warning problem", role: "alert" }, h("p", { text: t("judge.differs", { name: other.name }) }), h("ul", {}, differences.map((text) => h("li", { text })))),
        drawTable(both, other ? [run.name, other.name] : [], differences.length === 0)),
      drawClasses(evaluation),
      data.nearest && h("section", { class: "picture" },
        h("h2", { text: t("judge.nearest") }), h("p", { class: "note", text: t("judge.nearest.help") }), !isNewest && h("p", { class: "note", text: t("judge.nearest.newest") }),
        h("img", { class: `judge-nearest ${sharpness(run.size)}`, src: `${path}/nearest.png?at=${encodeURIComponent(data.evaluations[0].time)}`, alt: t("judge.nearest.alt") })));
  }

  drawVersus();
  drawAll();
  if (data.failure) complain(t("judge.failed", { text: data.failure }));
  if (data.running) poll();
  if (place.query.with) compare(place.query.with);
  // The list of runs may come after the view.
  const listener = (id) => { if (id === null || versus.options.length === 1) { drawVersus(); if (versus.value && !other) compare(versus.value); } };
  app.listeners.add(listener);
  return () => { open = false; clearTimeout(timer); clearInterval(tick); app.listeners.delete(listener); };
}

function describeEvaluation(evaluation) {
  const { about, protocol, time } = evaluation;
  return [date(Date.parse(time) / 1000), t("judge.samples", { n: protocol.count }), describeExtractor({ extractor: protocol.features.extractor }), typeof about.images === "number" && t("judge.after", { n: about.images })].filter(Boolean).join(" · ");
}

/** The metrics of one evaluation, or of two side by side. `names` are the runs' where there are two. */
function drawTable(both, names, comparable) {
  const known = [...new Set(both.flatMap((one) => Object.keys(one.values)))].filter((name) => !name.endsWith("_error") && !name.endsWith("_chance"));
  const order = Object.keys(METRICS);
  const columns = 3 + both.length;
  const groups = GROUPS.map((group) => [group, known.filter((name) => (METRICS[name]?.group ?? "other") === group).sort((a, b) => order.indexOf(a) - order.indexOf(b))]);
  return h("table", { class: `judge-table of-${both.length}` },
    h("thead", {}, h("tr", {}, h("th", { scope: "col", text: t("judge.metric") }), both.map((_, i) => h("th", { scope: "col", text: names[i] ?? t("judge.value") })),
      h("th", { scope: "col", text: t("judge.bar") }), h("th", { scope: "col", text: t("judge.meaning") }))),
    groups.filter(([, members]) => members.length).map(([group, members]) => h("tbody", {},
      h("tr", { class: "group" }, h("th", { colspan: columns, scope: "rowgroup", text: t(`judge.group.${group}`) })),
      members.map((name) => drawMetric(name, both, names, comparable, columns)))));
}

function drawMetric(name, both, names, comparable, columns) {
  const metric = METRICS[name];
  const winner = both.length > 1 && comparable ? findBetter(name, both) : -1;
  const owner = both.find((one) => name in one.values);
  const how = h("tr", { class: "how", hidden: true, id: `how-${name}` }, h("td", { colspan: columns },
    both.map((one, i) => name in one.values && [names[i] && h("strong", { text: names[i] }), h("ul", { class: "note" }, describeProtocol(name, one).map((text) => h("li", { text })))])));
  const toggle = button(metric ? t(`judge.name.${name}`) : name, () => {
    how.hidden = !how.hidden;
    toggle.setAttribute("aria-expanded", String(!how.hidden));
  }, { kind: "link metric-name", "aria-expanded": "false", "aria-controls": how.id, title: t("judge.how") });
  return [
    h("tr", { class: "metric", data: { metric: name } },
      h("th", { scope: "row" }, toggle),
      both.map((one, i) => h("td", { class: `value${i === winner ? " better" : ""}`, "data-name": names[i] ?? "" },
        writeValue(name, one.values), i === winner && h("small", { class: "fine", text: ` ✓ ${t("judge.better")}` }))),
      h("td", { class: "bar-cell" }, drawBar(name, both, owner)),
      h("td", { class: "meaning" }, metric && h("span", { text: t(`judge.about.${name}`) }), metric?.better && h("small", { class: "way", text: ` ${t(`judge.way.${metric.better}`)}` }))),
    how,
  ];
}

function writeValue(name, values) {
  if (!(name in values)) return "";
  const error = values[`${name}_error`], chance = values[`${name}_chance`];
  return h("span", { class: "judge-number" }, formatValue(name, values[name]), typeof error === "number" && h("small", { text: ` ± ${number(error, 2)}`, title: t("judge.error") }),
    typeof chance === "number" && h("small", { text: ` (${t("judge.mark.chance", { value: formatValue(name, chance) })})` }));
}

function drawBar(name, both, owner) {
  const numbers = both.map((one) => one.values[name]).filter((value) => typeof value === "number");
  const bar = numbers.length ? findBar(name, owner, Math.max(...numbers)) : null;
  if (!bar) return null;
  const place = (value) => `${(Math.min(Math.max((value - bar.low) / (bar.high - bar.low), 0), 1) * 100).toFixed(1)}%`;
  const value = both[0].values[name], second = both[1]?.values[name];
  return [
    h("div", { class: "bar", "aria-hidden": "true" },
      typeof value === "number" && h("span", { class: `fill${bar.bad?.(value) ? " bad" : ""}`, style: { width: place(value) } }),
      bar.marks.map(({ at, text }) => h("span", { class: "mark", title: text, style: { left: place(at) } })),
      typeof second === "number" && h("span", { class: "second", style: { left: place(second) } })),
    h("div", { class: "ends row between", "aria-hidden": "true" }, h("small", { text: formatEnd(name, bar.low) }), h("small", { text: formatEnd(name, bar.high) })),
    bar.marks.length > 0 && h("small", { class: "marks", text: `│ ${bar.marks.map((mark) => mark.text).join(" · ")}` }),
  ];
}

/** Values by class or attribute; null if there are none. */
function drawClasses({ by_class: byClass }) {
  const metrics = Object.keys(byClass);
  if (!metrics.length) return null;
  const classes = [...new Set(metrics.flatMap((metric) => Object.keys(byClass[metric])))];
  const highest = Object.fromEntries(metrics.map((metric) => [metric, isClassShare(metric) ? 1 : Math.max(...Object.values(byClass[metric]).filter((value) => typeof value === "number"))]));
  const heading = (metric) => (METRICS[metric] ? t(`judge.name.${metric}`) : metric);
  const cell = (metric, value) => h("td", {}, value === undefined ? "" : h("div", { class: "class-value" },
    h("span", { text: formatClass(metric, value) }),
    typeof value === "number" && h("div", { class: "bar", "aria-hidden": "true" }, h("span", { class: "fill", style: { width: `${(value / highest[metric] * 100).toFixed(1)}%` } }))));
  const table = h("table", { class: "judge-classes" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col", text: t("judge.class") }), metrics.map((metric) => h("th", { scope: "col", text: heading(metric) }, METRICS[metric]?.better && metric !== "modes" && h("small", { text: ` ${t(`judge.way.${METRICS[metric].better}`)}` }))))),
    h("tbody", {}, classes.map((name) => h("tr", {}, h("th", { scope: "row", text: name }), metrics.map((metric) => cell(metric, byClass[metric][name]))))));
  return h("section", { class: "picture" }, h("h2", { text: t("judge.classes") }),
    classes.length > MANY_CLASSES ? h("details", {}, h("summary", { text: t("judge.classes.all", { n: classes.length }) }), table) : table);
}
