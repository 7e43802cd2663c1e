// What the engine says, in the page's language: reasons, findings, and settings with their values.

import { hasText, language, t } from "./texts.js";
import engine from "./texts/engine.js";

const NUMBERS = new Set(["n", "m"]); // places that hold a number, such as 2,000 or 1e-05 or 40%
const OWN = new Set(["names", "recipe", "device", "size", "table"]); // places that hold words which are nobody's to translate

// The templates as patterns, the longest first: "{n} images" would also fit into longer ones.
const TEMPLATES = engine.map(([source, zh, en = source]) => {
  const names = [...source.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const place = (part) => (NUMBERS.has(part.slice(1, -1)) ? "([\\d.,%e+-]+)" : "(.+?)");
  const pattern = source.split(/(\{\w+\})/).map((part, number) => (number % 2 ? place(part) : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))).join("");
  return { pattern: new RegExp(`^${pattern}$`), names, zh, en, length: source.length };
}).sort((a, b) => b.length - a.length);

/** A part of a sentence in the page's language; null: no template fits. */
function fill(part) {
  for (const { pattern, names, ...texts } of TEMPLATES) {
    const found = part.match(pattern);
    if (!found) continue;
    return texts[language].replace(/\{(\w+)\}/g, (_, name) => {
      const value = found[1 + names.indexOf(name)];
      return OWN.has(name) || NUMBERS.has(name) ? value : fill(value) ?? value;
    });
  }
  return null;
}

/** A sentence as its parts and the marks after them: [part, mark, part, mark, ...]; "e.g." and "..." end no part. */
function split(sentence) {
  const found = [];
  let begin = 0;
  for (const { index, 0: mark } of sentence.matchAll(/[;.](?: |$)/g)) {
    const before = sentence.slice(begin, index);
    if (mark[0] === "." && /(?:e\.g|\.)$/.test(before)) continue;
    found.push(before, mark);
    begin = index + mark.length;
  }
  return [...found, sentence.slice(begin)];
}

/** A sentence of the engine in the page's language; as it is where any part of it has no template. */
export function say(sentence) {
  const parts = split(sentence);
  const said = parts.map((part, place) => (place % 2 || !part ? part : fill(part)));
  if (said.includes(null)) return sentence;
  if (language === "en") return said.join("");
  // between Chinese characters there are no spaces
  return said.map((part, place) => (place % 2 ? { ";": "；", ".": "。" }[part[0]] : part)).join("").replace(/([\u3000-\u9fff]) (?=[\u3000-\u9fff])/g, "$1");
}

const WORDS = new Map([["True", "word.yes"], ["False", "word.no"], ["None", "word.no"]]);

/** The name of a setting; a key without a name of its own stands for itself. */
export const settingName = (key) => (hasText(`setting.${key}`) ? t(`setting.${key}`) : key);

/** A setting and its value, such as "Size in pixels: 64". */
export function describeSetting(key, value) {
  const word = WORDS.get(value) ?? (key === "fit" ? `new.fit-${value}` : null);
  return t("word.pair", { name: settingName(key), value: word ? t(word) : say(value) });
}
