// Requests to the studio's own server, and its stream of events.

export class ApiError extends Error {}

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("offline");
  }
  if (answer.ok) return answer;
  let message = `${answer.status} ${answer.statusText}`;
  try {
    message = (await answer.json()).error ?? message;
  } catch { /* no JSON: the status must do */ }
  throw new ApiError(message);
}

export const getJson = async (path, options) => (await ask(path, options)).json();
export const remove = async (path) => (await ask(path, { method: "DELETE" })).json();

function postOptions(body, { signal, wish } = {}) {
  const plain = body !== null && typeof body === "object" && !(body instanceof Blob) && !(body instanceof FormData) && !(body instanceof ArrayBuffer);
  const headers = {};
  if (plain) headers["content-type"] = "application/json";
  if (wish) headers["x-wish"] = wish;
  return { method: "POST", headers, signal, body: plain ? JSON.stringify(body) : body };
}

export const postJson = async (path, body = {}, options = {}) => {
  const answer = await ask(path, postOptions(body, options));
  return answer.status === 204 ? null : answer.json();
};

/** A picture or file; null: a newer wish has taken its place. */
export const postBlob = async (path, body = {}, options = {}) => {
  const answer = await ask(path, postOptions(body, options));
  return answer.status === 204 ? null : answer.blob();
};

const page = Math.random().toString(36).slice(2);
let wishes = 0;
/** The newest wish of a channel wins, e.g. of a slider: pass it as {wish: nextWish("preview")}. */
export const nextWish = (channel) => `${page}-${channel}:${++wishes}`;

/**
 * At most one request of a kind is on its way, and the newest wish follows it: for sliders.
 * `work` gets what was passed to the returned function; it must return a promise.
 */
export function latest(work) {
  let busy = false, waiting = null;
  const run = async (values) => {
    if (busy) { waiting = values; return; }
    busy = true;
    try { await work(...values); } finally {
      busy = false;
      if (waiting) { const next = waiting; waiting = null; run(next); }
    }
  };
  return (...values) => run(values);
}

/** Listen to the server: on.run(card), on.gone({id}), on.state(true or false: connected). */
export function listen(on) {
  const source = new EventSource("/api/events");
  source.addEventListener("run", (event) => on.run(JSON.parse(event.data)));
  source.addEventListener("gone", (event) => on.gone(JSON.parse(event.data)));
  source.addEventListener("open", () => on.state(true));
  source.addEventListener("error", () => on.state(false));
  return source;
}
