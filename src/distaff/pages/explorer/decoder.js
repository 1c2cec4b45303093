"use strict";
// The worker: the networks of the page, layer by layer on typed arrays. What is between two layers is
// {values, shape}; images are channels, rows, columns, as in PyTorch, whose layers these are.

let networks = {};

// A layer is {op, ...its numbers, weights}; what each does is below, by the name that layers.py gives it.
const OPS = {
  linear, up, down, norm, relu, tanh, sigmoid, clamp, same, flatten, reshape, crop, pad, zeros, largest,
  interact, experts,
};

onmessage = ({ data }) => {
  if (data.layers) load(data);
  else postMessage(run(networks[data.network], data.code).values);
};

function load({ network, layers, halves }) {
  let start = 0;
  networks[network] = layers.map((layer) => {
    const next = (length) => Float32Array.from(halves.subarray(start, (start += length)), fromHalf);
    return { ...layer, weights: layer.lengths.map(next) };
  });
}

function run(layers, code) {
  const inputs = { values: code, shape: [code.length] };
  return layers.reduce((before, layer) => OPS[layer.op](before, layer), inputs);
}

// The number of 16 bits: sign, 5 of exponent, 10 of fraction. Infinities are never written.
function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  return exponent ? sign * (1 + fraction / 1024) * 2 ** (exponent - 15) : sign * fraction * 2 ** -24;
}

function linear({ values }, { inputs, outputs, weights: [weight, bias] }) {
  const made = new Float32Array(outputs);
  for (let o = 0, at = 0; o < outputs; o++) {
    let sum = bias[o];
    for (let i = 0; i < inputs; i++) sum += weight[at++] * values[i];
    made[o] = sum;
  }
  return { values: made, shape: [outputs] };
}

// A 4x4 transposed convolution of stride 2 and padding 1: pixel (y, x) adds to the 4x4 from (2y-1, 2x-1) on.
function up({ values, shape: [channels, height, width] }, { outputs, weights: [weight, bias] }) {
  const size = height * width, made = planes(bias, outputs, 4 * size);
  for (let c = 0; c < channels; c++)
    for (let o = 0; o < outputs; o++) {
      const from = plane(values, c, size), to = plane(made, o, 4 * size), at = (c * outputs + o) * 16;
      for (let tap = 0; tap < 16; tap++) spread(from, to, weight[at + tap], tap, height, width);
    }
  return { values: made, shape: [outputs, 2 * height, 2 * width] };
}

function spread(from, to, weight, tap, height, width) {
  const down = (tap >> 2) - 1, right = (tap & 3) - 1;
  for (let y = first(down); y < end(down, height); y++) {
    const row = y * width, target = (2 * y + down) * 2 * width + right;
    for (let x = first(right); x < end(right, width); x++) to[target + 2 * x] += weight * from[row + x];
  }
}

// A 4x4 convolution of stride 2 and padding 1: place (y, x) sums the 4x4 from (2y-1, 2x-1) on.
function down({ values, shape: [channels, rows, columns] }, { outputs, weights: [weight, bias] }) {
  const height = rows >> 1, width = columns >> 1, size = height * width, made = planes(bias, outputs, size);
  for (let o = 0; o < outputs; o++)
    for (let c = 0; c < channels; c++) {
      const from = plane(values, c, 4 * size), to = plane(made, o, size), at = (o * channels + c) * 16;
      for (let tap = 0; tap < 16; tap++) gather(from, to, weight[at + tap], tap, height, width);
    }
  return { values: made, shape: [outputs, height, width] };
}

function gather(from, to, weight, tap, height, width) {
  const down = (tap >> 2) - 1, right = (tap & 3) - 1;
  for (let y = first(down); y < end(down, height); y++) {
    const row = y * width, source = (2 * y + down) * 2 * width + right;
    for (let x = first(right); x < end(right, width); x++) to[row + x] += weight * from[source + 2 * x];
  }
}

// From which place p, and before which, 2p + shift lies in 0..2 * count - 1, for a shift of -1 to 2.
function first(shift) {
  return shift < 0 ? 1 : 0;
}

function end(shift, count) {
  return shift > 1 ? count - 1 : count;
}

function plane(values, number, size) {
  return values.subarray(number * size, (number + 1) * size);
}

function planes(bias, outputs, size) {
  const made = new Float32Array(outputs * size);
  for (let o = 0; o < outputs; o++) made.fill(bias[o], o * size, (o + 1) * size);
  return made;
}

// Normalised over each group of channels of the one image, then a scale and a shift for each channel.
function norm({ values, shape }, { groups, channels, eps, weights: [scale, shift] }) {
  const made = new Float32Array(values.length);
  const length = values.length / groups, each = values.length / channels;
  for (let start = 0; start < values.length; start += length) {
    const group = values.subarray(start, start + length);
    const mean = group.reduce((sum, value) => sum + value, 0) / length;
    const variance = group.reduce((sum, value) => sum + (value - mean) ** 2, 0) / length;
    for (let i = start; i < start + length; i++) {
      const channel = Math.floor(i / each);
      made[i] = ((values[i] - mean) / Math.sqrt(variance + eps)) * scale[channel] + shift[channel];
    }
  }
  return { values: made, shape };
}

function relu({ values, shape }) {
  return { values: values.map((value) => Math.max(value, 0)), shape };
}

function tanh({ values, shape }) {
  return { values: values.map(Math.tanh), shape };
}

function sigmoid({ values, shape }) {
  return { values: values.map((value) => 1 / (1 + Math.exp(-value))), shape };
}

function clamp({ values, shape }, { low, high }) {
  return { values: values.map((value) => Math.min(Math.max(value, low), high)), shape };
}

function same(inputs) {
  return inputs;
}

function flatten({ values }) {
  return { values, shape: [values.length] };
}

function reshape({ values }, { shape }) {
  return { values, shape };
}

// The top left part of a given height and width.
function crop(inputs, { height, width }) {
  return framed(inputs, height, width, 0, 0);
}

function pad(inputs, { left, right, top, bottom }) {
  const [, height, width] = inputs.shape;
  return framed(inputs, top + height + bottom, left + width + right, top, left);
}

// Images in a frame of another size, zero where there is none: their first pixel comes to (top, left).
function framed({ values, shape: [channels, rows, columns] }, height, width, top, left) {
  const made = new Float32Array(channels * height * width);
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < Math.min(rows, height - top); y++) {
      const row = plane(values, c * rows + y, columns).subarray(0, width - left);
      made.set(row, (c * height + y + top) * width + left);
    }
  return { values: made, shape: [channels, height, width] };
}

function zeros({ values }, { before, after }) {
  const made = new Float32Array(before + values.length + after);
  made.set(values, before);
  return { values: made, shape: [made.length] };
}

// Each categorical code is 1 at its largest column, the first where several are, and 0 elsewhere.
function largest({ values, shape }, { codes, categories }) {
  const made = values.slice();
  for (let start = 0; start < codes * categories; start += categories) {
    const code = values.subarray(start, start + categories);
    made.fill(0, start, start + categories)[start + code.indexOf(Math.max(...code))] = 1;
  }
  return { values: made, shape };
}

// Pixels from two groups of units, those of h first: by factors, each a sum over h times one over m, and by
// every unit alone.
function interact({ values }, { h, factors, pixels, weights: [ofH, ofM, ofV, bias, pairs] }) {
  const one = through(values.subarray(0, h), ofH, factors), other = through(values.subarray(h), ofM, factors);
  const triples = through(one.map((value, factor) => value * other[factor]), ofV, pixels, bias);
  return { values: through(values, pairs, pixels, triples), shape: [pixels] };
}

// N(0, 1) times a Gaussian for each word that is said: means of all latents, then logarithms of variances.
function experts({ values: said }, { latents, weights: [means, logvars] }) {
  const made = new Float32Array(2 * latents);
  for (let latent = 0; latent < latents; latent++) {
    let precision = 1, pull = 0;
    for (let word = 0, at = latent; word < said.length; word++, at += latents) {
      const own = said[word] * Math.exp(-logvars[at]);
      precision += own;
      pull += own * means[at];
    }
    made[latent] = pull / precision;
    made[latents + latent] = -Math.log(precision);
  }
  return { values: made, shape: [2 * latents] };
}

function through(values, weight, outputs, bias = new Float32Array(outputs)) {
  return linear({ values }, { inputs: values.length, outputs, weights: [weight, bias] }).values;
}
