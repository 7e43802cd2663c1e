// What the view shares with the page around it: the settings in the address, and errors in words.

import { t } from "../../../export/page/static/texts.js";

/** The settings that the address holds, {name: value}. */
export const readAddress = () => Object.fromEntries(new URLSearchParams(location.hash.split("?")[1] ?? ""));

export const app = {
  /** Keep settings in the address, without opening the view anew. */
  keep(query) {
    const wanted = Object.entries({ ...readAddress(), ...query }).filter(([, value]) => value !== "" && value !== null && value !== undefined);
    try { history.replaceState(null, "", `#/learn?${new URLSearchParams(wanted)}`); } catch { /* some browsers forbid it to files: the settings are not kept */ }
  },
  describe: (error) => (error.message.startsWith("lab.") ? t(error.message) : error.message),
};
