// The language of the page. The tables have the same keys in both languages (a test compares them).

import { recall, remember } from "./kept.js";
import { TABLES } from "./tables.js";

let language = recall("language") ?? ((navigator.language || "en").toLowerCase().startsWith("zh") ? "zh" : "en");
if (!(language in TABLES)) language = "en";

export const getLanguage = () => language;
export function setLanguage(next) {
  language = next;
  remember("language", next);
}

export const number = (value, digits = 3) =>
  new Intl.NumberFormat(language, Number.isInteger(value) ? {} : { maximumSignificantDigits: digits }).format(value);
export const percent = (share) => new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 }).format(share);

/** A number with so many digits after the point. */
export const fixed = (value, digits) => new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

/** The text of a key, with {name} replaced by values.name; numbers are written as the language does. */
export function t(key, values = {}) {
  const text = TABLES[language][key];
  if (text === undefined) throw new Error(`there is no text ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? number(values[name]) : String(values[name] ?? "")));
}
