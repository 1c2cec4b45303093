"use strict";
// A slider for every latent, buttons for categorical codes, and the two large images.

const PRESETS = 10;
const OPEN = 20; // sliders that are not folded away, if they are active
const redraw = []; // what sets a control to the current code

function startSliders() {
  for (const group of data.groups) byId("sliders").append(choiceOf(group));
  const live = sliding.filter((latent) => latent.active), idle = sliding.filter((latent) => !latent.active);
  byId("sliders").append(...live.slice(0, OPEN).map(sliderOf));
  byId("sliders").append(...folded("more", live.slice(OPEN)), ...folded("inactive", idle));
  byId("presets").append(...data.images.slice(0, PRESETS).map((_, image) => presetOf(image)));
  const decoded = [sized(byId("decoded")), sized(byId("mini"))], original = sized(byId("original"));
  listeners.push(() => redraw.forEach((draw) => draw()));
  listeners.push(() => drawOriginal(original), () => drawDecoded(decoded));
  // what is decoded stays in sight, in a corner, where one has scrolled on
  new IntersectionObserver(([seen]) => (byId("mini").hidden = seen.isIntersecting)).observe(byId("decoded"));
}

function made(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function sliderOf(latent) {
  const { name, carries, low, high, column } = latent, step = (high - low) / 200;
  const slider = made("input", { type: "range", min: low, max: high, step, id: `slider-${column}` });
  const shown = made("output", { htmlFor: slider.id });
  slider.setAttribute("aria-label", `${name}, ${carries}`);
  slider.addEventListener("input", () => setCode(moved({ [column]: Number(slider.value) })));
  const band = made("i", { className: "band" });
  redraw.push(() => {
    drawBand(band, latent);
    slider.value = state.code[column];
    shown.value = state.code[column].toFixed(2);
  });
  const label = made("div", {}, made("label", { htmlFor: slider.id }, name), made("small", {}, carries));
  const track = made("div", { className: "track" }, band, slider);
  return made("div", { className: "latent" }, label, track, shown, knownOf(latent));
}

// Where the concept that was chosen has the latent: its mean and two sigmas on either side, on the slider.
function drawBand(band, { low, high, column }) {
  band.hidden = !state.concept;
  if (band.hidden) return;
  const { mean, sigma } = state.concept, share = (value) => bounded((value - low) / (high - low));
  const [from, to] = [-2, 2].map((times) => 100 * share(mean[column] + times * sigma[column]));
  Object.assign(band.style, { left: `${from}%`, width: `${to - from}%` });
}

// What the latent knows of each factor, as a bar of that length and a number.
function knownOf({ knows }) {
  return made("div", { className: "knows" }, ...knows.map(([factor, share]) => {
    const bar = made("i");
    bar.style.width = `${Math.max(4 * share, 0.2)}rem`;
    return made("span", { title: `share of the entropy of ${factor}` }, bar, `${factor} ${share.toFixed(2)}`);
  }));
}

// Nothing, or some sliders under a line that says how many they are.
function folded(kind, some) {
  const summary = `${some.length} ${kind} latent${some.length > 1 ? "s" : ""}`;
  return some.length ? [made("details", {}, made("summary", {}, summary), ...some.map(sliderOf))] : [];
}

// A categorical code: one of its values, of which the decoder takes the largest.
function choiceOf({ name, columns }) {
  const buttons = columns.map((_, value) => {
    const button = made("button", { type: "button" }, String(value));
    button.addEventListener("click", () => setCode(moved(oneHot(columns, value))));
    return button;
  });
  redraw.push(() => {
    const values = columns.map((column) => state.code[column]), chosen = values.indexOf(Math.max(...values));
    buttons.forEach((button, value) => button.setAttribute("aria-pressed", value === chosen));
  });
  const row = made("div", { className: "choices" }, `${name} `, ...buttons);
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", name);
  return row;
}

function oneHot(columns, value) {
  return Object.fromEntries(columns.map((column, place) => [column, Number(place === value)]));
}

function presetOf(image) {
  const canvas = made("canvas"), button = made("button", { type: "button", title: nameOf(image) }, canvas);
  drawImage(sized(canvas), image, 0, 0, WIDTH, HEIGHT);
  button.setAttribute("aria-label", nameOf(image));
  button.addEventListener("click", () => takeImage(image));
  redraw.push(() => button.setAttribute("aria-pressed", image === state.image));
  return button;
}

function drawOriginal(context) {
  drawImage(context, state.image, 0, 0, WIDTH, HEIGHT);
  byId("original").setAttribute("aria-label", nameOf(state.image));
  byId("told").textContent = nameOf(state.image);
}

function drawDecoded(contexts) {
  decode("decoded", state.code, (pixels) => {
    state.pixels = pixels;
    for (const context of contexts) context.putImageData(imageOf(pixels), 0, 0);
  });
}
