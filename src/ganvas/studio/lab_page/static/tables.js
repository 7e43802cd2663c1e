// The texts of the page: those of the studio's view, and a few of its own. Both languages have the same keys (a test compares them).

import learn from "../../static/texts/learn.js";
import own from "./words.js";

export const TABLES = { en: { ...learn.en, ...own.en }, zh: { ...learn.zh, ...own.zh } };
