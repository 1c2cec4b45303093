"use strict";
// What the page knows: the run's data, the code that the sliders stand at, and the decoder in its worker.

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const [CHANNELS, HEIGHT, WIDTH] = data.shape;
const latents = data.latents; // the one that carries most first; each has its column in the code
const categorical = new Set(data.groups.flatMap((group) => group.columns));
const sliding = latents.filter((latent) => !categorical.has(latent.column));
const codes = rowsOf(new Float32Array(bytesOf("codes").buffer), data.images.length);

// image: the last whose code was taken; concept: the one that was, until an image's is
const state = { code: null, image: 0, pixels: null, concept: null };
const listeners = [];

function bytesOf(id) {
  return Uint8Array.from(atob(byId(id).textContent), (letter) => letter.charCodeAt(0));
}

function rowsOf(values, count) {
  const size = values.length / count;
  return Array.from({ length: count }, (_, row) => values.slice(row * size, (row + 1) * size));
}

function setCode(code, image = state.image) {
  state.code = Float32Array.from(code);
  state.image = image;
  for (const changed of listeners) changed();
}

function takeImage(image) {
  state.concept = null;
  setCode(codes[image], image);
}

// The current code with some columns at other values.
function moved(columns) {
  const code = state.code.slice();
  for (const [column, value] of Object.entries(columns)) code[column] = value;
  return code;
}

// The worker has one code at a time. What waits is kept by place on the page, so that a newer code replaces
// an older one; words, and then the large image, go before all others.
const source = new Blob([byId("decoder").textContent], { type: "text/javascript" });
const worker = new Worker(URL.createObjectURL(source));
const waiting = new Map();
let decoding = null;

load("images", data.layers, "weights");
if (data.words) load("symbols", data.words.layers, "symbols");
if (data.agent) load("policy", data.agent.layers, "policy");
worker.onmessage = ({ data: pixels }) => {
  decoding.done(pixels);
  decoding = null;
  decodeNext();
};

function load(network, layers, id) {
  const halves = new Uint16Array(bytesOf(id).buffer);
  worker.postMessage({ network, layers, halves }, [halves.buffer]);
}

function decode(place, code, done, network = "images") {
  waiting.set(place, { code, done, network });
  if (!decoding) decodeNext();
}

function decodeNext() {
  if (!waiting.size) return;
  const place = ["words", "decoded"].find((one) => waiting.has(one)) ?? waiting.keys().next().value;
  decoding = waiting.get(place);
  waiting.delete(place);
  worker.postMessage({ network: decoding.network, code: decoding.code });
}

// For the console: the pixels of any code, in 0..1, channels by rows by columns.
function decoded(code) {
  return new Promise((done) => decode(Symbol("asked"), Float32Array.from(code), done));
}
