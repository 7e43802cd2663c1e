// Translate: photos go through a GAN; before and after lie over each other, with a divider to drag.

import { nextWish, postJson } from "../api.js";
import { app } from "../app.js";
import { button, clear, h, isSmall, saveAs } from "../dom.js";
import { say } from "../say.js";
import { t } from "../texts.js";
import { makeBeforeAfter } from "./translate/before-after.js";
import { addressOf, drawSettings, findLongest, keepWanted, readName, readWanted } from "./translate/settings.js";

const LARGER = 1.5; // times the size trained on: things then look unlike those that the GAN knows
const KEPT = 8; // answers that a photo keeps, so that going back needs no new request
const PAUSE = 150; // ms between two downloads: browsers drop those that come at once

/**
 * The photos outlive the view, so that another language or another run shows them again.
 * Each: {name, file, body (what is sent, its longer side at most `longest` px), preview (address), width, height, from (size before it
 * was scaled down), answers (Map of address: answer), last (what was shown of it), error}.
 */
const photos = [];
let selected = null;

export async function show(root, { run, query }) {
  if (!run.model?.views.includes("translate")) { root.append(h("p", { class: "note", text: t("translate.unfit") })); return null; }
  const wanted = readWanted(run, query);
  let refusal = "", cancelled = false, abort = null, closed = false;

  const compare = makeBeforeAfter();
  // where a row of results can come, its place is left from the beginning
  const main = h("div", { class: `picture translate-main${run.model.inputs.attributes ? " several" : ""}` });
  const caption = h("div", { class: "row between translate-caption" }), ways = h("div", { class: "ways", role: "group", "aria-label": t("translate.results") });
  const thumbs = h("div", { class: "thumbs", role: "group", "aria-label": t("translate.photos") });
  const notes = h("div", { class: "note" }), problem = h("p", { class: "problem", role: "alert" }), status = h("div", { class: "translate-status", role: "status" });
  const save = button(t("translate.save"), saveOne, { kind: "primary" }), saveMany = button("", saveAll);
  const input = h("input", { type: "file", accept: "image/*,.tif,.tiff", multiple: true, hidden: true, on: { change: () => { add(input.files); input.value = ""; } } });
  const choose = () => input.click();
  root.append(
    h("div", { class: "stage" }, main, h("div", { class: "panel" }, drawSettings(run, wanted, change), status, h("div", { class: "row" }, save, saveMany), notes)),
    input);

  // Photos come and go.

  function add(files) {
    // a type is missing where the system does not know the ending: the server looks inside
    const fresh = [...files].filter((file) => file.type.startsWith("image/") || file.type === "");
    const other = [...files].find((file) => !fresh.includes(file));
    refusal = other ? t("translate.notImage", { name: other.name }) : "";
    const added = fresh.map((file) => ({ name: file.name, file, answers: new Map(), error: "" }));
    photos.push(...added);
    if (added.length) selected = added[0];
    draw();
    work();
  }

  function drop(gone) {
    const place = photos.indexOf(selected);
    for (const photo of gone) {
      photos.splice(photos.indexOf(photo), 1);
      if (photo.preview) URL.revokeObjectURL(photo.preview);
    }
    if (gone.includes(selected)) selected = photos[Math.min(place, photos.length - 1)] ?? null;
    refusal = "";
    draw();
  }

  // Requests, one after the other: of the photo that is looked at first.

  const addressFor = (photo) => addressOf(run, wanted, photo);
  const answerOf = (photo) => photo?.answers.get(addressFor(photo)) ?? null;
  const resultsOf = (photo) => (answerOf(photo)?.images ?? []).filter((image) => image.name !== "given");
  const resultOf = (photo) => resultsOf(photo).find((image) => image.name === wanted.way) ?? resultsOf(photo)[0] ?? null;
  /** What is shown until the next result comes: the one before, of this run, or the photo alone. */
  const lastOf = (photo) => (photo.last?.run === run.id ? photo.last : { before: photo.preview ?? null, after: null });
  const isOpen = (photo) => !photo.error && !answerOf(photo);
  const nextPhoto = () => (selected && isOpen(selected) ? selected : photos.find(isOpen));

  function change() {
    keepWanted(run, wanted);
    for (const photo of photos) photo.error = "";
    refusal = "";
    abort?.abort();
    abort = null;
    work();
    draw();
  }

  async function work() {
    if (abort) return; // the loop that runs finds what is new
    const mine = (abort = new AbortController());
    cancelled = false;
    drawStatus();
    for (let photo = nextPhoto(); photo && !mine.signal.aborted; photo = nextPhoto()) await translate(photo, mine.signal);
    if (abort !== mine) return;
    abort = null;
    if (!closed) draw();
  }

  async function translate(photo, signal) {
    try {
      const longest = findLongest(run, wanted);
      if (photo.longest !== longest) { await prepare(photo, longest); if (!signal.aborted) drawChanged(photo); }
      if (signal.aborted) return;
      const address = addressFor(photo);
      const answer = await postJson(address, photo.body, { signal, wish: nextWish("translate") });
      if (answer) keepAnswer(photo, address, answer);
    } catch (error) {
      if (error.name === "AbortError") return;
      photo.error = app.describe(error).replace(/^image: /, ""); // the name that the server gives it
    }
    if (!signal.aborted) drawChanged(photo);
  }

  function cancel() {
    cancelled = true;
    abort?.abort();
    abort = null;
    draw();
  }

  // Saving.

  const nameOf = (photo, image) => {
    const stem = photo.name.replace(/\.\w+$/, "") || "photo";
    return `${stem}-${run.model.inputs.attributes || run.model.inputs.to ? readName(run, image.name) : run.name}.png`.replace(/[\s/\\:*?"<>|,]+/g, "_");
  };
  function saveOne() { saveAs(toBlob(resultOf(selected).src), nameOf(selected, resultOf(selected))); }

  async function saveAll() {
    const all = photos.flatMap((photo) => resultsOf(photo).map((image) => [photo, image]));
    const used = new Map(); // photos of different folders may have one name
    for (const [photo, image] of all) {
      const name = nameOf(photo, image), times = used.get(name) ?? 0;
      used.set(name, times + 1);
      saveAs(toBlob(image.src), times ? name.replace(/\.png$/, `-${times + 1}.png`) : name);
      await new Promise((done) => setTimeout(done, PAUSE));
    }
    app.say(t("translate.saved", { n: all.length }));
  }

  // Drawing.

  function draw() {
    if (!photos.length) {
      clear(main, h("div", { class: "drop translate-drop" },
        h("p", { text: t("translate.drop") }), button(t("translate.choose"), choose, { kind: "primary" }), h("small", { text: t("translate.private") })), problem);
    } else if (compare.element.parentElement !== main) clear(main, compare.element, caption, problem, ways, thumbs);
    if (photos.length) { drawPicture(); drawThumbs(); }
    drawStatus();
    drawNotes();
  }

  function drawChanged(photo) {
    if (photo === selected) { drawPicture(); drawNotes(); }
    drawThumbs();
    drawStatus();
  }

  function drawPicture() {
    const images = answerOf(selected)?.images, after = resultOf(selected);
    compare.element.hidden = Boolean(selected.error) && !selected.preview; // nothing can be shown of it
    if (after) selected.last = { run: run.id, before: images[0].src, after: after.src };
    const shown = lastOf(selected);
    compare.update({ ...shown, stale: !after, name: selected.name, ratio: selected.width ? selected.width / selected.height : 1, pixel: false });
    measure(shown.before);
    clear(caption, h("span", { class: "translate-name", text: selected.name }),
      button(t("translate.remove"), () => drop([selected]), { kind: "link", "aria-label": t("translate.removeOne", { name: selected.name }) }));

    // the row keeps its place while new results are awaited
    if (!after && isOpen(selected)) return;
    clear(ways, resultsOf(selected).length > 1 && resultsOf(selected).map((image) => drawWay(image, image === after)));
  }

  /** Small images are enlarged sharply; their size is known when they are decoded. */
  async function measure(address) {
    if (!address) return;
    const image = new Image();
    image.src = address;
    await image.decode().catch(() => {});
    const { naturalWidth: width, naturalHeight: height } = image;
    if (!width || !selected || address !== lastOf(selected).before) return;
    compare.update({ ...lastOf(selected), stale: !resultOf(selected), name: selected.name, ratio: width / height, pixel: isSmall(Math.min(width, height)) });
  }

  function drawWay(image, pressed) {
    const take = () => {
      wanted.way = image.name;
      keepWanted(run, wanted);
      draw();
      ways.querySelector("[aria-pressed=true]")?.focus();
    };
    const name = readName(run, image.name);
    return h("button", { type: "button", class: "way", "aria-pressed": String(pressed), on: { click: take } }, h("img", { src: image.src, alt: "" }), h("span", { text: name }));
  }

  function drawThumbs() {
    const focused = thumbs.contains(document.activeElement);
    clear(thumbs, photos.length > 1 && photos.map(drawThumb),
      button(t("translate.add"), choose, { class: "" }),
      photos.length > 1 && button(t("translate.clear"), () => drop([...photos]), { kind: "quiet" }));
    if (focused) thumbs.querySelector("[aria-pressed=true]")?.focus();
  }

  function drawThumb(photo) {
    const source = resultOf(photo)?.src ?? photo.preview;
    const state = photo.error ? t("translate.broken") : isOpen(photo) ? t("translate.waiting") : "";
    const take = () => { selected = photo; draw(); };
    const key = (event) => { if (event.key === "Delete") { event.preventDefault(); drop([photo]); } };
    return h("button", { type: "button", class: `thumb${isOpen(photo) ? " open" : ""}`, title: photo.name, "aria-label": [photo.name, state].filter(Boolean).join(", "), "aria-pressed": String(photo === selected), on: { click: take, keydown: key } },
      source && h("img", { src: source, alt: "" }), photo.error && h("span", { class: "mark", "aria-hidden": "true", text: "!" }));
  }

  function drawStatus() {
    const total = photos.length, open = photos.filter(isOpen).length;
    const count = photos.reduce((sum, photo) => sum + resultsOf(photo).length, 0);
    save.disabled = !resultOf(selected);
    save.hidden = status.hidden = !total;
    saveMany.hidden = count < 2;
    saveMany.textContent = t("translate.saveAll", { n: count });
    problem.textContent = refusal || (selected?.error ? t("translate.failed", { name: selected.name, reason: selected.error }) : "");
    problem.hidden = !problem.textContent;

    const line = (text, action, act) => h("div", { class: "row between line" }, h("span", { text }), button(action, act, { kind: "link" }));
    if (abort && open) {
      const text = total > 1 ? t("translate.progress", { n: total - open, total }) : t("word.working");
      clear(status, line(text, t("word.cancel"), cancel), h("progress", { "aria-label": text, ...(total > 1 && { value: total - open, max: total }) }));
    } else if (cancelled && open) clear(status, line(t("translate.cancelled", { n: open, total }), t("translate.goOn"), () => { work(); draw(); }));
    else clear(status, resultOf(selected) && h("small", { text: t("translate.hint") }));
  }

  function drawNotes() {
    const lines = [], side = Math.min(selected?.width ?? 0, selected?.height ?? 0);
    if (selected?.from) lines.push(t("translate.scaled", { from: selected.from, to: `${selected.width} × ${selected.height}` }));
    if (selected?.body && !selected.preview && isOpen(selected)) lines.push(t("translate.noPreview"));
    if (wanted.size === "own" && side > LARGER * run.model.size) lines.push(t("translate.large", { n: run.model.size }));
    // the server's own line about the scale of the training: the page has said it already
    lines.push(...(answerOf(selected)?.notes ?? []).filter((text) => !text.startsWith("trained at ")).map((text) => say(text.replace(/^note: /, ""))));
    clear(notes, lines.map((text) => h("p", { text })));
  }

  const stopListening = listenForFiles(root, add);
  draw();
  work();
  return () => { closed = true; abort?.abort(); stopListening(); };
}

/** Make of a photo's file what is sent: the file itself, or a smaller PNG of it. */
async function prepare(photo, longest) {
  let bitmap = null;
  try {
    bitmap = await createImageBitmap(photo.file); // turned upright by its EXIF data
  } catch {
    Object.assign(photo, { body: photo.file, longest }); // a format that the server may know
    return;
  }
  const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
  photo.width = Math.max(1, Math.round(bitmap.width * scale));
  photo.height = Math.max(1, Math.round(bitmap.height * scale));
  photo.body = photo.file;
  photo.from = null;
  if (scale < 1) {
    photo.from = `${bitmap.width} × ${bitmap.height}`;
    const canvas = h("canvas", { width: photo.width, height: photo.height }), context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, photo.width, photo.height);
    photo.body = await new Promise((done) => canvas.toBlob(done, "image/png"));
  }
  bitmap.close();
  photo.longest = longest;
  if (photo.preview) URL.revokeObjectURL(photo.preview);
  photo.preview = URL.createObjectURL(photo.body);
}

function keepAnswer(photo, address, answer) {
  photo.answers.set(address, answer);
  if (photo.answers.size > KEPT) photo.answers.delete(photo.answers.keys().next().value);
}

/** The bytes of a `data:` address; the page may not fetch one. */
function toBlob(address) {
  const bytes = atob(address.slice(address.indexOf(",") + 1));
  return new Blob([Uint8Array.from(bytes, (letter) => letter.charCodeAt(0))], { type: "image/png" });
}

/** Photos that are dropped on the view or pasted; returns a function that stops listening. */
function listenForFiles(root, add) {
  let inside = 0; // elements under the pointer that were entered and not left
  const mark = (change) => { inside = change; root.classList.toggle("over", inside > 0); };
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const listeners = {
    dragenter: (event) => { if (hasFiles(event)) mark(inside + 1); },
    dragleave: (event) => { if (hasFiles(event)) mark(inside - 1); },
    dragover: (event) => { if (hasFiles(event)) event.preventDefault(); },
    drop: (event) => { if (hasFiles(event)) { event.preventDefault(); mark(0); add(event.dataTransfer.files); } },
    paste: (event) => { if (event.clipboardData?.files.length) { event.preventDefault(); add(event.clipboardData.files); } },
  };
  for (const [name, act] of Object.entries(listeners)) document.addEventListener(name, act);
  return () => { for (const [name, act] of Object.entries(listeners)) document.removeEventListener(name, act); };
}
