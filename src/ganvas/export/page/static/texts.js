// The language of the page. The tables have the same keys in both languages (a test compares them); those of the easel and the boards are the studio's.

import own from "./words.js";
import paint from "../../../studio/static/texts/paint.js";
import place from "../../../studio/static/texts/place.js";
import { recall, remember } from "./kept.js";

const TABLES = { en: { ...paint.en, ...place.en, ...own.en }, zh: { ...paint.zh, ...place.zh, ...own.zh } };
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

/** The text of a key, with {name} replaced by values.name; numbers are written as the language does. */
export function t(key, values = {}) {
  const text = TABLES[language][key];
  if (text === undefined) throw new Error(`there is no text ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? number(values[name]) : String(values[name] ?? "")));
}
