// The texts of the exported page: its own, and those of the easel and the boards, which are the studio's.

import own from "./words.js";
import paint from "../../../studio/static/texts/paint.js";
import place from "../../../studio/static/texts/place.js";

export const TABLES = { en: { ...paint.en, ...place.en, ...own.en }, zh: { ...paint.zh, ...place.zh, ...own.zh } };
