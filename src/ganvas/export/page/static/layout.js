// A caption, and a box or key points: the picture follows each change.

import { button, clear, field, h, sharpness } from "../../../studio/static/dom.js";
import { GRID, makeBoxBoard, makePointBoard, readBox } from "../../../studio/static/views/place/boards.js";
import { findPort, joinNoise, latest, rowNoise, spec } from "./engine.js";
import { breathe, makeStatus, savePng, seedField } from "./parts.js";
import { toLevels, writeCanvas } from "./pixels.js";
import { t } from "./texts.js";

const TYPING = 200; // ms after the last letter

export function showLayout(root, engine, kept) {
  const text = findPort("text"), box = findPort("box"), keypoints = findPort("keypoints");
  const wanted = Object.assign(kept, { caption: t("layout.example"), seed: 0, box: readBox(""), points: new Map(), ...kept });
  const picture = h("canvas", { class: sharpness(spec.size), role: "img", width: spec.size, height: spec.size }), status = makeStatus();
  const save = button(t("page.saveOne"), () => savePng(picture, `seed-${wanted.seed}`), { kind: "primary" });

  const draw = latest(async () => {
    const caption = wanted.caption.toLowerCase().split(/\s+/).join(" ").trim();
    save.disabled = !caption;
    if (!caption) return;
    await breathe();
    const bytes = new Uint8Array(text.shape[2]);
    new TextEncoder().encodeInto(caption, bytes); // cut between characters
    const values = { ...joinNoise([rowNoise(wanted.seed, 0)]), [text.name]: bytes };
    if (box) values[box.name] = wanted.box.map((value) => value / GRID);
    if (keypoints) values[keypoints.name] = keypoints.names.flatMap((part) => (wanted.points.has(part) ? [...wanted.points.get(part).map((value) => value / GRID), 1] : [0, 0, 0]));
    const made = await status.follow(() => engine.run(1, values));
    if (!made) return;
    writeCanvas(picture, toLevels(made[0]), spec.output);
    picture.setAttribute("aria-label", t("place.alt", { caption }));
  });

  let timer = 0;
  const caption = h("textarea", { rows: 2, maxlength: 2000, value: wanted.caption, spellcheck: "false" });
  const cut = h("small", { hidden: true, role: "status", text: t("place.noBytes", { n: text.shape[2] }) });
  caption.addEventListener("input", () => {
    wanted.caption = caption.value;
    cut.hidden = new TextEncoder().encode(caption.value.trim()).length <= text.shape[2];
    clearTimeout(timer);
    timer = setTimeout(draw, TYPING);
  });

  const board = box ? makeBoxBoard(wanted.box, draw) : makePointBoard(wanted.points, keypoints.names, draw);
  clear(root, h("div", { class: "stage" },
    h("div", { class: "picture" }, h("div", { class: "place-holder" }, h("div", { class: "place-frame" }, picture)), h("div", { class: "row between under" }, status.element, save)),
    h("div", { class: "panel" }, field(t("layout.caption"), caption), cut,
      h("div", { class: "field" }, h("div", { class: "row between" }, h("span", { class: "label", text: t(box ? "place.box" : "place.parts") }), board.tools), board.element, board.list ?? false, h("small", { id: "place-help", text: board.help })),
      seedField(wanted.seed, (seed) => { wanted.seed = seed; draw(); }))));
  draw();
  return () => clearTimeout(timer);
}
