// The networks of both games: two hidden layers of 64 units, with their gradients and their optimizer.
// A batch is a Float64Array of rows. All numbers are float64; Python's game trains in float32.

export const WIDTH = 64; // of both hidden layers
const LEAK = 0.2; // slope of the leaky rectifier below 0

/** C[i, j] = the product of row i of A (rows x length) and row j of B (columns x length). Two rows by four columns at a time. */
function multiply(a, rows, b, columns, length, c) {
  for (let i = 0; i < rows; i += 2) {
    const first = i * length, second = i + 1 < rows ? first + length : first; // the last of an odd number stands alone
    for (let j = 0; j < columns; j += 4) {
      const b0 = j * length, b1 = b0 + length, b2 = b1 + length, b3 = b2 + length;
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0, t0 = 0, t1 = 0, t2 = 0, t3 = 0;
      for (let k = 0; k < length; k++) {
        const x = a[first + k], y = a[second + k], p = b[b0 + k], q = b[b1 + k], r = b[b2 + k], s = b[b3 + k];
        s0 += x * p; s1 += x * q; s2 += x * r; s3 += x * s;
        t0 += y * p; t1 += y * q; t2 += y * r; t3 += y * s;
      }
      const at = i * columns + j, under = at + columns;
      c[at] = s0; c[at + 1] = s1; c[at + 2] = s2; c[at + 3] = s3;
      if (second === first) continue;
      c[under] = t0; c[under + 1] = t1; c[under + 2] = t2; c[under + 3] = t3;
    }
  }
  return c;
}

/** The transpose of a matrix (rows x columns). */
function transpose(a, rows, columns) {
  const turned = new Float64Array(a.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) turned[j * rows + i] = a[i * columns + j];
  return turned;
}

const hidden = (rows) => new Float64Array(rows * WIDTH);

/** The parts of a network's parameters: of each layer the weights, (outputs x inputs), and the biases. */
const shapesOf = (inputs, outputs) => [["w1", WIDTH * inputs], ["b1", WIDTH], ["w2", WIDTH * WIDTH], ["b2", WIDTH], ["w3", outputs * WIDTH], ["b3", outputs]];

function split(flat, inputs, outputs) {
  const parts = {};
  let at = 0;
  for (const [name, size] of shapesOf(inputs, outputs)) { parts[name] = flat.subarray(at, at + size); at += size; }
  if (at !== flat.length) throw new Error(`${flat.length} weights, not ${at}`);
  return parts;
}

/** A network with its gradients. */
export class Network {
  /** weights: in the order of the layers, numbers; smooth: tanh, otherwise the leaky rectifier. */
  constructor(weights, inputs, outputs, smooth) {
    Object.assign(this, { inputs, outputs, smooth });
    this.flat = Float64Array.from(weights);
    this.gradient = new Float64Array(this.flat.length);
    this.own = split(this.flat, inputs, outputs);
    this.grads = split(this.gradient, inputs, outputs);
  }

  /** The outputs of points (rows x inputs), and what the gradients need of the way there. */
  forward(x, rows) {
    const { inputs, outputs, own: { w1, b1, w2, b2, w3, b3 } } = this;
    const one = { h: hidden(rows), f: hidden(rows) }, two = { h: hidden(rows), f: hidden(rows) }; // activations and their slopes
    const h1 = one.h, h2 = two.h;
    for (let n = 0; n < rows; n++) {
      for (let j = 0; j < WIDTH; j++) {
        let sum = b1[j];
        for (let i = 0; i < inputs; i++) sum += x[n * inputs + i] * w1[j * inputs + i];
        h1[n * WIDTH + j] = sum;
      }
    }
    this.activate(one);
    multiply(h1, rows, w2, WIDTH, WIDTH, h2);
    for (let n = 0; n < rows; n++) for (let j = 0; j < WIDTH; j++) h2[n * WIDTH + j] += b2[j];
    this.activate(two);

    const out = new Float64Array(rows * outputs);
    for (let n = 0; n < rows; n++) {
      for (let o = 0; o < outputs; o++) {
        let sum = b3[o];
        for (let j = 0; j < WIDTH; j++) sum += h2[n * WIDTH + j] * w3[o * WIDTH + j];
        out[n * outputs + o] = sum;
      }
    }
    return { x, rows, one, two, out };
  }

  activate({ h, f }) {
    for (let i = 0; i < h.length; i++) {
      if (this.smooth) { h[i] = Math.tanh(h[i]); f[i] = 1 - h[i] * h[i]; } else { f[i] = h[i] > 0 ? 1 : LEAK; h[i] *= f[i]; }
    }
  }

  /** Gradients by the outputs (rows x outputs) are passed back: added to those of the weights, and returned for the inputs. */
  backward(way, byOut, { weights = true, extra = null } = {}) {
    const { inputs, outputs, own, grads } = this, { x, rows, one, two } = way;
    const a2 = hidden(rows); // by what goes into the second layer's activations
    for (let n = 0; n < rows; n++) {
      for (let j = 0; j < WIDTH; j++) {
        const at = n * WIDTH + j;
        let sum = 0;
        for (let o = 0; o < outputs; o++) {
          sum += byOut[n * outputs + o] * own.w3[o * WIDTH + j];
          if (weights) grads.w3[o * WIDTH + j] += byOut[n * outputs + o] * two.h[at];
        }
        a2[at] = sum * two.f[at] + (extra ? extra.two[at] * this.bend(two, at) : 0);
        if (weights) grads.b2[j] += a2[at];
      }
      if (weights) for (let o = 0; o < outputs; o++) grads.b3[o] += byOut[n * outputs + o];
    }
    if (weights) this.addProduct(a2, one.h, rows);

    const a1 = multiply(a2, rows, transpose(own.w2, WIDTH, WIDTH), WIDTH, WIDTH, hidden(rows)), byX = new Float64Array(rows * inputs);
    for (let n = 0; n < rows; n++) {
      for (let j = 0; j < WIDTH; j++) {
        const at = n * WIDTH + j, value = a1[at] * one.f[at] + (extra ? extra.one[at] * this.bend(one, at) : 0);
        if (weights) grads.b1[j] += value;
        for (let i = 0; i < inputs; i++) {
          byX[n * inputs + i] += value * own.w1[j * inputs + i];
          if (weights) grads.w1[j * inputs + i] += value * x[n * inputs + i];
        }
      }
    }
    return byX;
  }

  /** The second derivative of an activation: of tanh −2 h (1 − h²), of the leaky rectifier 0. */
  bend(layer, at) { return this.smooth ? -2 * layer.h[at] * layer.f[at] : 0; }

  /** Add the sum over rows of a (rows x 64) times b (rows x 64) to the gradient of the second layer's weights. */
  addProduct(a, b, rows) {
    const product = multiply(transpose(a, rows, WIDTH), WIDTH, transpose(b, rows, WIDTH), WIDTH, rows, new Float64Array(WIDTH * WIDTH));
    for (let i = 0; i < product.length; i++) this.grads.w2[i] += product[i];
  }

  /**
   * Add the gradient of weight * mean |slope of the one output by the input|², the penalty R1 + R2.
   * Returns what `backward` needs as `extra`, since the slopes depend on the activations too.
   */
  addPenalty(way, weight) {
    const { inputs, own, grads } = this, { rows, one, two } = way;
    const v2 = hidden(rows); // the slope of the output by each unit, from the last layer back
    for (let at = 0; at < v2.length; at++) v2[at] = own.w3[at % WIDTH] * two.f[at];
    const u1 = multiply(v2, rows, transpose(own.w2, WIDTH, WIDTH), WIDTH, WIDTH, hidden(rows));

    const byU1 = hidden(rows), extra = { one: hidden(rows), two: hidden(rows) };
    for (let n = 0; n < rows; n++) {
      for (let i = 0; i < inputs; i++) {
        let slope = 0;
        for (let j = 0; j < WIDTH; j++) slope += u1[n * WIDTH + j] * one.f[n * WIDTH + j] * own.w1[j * inputs + i];
        const bySlope = 2 * weight / rows * slope;
        for (let j = 0; j < WIDTH; j++) {
          const at = n * WIDTH + j;
          grads.w1[j * inputs + i] += u1[at] * one.f[at] * bySlope;
          byU1[at] += bySlope * own.w1[j * inputs + i] * one.f[at];
          extra.one[at] += bySlope * own.w1[j * inputs + i] * u1[at];
        }
      }
    }
    this.addProduct(v2, byU1, rows);
    const byV2 = multiply(byU1, rows, own.w2, WIDTH, WIDTH, hidden(rows));
    for (let at = 0; at < byV2.length; at++) {
      grads.w3[at % WIDTH] += byV2[at] * two.f[at];
      extra.two[at] = byV2[at] * own.w3[at % WIDTH];
    }
    return extra;
  }
}

const DECAY = 0.9, TINY = 1e-8; // the second beta of Adam, and its epsilon; the first beta is 0: no momentum

/** Adam without momentum. */
export class Optimizer {
  constructor(network, rate) {
    Object.assign(this, { network, rate, usual: rate, steps: 0 });
    this.squares = new Float64Array(network.flat.length);
  }

  /** One step along the gradients, which are 0 afterwards. */
  step() {
    const { network: { flat, gradient }, squares } = this;
    const root = Math.sqrt(1 - DECAY ** ++this.steps);
    for (let i = 0; i < flat.length; i++) {
      squares[i] = DECAY * squares[i] + (1 - DECAY) * gradient[i] * gradient[i];
      flat[i] -= this.rate * gradient[i] / (Math.sqrt(squares[i]) / root + TINY);
    }
    gradient.fill(0);
  }
}
