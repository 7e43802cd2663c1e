// Small helpers to build and find elements. Text always becomes text, never HTML.

/**
 * Make an element.
 * attrs: `class`, `text`, `on` ({click: f}), `style` ({name: value}, may hold custom properties),
 * `data` ({name: value}); properties such as `value`, `checked`, `disabled` are set as properties;
 * everything else becomes an attribute; null, undefined and false leave it away.
 */
export function h(tag, attrs = {}, ...children) {
  const svg = SVG_TAGS.has(tag);
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attrs ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.setAttribute("class", value);
    else if (name === "text") element.textContent = value;
    else if (name === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else if (name === "style") for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (PROPERTIES.has(name)) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child);
  }
  return element;
}
const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "hidden", "indeterminate"]);
const SVG_TAGS = new Set(["svg", "g", "path", "line", "rect", "circle", "polyline", "polygon", "text", "clipPath", "defs"]);

export function clear(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SMALL = 32; // pixels of a side
/** Whether an image of so many pixels a side is enlarged sharply, pixel by pixel. */
export const isSmall = (side) => side > 1 && side <= SMALL; // of points it is 1: plots are smooth
/** The class that does so, or none. */
export const sharpness = (side) => (isSmall(side) ? "pixel" : "");

let fields = 0;
/** A labelled field: label above, the control, and a line of help under it. */
export function field(label, control, help = "") {
  const id = control.id || `field-${++fields}`;
  control.id = id;
  const helpId = `${id}-help`;
  if (help) control.setAttribute("aria-describedby", helpId);
  return h("div", { class: "field" }, h("label", { for: id, text: label }), control, help && h("small", { id: helpId, text: help }));
}

/** A slider with its value beside the label. `format` makes the shown text. */
export function slider(label, { min, max, step, value, format = String, on, dblclick }) {
  const output = h("output", { text: format(value) });
  const input = h("input", { type: "range", min, max, step, value: String(value), "aria-label": label });
  const set = (next) => { input.value = String(next); output.textContent = format(Number(input.value)); };
  input.addEventListener("input", () => { output.textContent = format(Number(input.value)); on(Number(input.value)); });
  if (dblclick !== undefined) input.addEventListener("dblclick", () => { set(dblclick); on(dblclick); });
  const element = h("div", { class: "field slider" }, h("div", { class: "row between" }, h("span", { class: "label", text: label, "aria-hidden": "true" }), output), input);
  return { element, input, set };
}

export function button(text, on, { kind = "", ...attrs } = {}) {
  return h("button", { type: "button", class: kind, text, on: { click: on }, ...attrs });
}

/** Save something as a file of the user. */
export function saveAs(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
