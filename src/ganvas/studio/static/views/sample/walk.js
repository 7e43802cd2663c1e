// The way from one sample to another: a slider between the two, a button that plays it, and films of it.

import { latest } from "../../api.js";
import { button, h, saveAs } from "../../dom.js";
import { percent, t } from "../../texts.js";
import { makeBusy } from "./busy.js";
import { between, encode, haveTwoWays, walk } from "./points.js";
import { filmScale, makeCanvas, put } from "./source.js";

const FRAMES = 25; // from end to end, fetched at once, so that the slider answers at once
const SECONDS = 2; // from end to end

/** `moved(tile)` is called when the slider moves, with the nearest picture that is known already, or null. */
export function makeWalk(desk, moved) {
  const { source } = desk;
  const ends = [makeCanvas(source.size), makeCanvas(source.size)];
  const value = h("output", { text: percent(0) });
  const input = h("input", { type: "range", min: 0, max: 1, step: 0.01, value: "0", "aria-label": t("sample.walk.slider") });
  const play = button(t("sample.play"), () => (playing ? pause() : start()));
  const busy = makeBusy();
  const films = source.films.map((format) => button(t(`sample.walk.${format}`), () => save(format)));
  const element = h("div", { class: "walk panel-part", hidden: true },
    h("div", { class: "walk-bar" }, ends[0], input, ends[1]),
    h("div", { class: "row between" }, h("div", { class: "row" }, play, value), button(t("sample.walk.other"), () => desk.walkFrom())),
    h("div", { class: "row" }, films), busy.element);
  let a = null, b = null, frames = null, playing = 0;

  const nearest = () => frames?.[Math.round(Number(input.value) * (FRAMES - 1))] ?? null;
  const tell = () => { value.textContent = percent(Number(input.value)); };
  input.addEventListener("input", () => { pause(); tell(); moved(nearest(), true); });

  const load = latest(async () => {
    const mine = `${encode(a)} ${encode(b)}`;
    const tiles = await busy.run((signal) => source.draw(walk([a, b], FRAMES, false), { signal }));
    if (!tiles || mine !== `${encode(a)} ${encode(b)}`) return;
    frames = tiles;
    put(ends[0], tiles[0]);
    put(ends[1], tiles[FRAMES - 1]);
    play.disabled = false;
  });

  /** Walk from a to b; at first the slider stands half-way. */
  function show(from, to) {
    [a, b] = [from, to];
    pause();
    frames = null;
    play.disabled = true;
    element.hidden = false;
    input.value = "0.5";
    tell();
    if (haveTwoWays([a, b])) { busy.fail(t("sample.ways")); return; }
    load();
  }

  function start() {
    const began = performance.now(), from = Number(input.value);
    play.textContent = t("sample.pause");
    const step = (now) => {
      const way = (from + (now - began) / 1000 / SECONDS) % 2; // there and back
      input.value = String(way <= 1 ? way : 2 - way);
      tell();
      moved(nearest(), false);
      playing = requestAnimationFrame(step);
    };
    playing = requestAnimationFrame(step);
  }
  function pause() {
    if (!playing) return;
    cancelAnimationFrame(playing);
    playing = 0;
    play.textContent = t("sample.play");
    moved(nearest(), true);
  }

  async function save(format) {
    const points = walk([a, b], 2 * FRAMES, true);
    const blob = await busy.run((signal) => source.file(points, { format, scale: filmScale(source.size) }, { signal }));
    if (blob) saveAs(blob, `${desk.fileName}-walk.${format}`);
  }

  return {
    element, show,
    hide() { pause(); busy.cancel(); element.hidden = true; },
    point: () => between(a, b, Number(input.value)),
    stop() { if (playing) cancelAnimationFrame(playing); playing = 0; busy.cancel(); },
  };
}
