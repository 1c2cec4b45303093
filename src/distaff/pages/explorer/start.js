"use strict";
// The start of the page, once its images are there.

sheet.decode().then(() => {
  startSliders();
  startPlane();
  startWalk();
  startConcepts();
  startActing();
  takeImage(0);
});
