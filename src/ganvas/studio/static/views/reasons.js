// What was chosen automatically, and why.

import { h } from "../dom.js";
import { describeSetting, say } from "../say.js";

/** A choice, {key, value, reason}, as an item of a list; the key that the command line takes is its tooltip. */
export const drawReason = ({ key, value, reason }) => h("li", {}, h("strong", { text: describeSetting(key, value), title: key }), h("p", { class: "faint", text: say(reason) }));
