// The noise of a sample: the numbers that Ganvas draws for a row of the table of a seed.
// Python hashes (seed, row) with BLAKE2b and seeds PyTorch's Mersenne Twister with the hash. Both are repeated here, so seed 3 gives the same picture here and there.
// Only the last digits of normal noise may differ, since logarithms and cosines are rounded differently.

// BLAKE2b (RFC 7693), of texts of up to 128 bytes

const MASK = (1n << 64n) - 1n;
const START = [0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n, 0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n];
const ROUNDS = ["0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8", "905724afe1bc683d", "2c6a0b834d75fe19", "c51fed4a0763928b", "db7ec13950f4862a", "6fe9b308c2d714a5", "a2847615fb9e3cd0", "0123456789abcdef", "ea489fd61c02b753"];
const ORDERS = ROUNDS.map((round) => [...round].map((digit) => parseInt(digit, 16))); // of the words of a block
const MIXES = [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15], [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]];
const DIGEST = 8; // bytes

const turn = (word, bits) => ((word >> BigInt(bits)) | (word << BigInt(64 - bits))) & MASK;

/** The digest of a short text, as an integer of 64 bits whose first byte is the highest. */
export function hashText(text) {
  const bytes = new Uint8Array(128), length = new TextEncoder().encodeInto(text, bytes).written;
  const words = Array.from(new BigUint64Array(bytes.buffer)); // little-endian, as all machines that browsers run on

  const state = [...START];
  state[0] ^= BigInt(0x01010000 ^ DIGEST); // one block, no key
  const v = [...state, ...START];
  v[12] ^= BigInt(length);
  v[14] ^= MASK; // the last block

  for (const order of ORDERS) {
    MIXES.forEach(([a, b, c, d], step) => {
      v[a] = (v[a] + v[b] + words[order[2 * step]]) & MASK;
      v[d] = turn(v[d] ^ v[a], 32);
      v[c] = (v[c] + v[d]) & MASK;
      v[b] = turn(v[b] ^ v[c], 24);
      v[a] = (v[a] + v[b] + words[order[2 * step + 1]]) & MASK;
      v[d] = turn(v[d] ^ v[a], 16);
      v[c] = (v[c] + v[d]) & MASK;
      v[b] = turn(v[b] ^ v[c], 63);
    });
  }
  const first = state[0] ^ v[0] ^ v[8];
  return new DataView(new BigUint64Array([first]).buffer).getBigUint64(0); // read as big-endian
}

/** `fold_in(seed, "row", row)` of Python, as far as the twister uses it: the lowest 32 bits. */
export const rowSeed = (seed, row) => Number((hashText(`(${seed}, 'row', ${row})`) >> 1n) & 0xffffffffn);

// The Mersenne Twister (Matsumoto and Nishimura 1998), and what PyTorch's generator of the CPU makes of it

const LENGTH = 624, MIDDLE = 397;

export class Twister {
  constructor(seed) {
    this.state = new Uint32Array(LENGTH);
    this.state[0] = seed;
    for (let place = 1; place < LENGTH; place++) {
      const before = this.state[place - 1];
      this.state[place] = Math.imul(1812433253, before ^ (before >>> 30)) + place;
    }
    this.next = LENGTH;
    this.kept = null; // the second of two normal numbers
  }

  renew() {
    const { state } = this;
    for (let place = 0; place < LENGTH; place++) {
      const both = (state[place] & 0x80000000) | (state[(place + 1) % LENGTH] & 0x7fffffff);
      state[place] = state[(place + MIDDLE) % LENGTH] ^ (both >>> 1) ^ (both & 1 ? 0x9908b0df : 0);
    }
    this.next = 0;
  }

  /** 32 random bits. */
  bits() {
    if (this.next === LENGTH) this.renew();
    let word = this.state[this.next++];
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  /** A number in [0, 1) with 24 bits, as a float has. */
  float() { return (this.bits() & 0xffffff) / 2 ** 24; }

  /** A number in [0, 1) with 53 bits, as a double has. */
  double() {
    const high = this.bits(), low = this.bits();
    return ((high & 0x1fffff) * 2 ** 32 + low) / 2 ** 53;
  }

  /** The same numbers once more. */
  copy() {
    const twin = new Twister(0);
    twin.state.set(this.state);
    return Object.assign(twin, { next: this.next, kept: this.kept });
  }

  /** The numbers below `count` in random order. */
  permute(count) {
    const order = Array.from({ length: count }, (_, place) => place);
    for (let place = 0; place < count - 1; place++) {
      const other = place + this.bits() % (count - place);
      [order[place], order[other]] = [order[other], order[place]];
    }
    return order;
  }

  uniform(size) { return Float32Array.from({ length: size }, () => 2 * this.float() - 1); }

  /** Standard normal numbers by Box and Muller: in blocks of 16, or of few numbers one by one. */
  normal(size) {
    if (size < 16) return Float32Array.from({ length: size }, () => this.oneNormal());
    const values = Float32Array.from({ length: size }, () => this.float());
    for (let start = 0; start + 16 <= size; start += 16) normalBlock(values, start);
    if (size % 16) { // the last block overlaps the one before, and is drawn anew
      for (let place = size - 16; place < size; place++) values[place] = this.float();
      normalBlock(values, size - 16);
    }
    return values;
  }

  oneNormal() {
    if (this.kept !== null) {
      const value = this.kept;
      this.kept = null;
      return value;
    }
    const angle = 2 * Math.PI * this.double(), radius = Math.sqrt(-2 * Math.log1p(-this.double()));
    this.kept = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}

function normalBlock(values, start) {
  for (let place = start; place < start + 8; place++) {
    const radius = Math.sqrt(-2 * Math.log(1 - values[place])), angle = 2 * Math.PI * values[place + 8];
    values[place] = radius * Math.cos(angle);
    values[place + 8] = radius * Math.sin(angle);
  }
}

/** The noise of a row: a Float32Array for each draw. `draws`: [{kind: "normal" | "uniform", size}], in the order of drawing. */
export function drawRow(seed, row, draws) {
  const random = new Twister(rowSeed(seed, row));
  return draws.map(({ kind, size }) => random[kind](size));
}
