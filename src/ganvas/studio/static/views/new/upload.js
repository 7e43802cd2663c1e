// Images of this machine on their way to the studio: files, whole folders, or a zip, some hundred in a request.

import { t } from "../../texts.js";

const MOST_FILES = 300, MOST_BYTES = 64 * 2 ** 20; // of a request

/** The files of a drop, folders and all that is in them: [{file, path}]. To be called while the event lasts. */
export async function collectDropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ file, path: file.name }));
  const found = [];
  const read = (entry) => new Promise((done, fail) => { entry.file(done, fail); });
  const list = (reader) => new Promise((done, fail) => { reader.readEntries(done, fail); });
  async function walk(entry, path) {
    if (entry.isFile) { found.push({ file: await read(entry), path }); return; }
    const reader = entry.createReader();
    for (let part = await list(reader); part.length; part = await list(reader)) { // some at a time, until none is left
      for (const one of part) await walk(one, `${path}/${one.name}`);
    }
  }
  for (const entry of entries) await walk(entry, entry.name);
  return found;
}

/** The files of a file or folder picker. */
export const collectPicked = (input) => [...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));

/**
 * Send files that have one of the endings of images, or a zip; `tell(sent, total)` hears of the bytes. Returns {place, count, left}: the data set, the images of it, and how many other files
 * were left. Throws Error with a sentence.
 */
export async function upload(found, endings, tell) {
  const zip = found.find(({ path }) => /\.zip$/i.test(path));
  const sent = zip ? [zip] : found.filter(({ path }) => endings.some((ending) => path.toLowerCase().endsWith(ending)));
  if (!sent.length) throw new Error(t("new.no-images"));

  // One folder that holds everything is the name of the set, and no class.
  const tops = new Set(sent.map(({ path }) => (path.includes("/") ? path.slice(0, path.indexOf("/")) : "")));
  const top = tops.size === 1 ? [...tops][0] : "";
  const name = top || (sent.length === 1 ? sent[0].path.replace(/\.\w+$/, "") : t("new.upload-name"));
  const total = sent.reduce((sum, { file }) => sum + file.size, 0);
  let place = null, done = 0;
  for (const batch of split(sent)) {
    const form = new FormData();
    form.append("name", name);
    if (place) form.append("into", place.id);
    for (const { file, path } of batch) form.append("files", file, top ? path.slice(top.length + 1) : path);
    place = await post(form, (bytes) => tell(done + bytes, total));
    done += batch.reduce((sum, { file }) => sum + file.size, 0);
  }
  return { place, count: sent.length, left: zip ? found.length - 1 : found.length - sent.length };
}

function split(files) {
  const batches = [[]];
  let bytes = 0;
  for (const one of files) {
    if (batches.at(-1).length === MOST_FILES || (bytes && bytes + one.file.size > MOST_BYTES)) { batches.push([]); bytes = 0; }
    batches.at(-1).push(one);
    bytes += one.file.size;
  }
  return batches;
}

/** XMLHttpRequest, since fetch does not tell how much has been sent. */
function post(form, tell) {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/uploads");
    request.upload.addEventListener("progress", (event) => tell(event.loaded));
    request.addEventListener("loadend", () => {
      let answer;
      try { answer = JSON.parse(request.responseText); } catch { answer = { error: t("error.offline") }; }
      if (request.status === 200) done(answer); else fail(new Error(answer.error));
    });
    request.send(form);
  });
}
