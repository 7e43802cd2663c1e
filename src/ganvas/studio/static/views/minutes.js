// A slider over times from a minute to a day.

import { slider } from "../dom.js";
import { duration } from "../texts.js";

const MINUTES = [1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360, 480, 720, 1440];

/** The time of the slider that is nearest to some minutes. */
export const nearestMinutes = (minutes) => MINUTES.reduce((best, one) => (Math.abs(one - minutes) < Math.abs(best - minutes) ? one : best));

/** The slider's element, standing at the nearest time; `on` gets the minutes when it moves. */
export function drawMinutes(label, minutes, on) {
  const value = MINUTES.indexOf(nearestMinutes(minutes));
  return slider(label, { min: 0, max: MINUTES.length - 1, step: 1, value, format: (place) => duration(60 * MINUTES[place]), on: (place) => on(MINUTES[place]) }).element;
}
