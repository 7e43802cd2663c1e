// The hole in a photo: one value a pixel, painted by strokes, with undo. No elements, no requests.

const MOST_STEPS = 40; // of undo

export class Mask {
  constructor(width, height, values = new Uint8Array(width * height)) {
    this.width = width;
    this.height = height;
    this.values = values; // 1: hole
    this.past = [];
  }

  /** Remember the mask as it is, before it is changed. */
  remember() {
    this.past.push(this.values.slice());
    if (this.past.length > MOST_STEPS) this.past.shift();
  }
  undo() { if (this.past.length) this.values = this.past.pop(); }

  /** A stroke from one point to another, in pixels of the photo: all pixels whose centre is nearer than `radius`. */
  stroke([x0, y0], [x1, y1], radius, value) {
    const reach = Math.max(radius, 0.71); // the pixel under a thin brush at least
    const left = Math.max(0, Math.floor(Math.min(x0, x1) - reach)), right = Math.min(this.width - 1, Math.ceil(Math.max(x0, x1) + reach));
    const top = Math.max(0, Math.floor(Math.min(y0, y1) - reach)), bottom = Math.min(this.height - 1, Math.ceil(Math.max(y0, y1) + reach));
    const dx = x1 - x0, dy = y1 - y0, length = dx * dx + dy * dy;
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const px = x + 0.5 - x0, py = y + 0.5 - y0;
        const share = length ? Math.min(1, Math.max(0, (px * dx + py * dy) / length)) : 0;
        const awayX = px - share * dx, awayY = py - share * dy;
        if (awayX * awayX + awayY * awayY <= reach * reach) this.values[y * this.width + x] = value;
      }
    }
    return { left, top, width: right - left + 1, height: bottom - top + 1 };
  }

  invert() { this.remember(); this.values = this.values.map((value) => 1 - value); }
  clear() { this.remember(); this.values = new Uint8Array(this.values.length); }

  /** {share of the photo, longest side of the box around the hole in pixels} */
  measure() {
    let count = 0, left = this.width, right = -1, top = this.height, bottom = -1;
    for (let place = 0; place < this.values.length; place++) {
      if (!this.values[place]) continue;
      count++;
      const x = place % this.width, y = (place - x) / this.width;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
    }
    return { share: count / this.values.length, longest: count ? Math.max(right - left, bottom - top) + 1 : 0 };
  }
}
