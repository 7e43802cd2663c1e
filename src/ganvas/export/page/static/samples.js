// Samples of a GAN that takes noise, and perhaps a class: a wall of them, and one that is changed.

import { button, clear, field, h, sharpness, slider } from "../../../studio/static/dom.js";
import { findPort, joinNoise, latest, rowNoise, spec } from "./engine.js";
import { mix, move } from "./latents.js";
import { breathe, makeStatus, savePng, seedField } from "./parts.js";
import { toLevels, writeCanvas } from "./pixels.js";
import { number, t } from "./texts.js";

const COLUMNS = 6; // of the wall; with as many classes or a few more, a column a class
const MOST_COLUMNS = 10;
const ROWS = 6;
const CHUNK = 12; // images at once, so that the page answers in between
const STEP_SECONDS = 2; // of a walk, from one sample to the next
const GAP = 2; // pixels between the samples of a saved wall

export function showSamples(root, engine, kept) {
  const classes = spec.classes ?? [], labelled = findPort("class") !== undefined;
  const columns = classes.length >= COLUMNS && classes.length <= MOST_COLUMNS ? classes.length : COLUMNS;
  const cells = columns * ROWS;
  const wanted = Object.assign(kept, { seed: 0, label: null, truncation: 1, row: 0, at: 0, moves: spec.directions.map(() => 0), ...kept });
  const labelOf = (row) => wanted.label ?? row % Math.max(1, classes.length);
  let playing = false, closed = false;

  const values = (points, rows) => ({ ...joinNoise(points), ...(labelled ? { [findPort("class").name]: rows.map(labelOf) } : {}) });
  const status = makeStatus();

  // The wall

  const canvases = Array.from({ length: cells }, () => h("canvas", { class: sharpness(spec.size), width: spec.size, height: spec.size }));
  const buttons = canvases.map((canvas, row) => h("button", { type: "button", class: "cell", on: { click: () => choose(row) } }, canvas));
  const wall = h("div", { class: `wall columns-${columns}`, role: "group", "aria-label": t("samples.wall") }, buttons);
  wall.style.setProperty("--columns", columns);
  wall.addEventListener("keydown", (event) => {
    const across = getComputedStyle(wall).gridTemplateColumns.split(" ").length;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across }[event.key];
    const from = buttons.indexOf(document.activeElement);
    if (!step || from < 0) return;
    event.preventDefault();
    buttons[from + step]?.focus();
  });

  const drawWall = latest(async () => {
    wall.setAttribute("aria-busy", "true");
    await status.follow(async () => {
      let milliseconds = 0;
      for (let start = 0; start < cells; start += CHUNK) {
        await breathe();
        const rows = Array.from({ length: Math.min(CHUNK, cells - start) }, (_, place) => start + place);
        const points = rows.map((row) => move(rowNoise(wanted.seed, row), wanted.truncation));
        const images = await engine.run(rows.length, values(points, rows));
        milliseconds += images.milliseconds;
        if (closed) break;
        images.forEach((image, place) => writeCanvas(canvases[start + place], toLevels(image), spec.output));
      }
      return { milliseconds };
    }, cells);
    wall.removeAttribute("aria-busy");
    nameCells();
  });

  function nameCells() {
    buttons.forEach((cell, row) => {
      cell.tabIndex = row === wanted.row % cells ? 0 : -1;
      cell.setAttribute("aria-pressed", String(row === wanted.row));
      cell.setAttribute("aria-label", labelled ? t("samples.cellClass", { row: number(row), name: classes[labelOf(row)] }) : t("samples.cell", { row: number(row) }));
    });
  }

  // The chosen sample

  const large = h("canvas", { class: `large ${sharpness(spec.size)}`, role: "img" });
  const caption = h("p", { class: "note caption" });

  const drawLarge = latest(async () => {
    const { row, at, seed } = wanted;
    const whole = row + Math.floor(at), rest = at % 1;
    const point = rest ? mix(rowNoise(seed, whole), rowNoise(seed, whole + 1), rest) : rowNoise(seed, whole);
    const run = () => engine.run(1, values([move(point, wanted.truncation, wanted.moves)], [row]));
    const result = await (playing ? run().catch(fail) : status.follow(run)); // a walk says nothing in between
    if (!result || closed) return;
    writeCanvas(large, toLevels(result[0]), spec.output);
    const name = classes[labelOf(row)];
    caption.textContent = rest ? t("samples.between", { row: number(whole), next: number(whole + 1) })
      : labelled ? t("samples.captionClass", { seed: String(seed), row: String(whole), name }) : t("samples.caption", { seed: String(seed), row: String(whole) });
    large.setAttribute("aria-label", caption.textContent);
  });
  function fail(error) {
    stop();
    status.complain(t("page.failed", { reason: error.message }));
    return null;
  }

  function choose(row) {
    stop();
    Object.assign(wanted, { row, at: 0 });
    nameCells();
    drawLarge();
  }

  // A walk goes on from the chosen sample until it is stopped.

  const play = button(t("samples.play"), () => (playing ? stop() : walk()), { "aria-pressed": "false" });
  async function walk() {
    playing = true;
    play.textContent = t("samples.pause");
    play.setAttribute("aria-pressed", "true");
    let before = performance.now();
    while (playing && !closed) {
      await breathe();
      const now = performance.now();
      wanted.at += Math.min(0.1, (now - before) / 1000 / STEP_SECONDS); // a slow machine takes smaller steps, not jumps
      before = now;
      await drawLarge();
    }
  }
  function stop() {
    playing = false;
    play.textContent = t("samples.play");
    play.setAttribute("aria-pressed", "false");
  }

  // The controls

  const all = () => { drawWall(); drawLarge(); };
  const seed = seedField(wanted.seed, (value) => { wanted.seed = value; all(); });
  const choice = labelled && h("select", { on: { change: (event) => { wanted.label = event.target.value === "" ? null : Number(event.target.value); all(); } } },
    h("option", { value: "", text: t("samples.all"), selected: wanted.label === null }), classes.map((name, label) => h("option", { value: String(label), text: name, selected: wanted.label === label })));
  const truncation = slider(t("samples.truncation"), { min: 0, max: 1, step: 0.05, value: wanted.truncation, format: number, dblclick: 1, on: (value) => { wanted.truncation = value; all(); } });
  truncation.element.append(h("small", { text: t("samples.truncationHelp") }));
  const sliders = wanted.moves.map((amount, place) => slider(t("samples.direction", { n: place + 1 }), { min: -4, max: 4, step: 0.1, value: amount, format: number, dblclick: 0, on: (value) => { wanted.moves[place] = value; drawLarge(); } }));
  const zero = () => { wanted.moves.fill(0); for (const one of sliders) one.set(0); drawLarge(); };

  clear(root, h("div", { class: "stage" },
    h("div", { class: "picture" },
      h("div", { class: "row toolbar" }, seed, choice && field(t("samples.class"), choice)), wall,
      h("div", { class: "row between under" }, status.element, button(t("page.saveAll"), () => savePng(joinWall(canvases, columns), `seed-${wanted.seed}`)))),
    h("div", { class: "panel" },
      h("h2", { text: t("samples.chosen") }), large, caption,
      h("div", { class: "row actions" }, play, button(t("page.saveOne"), () => savePng(large, `seed-${wanted.seed}-${wanted.row}`), { kind: "primary" })),
      h("small", { text: t("samples.walkHelp") }), truncation.element,
      sliders.length > 0 && [h("div", { class: "row between" }, h("h2", { text: t("samples.directions") }), button(t("samples.zero"), zero, { kind: "link" })), h("small", { text: t("samples.directionsHelp") }), sliders.map((one) => one.element)])));
  nameCells();
  all();
  return () => { closed = true; stop(); };
}

/** All samples in one canvas. */
function joinWall(canvases, columns) {
  const { width, height } = canvases[0], rows = Math.ceil(canvases.length / columns);
  const sheet = h("canvas", { width: columns * (width + GAP) - GAP, height: rows * (height + GAP) - GAP }), context = sheet.getContext("2d");
  canvases.forEach((canvas, place) => context.drawImage(canvas, (place % columns) * (width + GAP), Math.floor(place / columns) * (height + GAP)));
  return sheet;
}
