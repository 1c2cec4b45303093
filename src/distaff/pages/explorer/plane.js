"use strict";
// Two latents as a plane: the map of encoded images, and a grid of what is decoded there.

const STEPS = 7; // of the grid, each way
const THUMB = 28; // pixels of an image on the map
const plane = { across: sliding[0], up: sliding[1] || sliding[0], grid: null };

function startPlane() {
  if (!sliding.length) {
    byId("map").closest("section").hidden = true; // categorical codes alone have no directions
    return;
  }
  for (const axis of ["across", "up"]) startChoice(axis);
  startMap();
  startGrid();
  listeners.push(placeMarkers, soonDrawGrid);
  addEventListener("resize", drawMap);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawMap);
}

function startChoice(axis) {
  const select = byId(axis);
  const option = ({ name, carries }, value) => made("option", { value }, `${name} (${carries})`);
  select.append(...sliding.map(option));
  select.value = sliding.indexOf(plane[axis]);
  select.addEventListener("change", () => {
    plane[axis] = sliding[select.value];
    drawMap();
    placeMarkers();
    soonDrawGrid();
  });
}

// Where a code lies on the map: 0..1 from the left and from the top.
function placeOf(code) {
  return [shareOf(plane.across, code), 1 - shareOf(plane.up, code)];
}

function shareOf({ low, high, column }, code) {
  return (code[column] - low) / (high - low);
}

// The current code, moved to a place of the map.
function codeAt([x, y]) {
  const at = ({ low, high }, share) => low + bounded(share) * (high - low);
  return moved({ [plane.up.column]: at(plane.up, 1 - y), [plane.across.column]: at(plane.across, x) });
}

function bounded(share) {
  return Math.min(Math.max(share, 0), 1);
}

// The middles of the first and last cells of the grid are the ends of the map.
function onGrid(share) {
  return (share * (STEPS - 1) + 0.5) / STEPS;
}

function offGrid(share) {
  return (share * STEPS - 0.5) / (STEPS - 1);
}

function placeMarkers() {
  const place = placeOf(state.code).map(bounded);
  placeMarker("map", place);
  placeMarker("grid", place.map(onGrid));
  const told = ({ name, column }) => `${name} at ${state.code[column].toFixed(2)}`;
  byId("at").textContent = `${told(plane.across)}, ${told(plane.up)}`;
}

function placeMarker(id, [x, y]) {
  Object.assign(byId(id).querySelector(".marker").style, { left: `${100 * x}%`, top: `${100 * y}%` });
}

// Clicks, and drags of a mouse or across by a finger, as places; up and down a finger scrolls the page.
function onPlaces(element, act) {
  const place = ({ clientX, clientY }) => {
    const box = element.getBoundingClientRect();
    return [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
  };
  element.addEventListener("click", (event) => act(place(event)));
  element.addEventListener("pointermove", (event) => event.buttons && act(place(event)));
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function onArrows(element, act) {
  element.addEventListener("keydown", (event) => {
    if (!ARROWS[event.key] || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    act(ARROWS[event.key]);
  });
}

function startMap() {
  onPlaces(byId("map"), (place) => takeImage(nearest(place)));
  onArrows(byId("map"), (arrow) => takeImage(neighbour(arrow)));
  drawMap();
}

function nearest([x, y]) {
  const apart = codes.map((code) => Math.hypot(placeOf(code)[0] - x, placeOf(code)[1] - y));
  return apart.indexOf(Math.min(...apart));
}

// The nearest image that lies in the direction of an arrow, within 45 degrees of it; the same at the edge.
function neighbour([right, down]) {
  const [x, y] = placeOf(codes[state.image]);
  let best = state.image, least = Infinity;
  codes.forEach((code, image) => {
    const [dx, dy] = [placeOf(code)[0] - x, placeOf(code)[1] - y];
    const along = right * dx + down * dy, aside = Math.abs(right * dy) + Math.abs(down * dx);
    const apart = Math.hypot(dx, dy);
    if (along > 0 && aside <= along && apart < least) [best, least] = [image, apart];
  });
  return best;
}

// Images where there is room for them, whole at the edges too, and the others as points.
function drawMap() {
  const canvas = byId("map").querySelector("canvas"), scale = devicePixelRatio || 1;
  const side = byId("map").clientWidth, context = canvas.getContext("2d"), placed = [];
  canvas.width = canvas.height = Math.round(side * scale);
  context.scale(scale, scale);
  context.imageSmoothingEnabled = false;
  for (const image of codes.keys()) {
    const [x, y] = placeOf(codes[image]).map((share) => share * side);
    const free = placed.every(([a, b]) => Math.max(Math.abs(a - x), Math.abs(b - y)) > THUMB);
    if (free) placed.push([x, y, image]);
    else drawPoint(context, x, y);
  }
  const larger = Math.max(WIDTH, HEIGHT), width = THUMB * WIDTH / larger, height = THUMB * HEIGHT / larger;
  const corner = (middle, size) => Math.min(Math.max(middle - size / 2, 0), side - size);
  for (const [x, y, image] of placed) drawImage(context, image, corner(x, width), corner(y, height), width, height);
}

function drawPoint(context, x, y) {
  context.fillStyle = colour("fill");
  context.beginPath();
  context.arc(x, y, 2.5, 0, 2 * Math.PI);
  context.fill();
}

function startGrid() {
  byId("grid").style.aspectRatio = `${WIDTH} / ${HEIGHT}`;
  onPlaces(byId("grid"), (place) => setCode(codeAt(place.map(offGrid))));
  onArrows(byId("grid"), ([right, down]) => {
    const [x, y] = placeOf(state.code);
    setCode(codeAt([x + right / (STEPS - 1), y + down / (STEPS - 1)]));
  });
  plane.context = sized(byId("grid").querySelector("canvas"), STEPS, STEPS);
}

let later = 0;

// Not while a slider still moves; and not where only the two latents of the grid have moved.
function soonDrawGrid() {
  clearTimeout(later);
  later = setTimeout(() => {
    const rest = moved({ [plane.across.column]: 0, [plane.up.column]: 0 });
    const shown = [plane.across.name, plane.up.name, ...rest].join();
    if (shown !== plane.grid) drawGrid();
    plane.grid = shown;
  }, 150);
}

function drawGrid() {
  for (let row = 0; row < STEPS; row++)
    for (let column = 0; column < STEPS; column++) {
      const code = codeAt([column / (STEPS - 1), row / (STEPS - 1)]);
      const draw = (pixels) => plane.context.putImageData(imageOf(pixels), column * WIDTH, row * HEIGHT);
      decode(`grid ${row} ${column}`, code, draw);
    }
}
