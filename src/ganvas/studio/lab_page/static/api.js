// What the view asks the studio's server for, computed in the page itself: the same addresses, the same answers.

import { LineGame } from "./game/line.js";
import { PlaneGame } from "./game/plane.js";
import { PLANE, STEP, drawAround, readDensity } from "./game/targets.js";

export class ApiError extends Error {}

const SLICE = 12; // milliseconds of work, after which the browser may draw and listen
const spec = JSON.parse(document.getElementById("spec").textContent);

/** Numbers that are kept as float32, in base64. */
const unpack = (text) => Float64Array.from(new Float32Array(Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)).buffer));
const starts = Object.fromEntries(Object.entries(spec.starts).map(([kind, { seed, ...players }]) =>
  [kind, { seed, ...Object.fromEntries(Object.entries(players).map(([name, text]) => [name, unpack(text)])) }]));

const games = {}; // of each kind the one that was begun last: {id, game}
let begun = 0;

/** A game from what the server is asked with. */
export function makeGame({ kind, target, loss, penalty }) {
  const drawn = typeof target !== "string", scoreKind = spec.lab.losses[loss];
  if (kind === "plane") return new PlaneGame(starts.plane, drawn ? drawAround(target) : PLANE[target], loss, scoreKind, penalty);
  const density = drawn ? readDensity(target) : { masses: Float64Array.from(spec.lab.targets[target], (value) => value * STEP), modes: spec.modes[target] };
  if (!density) throw new ApiError("lab.empty");
  return new LineGame(starts.line, density, loss, scoreKind, penalty);
}

function look(game) {
  const state = game.look();
  if (!state) throw new ApiError("lab.diverged");
  return state;
}

/** Let the browser draw and listen; a timer would wait longer each time. */
const breathe = () => new Promise((resolve) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => { port1.close(); resolve(); };
  port2.postMessage(null);
});

async function play(game, { d, g, turns, rates }, signal) {
  for (const [player, rate] of Object.entries(rates)) game.setRate(player, rate);
  let since = performance.now();
  for (let turn = 0; turn < turns; turn++) {
    for (let update = 0; update < d + g; update++) {
      if (update < d) game.updateDiscriminator(); else game.updateGenerator();
      if (performance.now() - since < SLICE) continue;
      await breathe();
      if (signal?.aborted) throw new ApiError("lab.given-up");
      since = performance.now();
    }
  }
  return look(game);
}

export const getJson = async () => spec.lab;

export async function postJson(path, body, { signal } = {}) {
  if (path === "/api/lab") {
    await breathe();
    const game = makeGame(body), state = look(game);
    games[body.kind] = { id: ++begun, game };
    return { id: begun, ...state };
  }
  const found = Object.values(games).find(({ id }) => path === `/api/lab/${id}`);
  if (!found) throw new ApiError("lab.given-up");
  return play(found.game, body, signal);
}
