"use strict";
// The concepts that a run of SCAN was taught, as codes, and how far each lets every latent move.

const SUREST = 4; // latents that are named

function startConcepts() {
  if (!data.concepts.length) return;
  byId("concept").append(...data.concepts.map(({ name }, place) => made("option", { value: place }, name)));
  byId("concept").addEventListener("change", () => takeConcept(() => 0));
  byId("mean").addEventListener("click", () => takeConcept(() => 0));
  byId("sample").addEventListener("click", () => takeConcept(gaussian));
}

function takeConcept(noise) {
  state.concept = data.concepts[byId("concept").value];
  const { name, mean, sigma } = state.concept;
  setCode(mean.map((value, column) => value + sigma[column] * noise()));
  const surest = [...latents].sort((a, b) => sigma[a.column] - sigma[b.column]).slice(0, SUREST);
  const two = (value) => value.toFixed(2);
  const said = surest.map(({ name, column: j }) => `${name} at ${two(mean[j])} (${two(sigma[j])})`);
  byId("says").textContent = `${name}: the smallest sigmas are those of ${said.join(", ")}`;
}

// A standard normal number (Box and Muller 1958).
function gaussian() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
