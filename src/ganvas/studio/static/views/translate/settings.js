// What a translation shall do: the direction, the attributes, the size; kept in the address.

import { app } from "../../app.js";
import { button, clear, h } from "../../dom.js";
import { hasText, t } from "../../texts.js";

const LONGEST = 1024; // px of the longer side that a GAN is given; larger photos are scaled down

/** After a training on pairs made of images: how a photo can be given, by the kind of these pairs, the usual way first. */
const PREPARATIONS = { edges: ["auto", "yes", "no"], small: ["auto", "yes"], noise: ["auto", "yes"], blur: ["auto", "yes"] };
const listPreparations = (run) => PREPARATIONS[run.model.degradation?.kind] ?? [];

/** The settings of the address: {to, attributes (Map of name: true or false), size, degrade, way}. */
export function readWanted(run, query) {
  const { to, attributes } = run.model.inputs;
  const chosen = new Map();
  for (const pair of (query.attributes ?? "").split(",")) {
    const place = pair.lastIndexOf("="), name = pair.slice(0, place);
    if (attributes?.names.includes(name)) chosen.set(name, pair.slice(place + 1) === "1");
  }
  const last = to?.names[to.names.length - 1] ?? null; // usually from the first to the second
  const degrade = listPreparations(run).includes(query.degrade) ? query.degrade : "auto";
  return { to: to?.names.includes(query.to) ? query.to : last, attributes: chosen, size: query.size === "own" && !isSizeFixed(run) ? "own" : "trained", degrade, way: query.way ?? "" };
}

/** Small, noisy and blurred images are seen at their own size: their detail is a matter of pixels. */
const isSizeFixed = (run) => Boolean(run.model.degradation?.own_size);

/** The longest side of a photo that is sent: small ones are enlarged by the server. */
export function findLongest(run, wanted) {
  const { kind, strength } = run.model.degradation ?? {};
  return kind === "small" && wanted.degrade !== "yes" ? LONGEST / strength : LONGEST;
}

const writeAttributes = (wanted) => [...wanted.attributes].map(([name, on]) => `${name}=${on ? 1 : 0}`).join(",");

export function keepWanted(run, wanted) {
  app.keep({ to: run.model.inputs.to ? wanted.to : null, attributes: writeAttributes(wanted), size: wanted.size === "own" ? "own" : null, degrade: wanted.degrade === "auto" ? null : wanted.degrade, way: wanted.way });
}

/** Where a photo is sent; it also tells one answer from another. */
export function addressOf(run, wanted, photo) {
  const values = new URLSearchParams();
  if (wanted.to) values.set("to", wanted.to);
  if (wanted.attributes.size) values.set("attributes", writeAttributes(wanted));
  if (wanted.degrade !== "auto") values.set("degrade", wanted.degrade);
  if (isSizeFixed(run)) return `/api/runs/${run.id}/translate?${values}`;
  // without a size, U-Nets take the size trained on, all others the photo's own
  if (wanted.size === "trained") values.set("size", run.model.size);
  else if (!run.model.inputs.image.own_size && photo.width) values.set("size", Math.max(run.model.inputs.image.multiple, Math.min(photo.width, photo.height)));
  return `/api/runs/${run.id}/translate?${values}`;
}

/** A domain or an attribute by the name that people know. */
export function readName(run, name) {
  const { to, attributes } = run.model.inputs;
  if (attributes) return name.replaceAll("_", " ");
  if (name === "real") return t("translate.real"); // the other half of a pair that was given whole
  if (to) return readDomain(run, name);
  return t("translate.result");
}

/** GANs call their domains a and b: the data's name often says more, such as "summer2winter". */
function readDomain(run, name) {
  const place = ["a", "b"].indexOf(name);
  if (place < 0) return name.replaceAll("_", " ");
  const files = run.spec.replace(/^unpaired(-\w+)?:/, "").split(",").map((path) => path.replace(/\/+$/, "").split("/").pop().replace(/\.\w+$/, ""));
  if (files.length === 2 && files[0] !== files[1]) return files[place];
  return files[0].match(/^([a-z]+)2([a-z]+)$/i)?.[place + 1] ?? t("translate.domain", { name: name.toUpperCase() });
}

/** The controls; `change` is called after each change of `wanted`. */
export function drawSettings(run, wanted, change) {
  const { to, attributes } = run.model.inputs;
  return [to?.names.length === 2 && drawDirection(run, wanted, change), attributes && drawAttributes(attributes, wanted, change),
    listPreparations(run).length > 0 && drawPreparation(run, wanted, change), !isSizeFixed(run) && drawSize(run, wanted, change)].filter(Boolean);
}

function drawDirection(run, wanted, change) {
  const { names } = run.model.inputs.to;
  const way = h("p", { class: "direction", "aria-live": "polite" });
  const write = () => {
    const from = names.find((name) => name !== wanted.to);
    clear(way, h("span", { text: readDomain(run, from) }), h("span", { class: "faint", text: "→" }), h("strong", { text: readDomain(run, wanted.to) }));
  };
  write();
  const turn = () => { wanted.to = names.find((name) => name !== wanted.to); write(); change(); };
  return h("div", { class: "field" }, h("span", { class: "label", text: t("translate.direction") }), way, h("div", {}, button(`⇄ ${t("translate.turn")}`, turn)));
}

function drawAttributes({ names, exclusive }, wanted, change) {
  const hint = h("small", { "aria-live": "polite" }), list = h("div", { class: "attributes" });
  const reset = button(t("translate.reset"), () => { wanted.attributes.clear(); wanted.way = ""; write(); fill(); change(); }, { kind: "link" });
  const write = () => {
    hint.textContent = t(wanted.attributes.size ? "translate.some" : "translate.each");
    reset.hidden = !wanted.attributes.size;
  };
  const set = (act) => () => { act(); wanted.way = ""; write(); change(); };

  /** Of names that exclude each other one can be chosen; the server takes the others away. */
  const drawGroup = (group) => drawChoice(t("translate.oneOf"), [
    { text: t("translate.asIs"), checked: !group.some((name) => wanted.attributes.get(name)), on: set(() => group.forEach((name) => wanted.attributes.delete(name))) },
    ...group.map((name) => ({ text: name.replaceAll("_", " "), checked: wanted.attributes.get(name) === true, on: set(() => { group.forEach((other) => wanted.attributes.delete(other)); wanted.attributes.set(name, true); }) })),
  ]);
  const drawSwitch = (name) => drawChoice(name.replaceAll("_", " "), [["asIs", undefined], ["with", true], ["without", false]].map(([key, value]) => ({
    text: t(`translate.${key}`), checked: wanted.attributes.get(name) === value, on: set(() => (value === undefined ? wanted.attributes.delete(name) : wanted.attributes.set(name, value))) })));
  const fill = () => clear(list, exclusive.map(drawGroup), names.filter((name) => !exclusive.flat().includes(name)).map(drawSwitch));

  write();
  fill();
  return h("div", { class: "field" }, h("div", { class: "row between" }, h("span", { class: "label", text: t("translate.attributes") }), reset), hint, list);
}

function drawPreparation(run, wanted, change) {
  const { kind, strength: n } = run.model.degradation;
  const name = (way) => (hasText(`translate.prepare-${kind}-${way}`) ? `translate.prepare-${kind}-${way}` : "translate.asIs");
  return drawChoice(t("translate.prepare"), listPreparations(run).map((way) => ({
    text: t(name(way)), title: t(`translate.prepareHelp-${kind}-${way}`, { n }),
    checked: wanted.degrade === way, on: () => { wanted.degrade = way; change(); } })), true);
}

function drawSize(run, wanted, change) {
  const set = (size) => () => { wanted.size = size; change(); };
  return drawChoice(t("translate.size"), [
    { text: t("translate.trained"), title: t("translate.trainedHelp", { n: run.model.size }), checked: wanted.size === "trained", on: set("trained") },
    { text: t("translate.own"), title: t("translate.ownHelp", { n: LONGEST }), checked: wanted.size === "own", on: set("own") },
  ], true);
}

let groups = 0;
/** A group of radio buttons that look like one bar; `help`: their titles stand below them. */
function drawChoice(legend, options, help = false) {
  const name = `translate-choice-${++groups}`;
  return h("fieldset", { class: "switch" }, h("legend", { text: legend }),
    h("div", { class: "switch-bar" }, options.map(({ text, title, checked, on }) => h("label", {},
      h("input", { type: "radio", name, checked, on: { change: on } }), h("span", { text }), help && h("small", { text: title })))));
}
