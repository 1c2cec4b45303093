"use strict";
// The concepts of a run that knows words, as codes, and how far each lets every latent move: those that it was
// taught, and what its encoder of symbols, in the worker, makes of words that are chosen one by one.

const SUREST = 4; // latents that are named
const IMAGINED = 9; // samples side by side
const concepts = { chosen: null, selects: [], context: null };

function startConcepts() {
  if (!data.concepts.length) return;
  byId("concept").append(...data.concepts.map(({ name }, place) => made("option", { value: place }, name)));
  byId("concept").append(made("option", { value: "", hidden: true }, "not one that was taught"));
  byId("concept").addEventListener("change", () => (chooseListed(), takeMean()));
  concepts.selects = data.words.attributes.map(selectOf);
  byId("words").append(...concepts.selects.map(({ label }) => label));
  byId("mean").addEventListener("click", takeMean);
  byId("sample").addEventListener("click", () => takeConcept(gaussian));
  concepts.context = sized(byId("imagined"), IMAGINED);
  chooseListed();
}

// Anything, or one of an attribute's words.
function selectOf({ name, words }) {
  const options = words.map((word) => made("option", { value: word.column }, word.name));
  const select = made("select", {}, made("option", { value: "" }, "anything"), ...options);
  select.addEventListener("change", chooseWords);
  return { select, columns: words.map(({ column }) => column), label: made("label", {}, `${name} `, select) };
}

// A concept of the list, and its words where they are chosen one by one.
function chooseListed() {
  const concept = data.concepts[byId("concept").value], said = concept.name.split(", ");
  for (const { select, columns } of concepts.selects)
    select.value = columns.find((column) => said.includes(data.words.said[column])) ?? "";
  show(concept);
}

function chooseWords() {
  const columns = concepts.selects.map(({ select }) => select.value).filter((column) => column !== "");
  const name = columns.map((column) => data.words.said[column]).join(", ") || "anything";
  const symbol = new Float32Array(data.words.size);
  for (const column of columns) symbol[column] = 1;
  const taught = data.concepts.findIndex((concept) => concept.name === name);
  byId("concept").value = taught < 0 ? "" : taught;
  decode("words", symbol, (values) => {
    const half = values.length / 2, sigma = values.slice(half).map((logvar) => Math.exp(logvar / 2));
    show({ name, mean: values.slice(0, half), sigma });
    takeMean();
  }, "symbols");
}

// Some samples of a concept, and of which latents it is surest.
function show(concept) {
  concepts.chosen = concept;
  const { name, mean, sigma } = concept;
  for (let place = 0; place < IMAGINED; place++) {
    const draw = (pixels) => concepts.context.putImageData(imageOf(pixels), place * WIDTH, 0);
    decode(`imagined ${place}`, Float32Array.from(sampled(concept, gaussian)), draw);
  }
  byId("imagined").setAttribute("aria-label", `Decoded samples of the concept: ${name}`);
  const surest = [...latents].sort((a, b) => sigma[a.column] - sigma[b.column]).slice(0, SUREST);
  const two = (value) => value.toFixed(2);
  const said = surest.map(({ name, column: j }) => `${name} at ${two(mean[j])} (${two(sigma[j])})`);
  byId("says").textContent = `${name}: the smallest sigmas are those of ${said.join(", ")}`;
}

function takeMean() {
  takeConcept(() => 0);
}

function takeConcept(noise) {
  state.concept = concepts.chosen;
  setCode(sampled(state.concept, noise));
}

function sampled({ mean, sigma }, noise) {
  return mean.map((value, column) => value + sigma[column] * noise());
}

// A standard normal number (Box and Muller 1958).
function gaussian() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
