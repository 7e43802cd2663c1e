// What the engine says, in the page's language: errors, reasons, findings, and settings with their values.
// It finds the template that a sentence was made of, as ganvas/texts/sentences.py does for the terminal.

import { hasText, language, t } from "./texts.js";
import { numbers, own, rows, sentences } from "./texts/engine.js"; // the server makes it of the table of texts

const NUMBERS = new Set(numbers); // places that hold a number, such as 2,000 or 1e-05 or 40%
const OWN = new Set(own); // places that hold words which are nobody's to translate
const SENTENCES = new Set(sentences); // places that may hold several parts of a sentence

const PLAIN = new Map();
const TEMPLATES = [];
for (const [source, terminal, en = source, zh = terminal] of rows) {
  const parts = source.split(/\{(\w+)\}/);
  const literals = parts.filter((_, number) => number % 2 === 0);
  if (parts.length === 1) PLAIN.set(source, { en, zh });
  else TEMPLATES.push({ en, zh, literals, names: parts.filter((_, number) => number % 2), weight: literals.join("").length, needle: literals.reduce((a, b) => (b.length > a.length ? b : a)) });
}
// The longest first: "{n} images" would also fit into longer sentences.
const open = (template) => new Set(template.names.filter((name) => !NUMBERS.has(name))).size;
TEMPLATES.sort((a, b) => b.weight - a.weight || open(a) - open(b)); // of two that are as long, the one whose places take less

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

function match(template, text) {
  if (!text.includes(template.needle)) return null;
  template.pattern ??= new RegExp(`^${template.literals.map((literal, number) => (number ? (NUMBERS.has(template.names[number - 1]) ? "([\\d.,%e+-]*[\\d%])" : "(.+?)") : "") + escape(literal)).join("")}$`);
  return text.match(template.pattern);
}

const misfits = (name, value) =>
  (!SENTENCES.has(name) && holdsEnd(value)) || ((OWN.has(name) || NUMBERS.has(name)) && name !== "command" && PAIR.test(value));
const holdsEnd = (value) => /[;.](?: |$)/.test(value.replace(/\.\.\.$/, ""));

/** The row that a text was made of, filled with its values; null: there is none. */
function fit(text, across) {
  // a sentence may have become a clause, or a clause a sentence
  const first = text.slice(0, 1), swapped = first === first.toLowerCase() ? first.toUpperCase() : first.toLowerCase();
  return fitForm(text, across) ?? (first === swapped ? null : fitForm(swapped + text.slice(1), across));
}

function fitForm(text, across) {
  if (PLAIN.has(text)) return PLAIN.get(text)[language];
  for (const template of TEMPLATES) {
    const found = match(template, text);
    if (!found || (!across && template.names.some((name, number) => misfits(name, found[1 + number])))) continue;
    return template[language].replace(/\{(\w+)\}/g, (_, name) => {
      const value = found[1 + template.names.indexOf(name)];
      return OWN.has(name) || NUMBERS.has(name) ? value : findValue(value);
    });
  }
  return null;
}

/** A value in the page's language; one such as ", at about 3 images" goes on. */
function findValue(value) {
  const begin = /^[,;] /.test(value) ? value.slice(0, 2) : "";
  const found = find(value.slice(begin.length));
  return found === null ? value : (begin ? markOf(begin) : "") + found;
}

/** A sentence as its parts and the marks after them: [part, mark, part, mark, ...]; "e.g." and "..." end no part. */
function split(sentence) {
  const found = [];
  let begin = 0;
  for (const { index, 0: mark } of sentence.matchAll(/[;.](?: |$)/g)) {
    const before = sentence.slice(begin, index);
    if (mark[0] === "." && /(?:e\.g|i\.e|\.)$/.test(before)) continue;
    found.push(before, mark);
    begin = index + mark.length;
  }
  return [...found, sentence.slice(begin)];
}

const MARKS = { ";": "；", ".": "。", ",": "，" };
const markOf = (mark) => (language === "zh" ? MARKS[mark[0]] : mark);

/** A text put together of its parts; a row holds one or several. Null: it is of one part. */
function joinParts(text) {
  const parts = split(text);
  if (parts.length < 3) return null;
  let said = "", place = 0;
  while (place < parts.length) {
    const [end, known] = translateMost(parts, place);
    if (known === null && PAIR.test(parts[place])) return null;
    said += (known ?? parts[place]) + (end < parts.length ? markOf(parts[end]) : "");
    place = end + 1;
  }
  return said;
}

/** As many parts as one row has, with the place of the mark after them. */
function translateMost(parts, begin) {
  for (let end = parts.length; end > begin; end -= 2) {
    let known = fit(parts.slice(begin, end).join(""), false);
    if (known !== null) return [end, known];
    known = end < parts.length ? fit(parts.slice(begin, end + 1).join("").trimEnd(), false) : null; // the row may also end with the mark
    if (known !== null) return [end, known.slice(0, -1)];
  }
  return [begin + 1, translateEnd(parts[begin]) ?? joinList(parts[begin]) ?? fit(parts[begin], true)];
}

const PAIR = /[a-z]{2} [a-z]{2}/; // words that are no name

/** A text such as "a.png: it has no hole", of which the end or the beginning is known. */
function translateEnd(text) {
  const at = text.indexOf(": ");
  if (at < 0) return null;
  const rest = text.slice(at + 2), found = find(rest);
  const head = text.slice(0, at).includes(" ") ? fit(text.slice(0, at), false) : null; // one word may be a key
  if (found === null && (head === null || PAIR.test(rest))) return null;
  const tail = found ?? rest; // names and numbers need no translation
  return `${head ?? text.slice(0, at)}${head !== null && language === "zh" ? "：" : ": "}${tail}`;
}

/** A list such as "digits, 1,797 images, 10 classes", of names and of what is known. */
function joinList(text) {
  const items = text.split(", ");
  if (items.length < 2 || /[;.](?: |$)/.test(text)) return null;
  const said = items.map(find);
  const unknown = items.filter((_, number) => said[number] === null);
  if (unknown.length === items.length || unknown.some((item) => PAIR.test(item))) return null;
  return items.map((item, number) => said[number] ?? item).join(language === "zh" ? "，" : ", ");
}

/** A text in the page's language; null: some part of it is not in the table. */
function find(text) {
  if (/[：；。]/.test(text)) return null; // it is Chinese already
  const said = fit(text, false) ?? joinParts(text) ?? translateEnd(text) ?? joinList(text) ?? fit(text, true);
  // between Chinese characters there are no spaces
  return said === null || language === "en" ? said : said.replace(/([\u3000-\u9fff\uff00-\uffef]) (?=[\u3000-\u9fff\uff00-\uffef])/g, "$1");
}

/** A sentence of the engine in the page's language; as it is where any part of it has no template. */
export const say = (sentence) => find(sentence) ?? sentence;

const WORDS = new Map([["True", "word.yes"], ["False", "word.no"], ["None", "word.no"]]);

/** The name of a setting; a key without a name of its own stands for itself. */
export const settingName = (key) => (hasText(`setting.${key}`) ? t(`setting.${key}`) : key);

/** A setting and its value, such as "Size in pixels: 64". */
export function describeSetting(key, value) {
  const word = WORDS.get(value) ?? (key === "fit" ? `new.fit-${value}` : null);
  return t("word.pair", { name: settingName(key), value: word ? t(word) : say(value) });
}
