"use strict";
// Pixels on canvases: what is decoded, and images of the data set, which lie side by side on one sheet.

const sheet = byId("sheet");

function sized(canvas, columns = 1, rows = 1) {
  canvas.width = columns * WIDTH;
  canvas.height = rows * HEIGHT;
  return canvas.getContext("2d");
}

// Pixels (C, H, W) in 0..1 as what a canvas takes, which rounds them itself.
function imageOf(pixels) {
  const made = new ImageData(WIDTH, HEIGHT), size = WIDTH * HEIGHT;
  for (let i = 0; i < size; i++) {
    for (let c = 0; c < 3; c++) made.data[4 * i + c] = 255 * pixels[Math.min(c, CHANNELS - 1) * size + i];
    made.data[4 * i + 3] = 255;
  }
  return made;
}

function drawImage(context, image, x, y, width, height) {
  const column = image % data.columns, row = Math.floor(image / data.columns);
  context.drawImage(sheet, column * WIDTH, row * HEIGHT, WIDTH, HEIGHT, x, y, width, height);
}

function nameOf(image) {
  const { number, told } = data.images[image];
  return `image ${number}${told && `: ${told}`}`;
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
