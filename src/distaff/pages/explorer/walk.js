"use strict";
// A walk between two codes: images on the straight line, and a slider along it.

const STOPS = 9;
const other = Math.min(1, codes.length - 1); // than the image that the page starts with
const walk = { from: codes[0], to: codes[other], names: [nameOf(0), nameOf(other)] };

function startWalk() {
  walk.context = sized(byId("walked"), STOPS);
  byId("from").addEventListener("click", () => setEnds(state.code, walk.to, [nameNow(), walk.names[1]]));
  byId("to").addEventListener("click", () => setEnds(walk.from, state.code, [walk.names[0], nameNow()]));
  byId("swap").addEventListener("click", () => setEnds(walk.to, walk.from, walk.names.toReversed()));
  byId("way").addEventListener("input", () => setCode(codeOn(Number(byId("way").value))));
  byId("walked").addEventListener("click", (event) => goTo(event.offsetX / byId("walked").clientWidth));
  setEnds(walk.from, walk.to, walk.names);
}

function setEnds(from, to, names) {
  Object.assign(walk, { from, to, names });
  byId("ends").textContent = `From ${names[0]}, to ${names[1]}`;
  byId("way").value = 0;
  for (let stop = 0; stop < STOPS; stop++) {
    const draw = (pixels) => walk.context.putImageData(imageOf(pixels), stop * WIDTH, 0);
    decode(`walk ${stop}`, codeOn(stop / (STOPS - 1)), draw);
  }
}

function nameNow() {
  const own = codes[state.image].every((value, column) => value === state.code[column]);
  return own ? nameOf(state.image) : "a code of the sliders";
}

function codeOn(share) {
  return walk.from.map((value, column) => (1 - share) * value + share * walk.to[column]);
}

function goTo(place) {
  const share = Math.min(Math.floor(place * STOPS), STOPS - 1) / (STOPS - 1);
  byId("way").value = share;
  setCode(codeOn(share));
}
