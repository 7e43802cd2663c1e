// The easel: a photo with its hole over it, zoomed, and the brush that paints the hole.

import { h } from "../../dom.js";
import { t } from "../../texts.js";

const [SMALLEST_BRUSH, LARGEST_BRUSH] = [4, 300]; // diameter on the screen, in CSS pixels
const MOST_ZOOM = 32;
const STEP = 1.2; // of the wheel and of [ and ]

/**
 * `told.begins()` is called before a stroke, `told.painted()` after it, `told.brush()` when the brush changes, `told.zoomed()` when the zoom does.
 * One finger, the pen or the mouse paint; two fingers or the middle button move the photo.
 */
export function makeEasel(told) {
  const picture = h("canvas", {}), hole = h("canvas", { class: "hole" });
  const ring = h("div", { class: "ring", hidden: true });
  const board = h("div", { class: "board" }, picture, hole, ring);
  const scroll = h("div", { class: "easel-scroll" }, board);
  const element = h("div", { class: "easel", tabindex: 0, role: "application", "aria-label": t("paint.easel") }, scroll);
  const brush = { size: 40, erase: false };
  const pointers = new Map(); // those that are down
  let photo = null, zoom = 1, fit = 1, stroke = null, at = [0, 0], keyboard = false, locked = false;

  // What is seen
  function show(canvas) {
    picture.width = canvas.width;
    picture.height = canvas.height;
    picture.getContext("2d").drawImage(canvas, 0, 0);
  }
  function drawHole(part = { left: 0, top: 0, width: hole.width, height: hole.height }) {
    if (part.width <= 0 || part.height <= 0) return;
    const image = new ImageData(part.width, part.height), pixels = new Uint32Array(image.data.buffer);
    for (let y = 0; y < part.height; y++) {
      for (let x = 0; x < part.width; x++) {
        const place = (part.top + y) * hole.width + part.left + x;
        if (photo.mask.values[place]) pixels[y * part.width + x] = 0xff1e50c8; // the accent, #c8501e, as ABGR
      }
    }
    hole.getContext("2d").putImageData(image, part.left, part.top);
  }
  /** What is under the point of the screen, by default the middle of the easel, stays there. */
  function setZoom(next, point = null) {
    const frame = scroll.getBoundingClientRect(), box = board.getBoundingClientRect();
    const [x, y] = point ?? [frame.x + frame.width / 2, frame.y + frame.height / 2];
    const [left, top] = [(x - box.x) / zoom, (y - box.y) / zoom];
    zoom = Math.min(MOST_ZOOM, Math.max(Math.min(fit, 1) / 2, next));
    board.style.width = `${photo.canvas.width * zoom}px`;
    board.style.height = `${photo.canvas.height * zoom}px`;
    const moved = board.getBoundingClientRect();
    scroll.scrollLeft += moved.x + left * zoom - x;
    scroll.scrollTop += moved.y + top * zoom - y;
    picture.classList.toggle("pixel", zoom >= 2);
    drawRing();
    told.zoomed(zoom);
  }
  function fitZoom() {
    if (!photo) return;
    const room = Math.min((scroll.clientWidth - 2) / photo.canvas.width, (scroll.clientHeight - 2) / photo.canvas.height);
    fit = room > 2 ? Math.floor(room) : room; // whole pixels for small photos
    setZoom(fit);
  }
  function drawRing() {
    ring.hidden = locked || !photo || !(keyboard || pointers.size || hovering);
    ring.classList.toggle("erase", brush.erase);
    for (const [name, value] of [["width", brush.size], ["height", brush.size], ["left", at[0] * zoom], ["top", at[1] * zoom]]) ring.style[name] = `${value}px`;
  }
  let hovering = false;

  // Strokes
  const place = (event) => {
    const box = hole.getBoundingClientRect();
    return [(event.clientX - box.left) / zoom, (event.clientY - box.top) / zoom];
  };
  const paint = (from, to) => drawHole(photo.mask.stroke(from, to, brush.size / 2 / zoom, stroke?.erase ?? brush.erase ? 0 : 1));

  scroll.addEventListener("pointerdown", (event) => {
    if (!photo || locked) return;
    if (event.offsetX > scroll.clientWidth && event.target === scroll) return; // the scroll bar
    keyboard = false;
    pointers.set(event.pointerId, event);
    scroll.setPointerCapture(event.pointerId);
    if (pointers.size === 2 && stroke) { // a second finger: it was no stroke
      photo.mask.undo();
      drawHole();
      stroke = null;
      return;
    }
    if (pointers.size > 1 || event.button === 1) { event.preventDefault(); return; }
    if (event.button !== 0 && event.button !== 5) return;
    event.preventDefault();
    element.focus({ preventScroll: true });
    told.begins();
    photo.mask.remember();
    stroke = { id: event.pointerId, erase: brush.erase || event.button === 5 }; // 5: the eraser of a pen
    at = place(event);
    paint(at, at);
    drawRing();
  });
  scroll.addEventListener("pointermove", (event) => {
    if (!photo) return;
    if (stroke?.id === event.pointerId) {
      const steps = event.getCoalescedEvents?.() ?? [];
      for (const step of steps.length ? steps : [event]) {
        const next = place(step);
        paint(at, next);
        at = next;
      }
    } else if (pointers.has(event.pointerId)) {
      const before = pointers.get(event.pointerId);
      scroll.scrollLeft -= (event.clientX - before.clientX) / pointers.size;
      scroll.scrollTop -= (event.clientY - before.clientY) / pointers.size;
      pointers.set(event.pointerId, event);
    }
    if (!stroke || stroke.id === event.pointerId) at = place(event);
    hovering = event.pointerType !== "touch";
    drawRing();
  });
  const lift = (event) => {
    pointers.delete(event.pointerId);
    if (stroke?.id === event.pointerId) { stroke = null; told.painted(); }
    drawRing();
  };
  scroll.addEventListener("pointerup", lift);
  scroll.addEventListener("pointercancel", lift);
  scroll.addEventListener("pointerleave", () => { hovering = false; drawRing(); });
  scroll.addEventListener("wheel", (event) => {
    if (!photo || locked) return;
    event.preventDefault();
    const factor = event.deltaY < 0 ? STEP : 1 / STEP;
    if (event.ctrlKey || event.metaKey) setZoom(zoom * factor, [event.clientX, event.clientY]);
    else setBrush({ size: brush.size * factor });
  }, { passive: false });

  // By keys, while the easel has the focus: arrows move the brush, Enter paints, Shift and arrows paint on the way.
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  element.addEventListener("keydown", (event) => {
    if (!photo || locked || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (!arrow && event.key !== "Enter") return;
    event.preventDefault();
    if (!keyboard && !hovering) at = [photo.canvas.width / 2, photo.canvas.height / 2];
    keyboard = true;
    const before = at, length = Math.max(1, brush.size / 4 / zoom);
    if (arrow) at = [Math.min(photo.canvas.width, Math.max(0, at[0] + arrow[0] * length)), Math.min(photo.canvas.height, Math.max(0, at[1] + arrow[1] * length))];
    if (!arrow || event.shiftKey) {
      told.begins();
      photo.mask.remember();
      paint(before, at);
      told.painted();
    }
    drawRing();
    ring.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
  element.addEventListener("blur", () => { keyboard = false; drawRing(); });

  function setBrush(next) {
    Object.assign(brush, next);
    brush.size = Math.round(Math.min(LARGEST_BRUSH, Math.max(SMALLEST_BRUSH, brush.size)));
    drawRing();
    told.brush(brush);
  }

  const resized = new ResizeObserver(() => { if (photo && zoom === fit) fitZoom(); });
  resized.observe(scroll);

  return {
    element, brush, setBrush, fitZoom, smaller: () => setBrush({ size: brush.size / STEP }), larger: () => setBrush({ size: brush.size * STEP }),
    zoomBy: (factor) => setZoom(zoom * factor),
    /** Another photo, with its mask. */
    open(next) {
      photo = next;
      hole.width = photo.canvas.width;
      hole.height = photo.canvas.height;
      show(photo.canvas);
      drawHole();
      at = [photo.canvas.width / 2, photo.canvas.height / 2];
      fitZoom();
    },
    /** Show a canvas in the photo's place, with the hole over it or without; `lock`: nothing can be painted. */
    show(canvas, withHole) { show(canvas); hole.hidden = !withHole; },
    lock(on) { locked = on; element.classList.toggle("locked", on); drawRing(); },
    redraw: () => drawHole(),
    stop: () => resized.disconnect(),
  };
}
