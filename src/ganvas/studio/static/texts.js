// The page's language. Texts lie in texts/, a file a view, with the same keys in both languages (a test compares them).

import frame from "./texts/frame.js";
import runs from "./texts/runs.js";
import begin from "./texts/new.js";
import watch from "./texts/watch.js";
import compare from "./texts/compare.js";
import sample from "./texts/sample.js";
import paint from "./texts/paint.js";
import translate from "./texts/translate.js";
import place from "./texts/place.js";
import judge from "./texts/judge.js";
import learn from "./texts/learn.js";

const PARTS = [frame, runs, begin, watch, compare, sample, paint, translate, place, judge, learn];
const TABLES = { en: Object.assign({}, ...PARTS.map((part) => part.en)), zh: Object.assign({}, ...PARTS.map((part) => part.zh)) };
const kept = localStorage.getItem("language");
export let language = kept in TABLES ? kept : (navigator.language || "en").toLowerCase().startsWith("zh") ? "zh" : "en";
document.documentElement.lang = language;

export function setLanguage(next) {
  language = next;
  localStorage.setItem("language", next);
  document.documentElement.lang = next;
}

/** The text of a key, with {name} replaced by values.name; numbers are written as the language does. */
export function t(key, values = {}) {
  const text = TABLES[language][key] ?? TABLES.en[key];
  if (text === undefined) throw new Error(`there is no text ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? number(value) : String(value ?? "");
  });
}

/** Whether there is a text of a key. */
export const hasText = (key) => key in TABLES.en;

export const number = (value, digits = 3) =>
  new Intl.NumberFormat(language, Number.isInteger(value) ? {} : { maximumSignificantDigits: digits }).format(value);
export const percent = (share) => new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 }).format(share);

/** A number with so many digits after the point. */
export const fixed = (value, digits) => new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

/** Seconds in words. */
export function duration(seconds) {
  if (seconds < 60) return t("time.seconds", { n: Math.max(1, Math.round(seconds)) });
  if (seconds < 5400) return t("time.minutes", { n: Math.round(seconds / 60) });
  return t("time.hours", { n: Math.round(seconds / 360) / 10 });
}
export const date = (seconds) => new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(seconds * 1000));
