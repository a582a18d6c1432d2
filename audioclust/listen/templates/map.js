// The map of all clips: one canvas has the points, another over it the names and a ring around the clip that plays.
const map = $("map"), points = $("points"), overlay = $("overlay");
const MARKERS = [...SHAPES.map(([name]) => name), NOISE_SHAPE[0]];
const painter = () => webglPainter(points, MARKERS) ?? canvasPainter(points, MARKERS);
const FAINT = 15; // opacity of a point, up to 255
const isDense = nClips > 5000; // then points let others through, and many of them are darker than few
const SOLID = isDense ? 90 : 217;
const NEAR = 12; // pixels from a point within which the pointer means it
const TOOLS = 28; // pixels above the whole map, for the buttons
const MOST_STRETCHED = 1.6;
const camera = {x: 0, y: 0, scale: 1, stretch: 1}; // what is in the middle, pixels of a unit upwards, and times as many to the right
let paint = painter();
let places = new Float32Array(0), looks = new Uint8Array(0); // of all points
let placesOf = null; // the view whose places these are
let isWhole = true; // is the whole map in sight, as at first?

const pixelSize = () => devicePixelRatio || 1;
const markerSize = () => (isDense ? 5 : 9) * pixelSize();
const isFaint = row => looks[POINT_BYTES * row + 3] === FAINT;

function drawMap() {
  const view = grouping();
  if (placesOf !== view) {
    placesOf = view;
    places = new Float32Array(2 * nClips);
    for (let row = 0; row < nClips; row++) {
      places[2 * row] = view.x[row];
      places[2 * row + 1] = view.y[row];
    }
    paint.setPlaces(places);
    showWholeMap();
  }
  looks = looksOfPoints();
  paint.setLooks(looks);
  drawFrame();
}

function looksOfPoints() {
  const {labels} = grouping(), looks = new Uint8Array(POINT_BYTES * nClips);
  const styles = new Map(clusterIds().map(c => [c, [...bytesOf(colour(styleOf(c))), MARKERS.indexOf(shape(styleOf(c))[0])]]));
  const shown = new Uint8Array(nClips);
  for (const row of shownRows) shown[row] = 1;
  for (let row = 0, at = 0; row < nClips; row++, at += POINT_BYTES) {
    const [red, green, blue, marker] = styles.get(labels[row]);
    looks[at] = red;
    looks[at + 1] = green;
    looks[at + 2] = blue;
    looks[at + 3] = shown[row] ? SOLID : FAINT;
    looks[at + 4] = marker;
  }
  return looks;
}

function bytesOf(colour) { // "#rgb" or "#rrggbb"
  const digits = colour.length === 4 ? [...colour.slice(1)].map(digit => digit + digit) : colour.match(/[^#]{2}/g);
  return digits.map(pair => parseInt(pair, 16));
}

let frameWaits = false;
function drawFrame() { // once for each picture on the screen, however often it is called
  if (frameWaits) return;
  frameWaits = true;
  requestAnimationFrame(() => {
    frameWaits = false;
    paint.draw({...camera, scale: camera.scale * pixelSize()}, markerSize(), nClips);
    drawOverlay();
  });
}
const moveRing = drawFrame;

// places on the screen, in pixels from the corner of the map
function onMap(x, y) {
  return [map.clientWidth / 2 + (x - camera.x) * camera.scale * camera.stretch, map.clientHeight / 2 - (y - camera.y) * camera.scale];
}
const placeOf = row => onMap(places[2 * row], places[2 * row + 1]);

function showWholeMap() {
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < places.length; i += 2) {
    left = Math.min(left, places[i]);
    right = Math.max(right, places[i]);
    bottom = Math.min(bottom, places[i + 1]);
    top = Math.max(top, places[i + 1]);
  }
  const fit = (pixels, span) => Math.max(1e-6, (pixels - 36) / (span || 1));
  const wide = fit(map.clientWidth, right - left), high = fit(map.clientHeight - TOOLS, top - bottom);
  camera.x = (left + right) / 2;
  camera.y = (bottom + top) / 2;
  camera.scale = Math.min(high, MOST_STRETCHED * wide); // the axes have no unit: the map may fill its place
  camera.stretch = Math.min(wide / camera.scale, MOST_STRETCHED);
  camera.y += TOOLS / 2 / camera.scale;
  isWhole = true;
  drawFrame();
}

function zoom(factor, [left, top] = [map.clientWidth / 2, map.clientHeight / 2]) { // the place under these pixels stays
  const right = left - map.clientWidth / 2, down = top - map.clientHeight / 2;
  const less = 1 / camera.scale - 1 / (camera.scale * factor);
  camera.x += right * less / camera.stretch;
  camera.y -= down * less;
  camera.scale *= factor;
  isWhole = false;
  drawFrame();
}

function pan(right, down) {
  camera.x -= right / camera.scale / camera.stretch;
  camera.y += down / camera.scale;
  isWhole = false;
  drawFrame();
}

function fitCanvases() { // the map has another size
  for (const canvas of [points, overlay]) {
    canvas.width = Math.round(map.clientWidth * pixelSize());
    canvas.height = Math.round(map.clientHeight * pixelSize());
  }
  if (isWhole) showWholeMap(); // else what was in the middle stays there
  else drawFrame();
}

// lines to the most similar clips, names, and rings
function drawOverlay() {
  const context = overlay.getContext("2d"), style = getComputedStyle(document.documentElement);
  const [front, back, lost] = ["--front", "--back", "--weak"].map(name => style.getPropertyValue(name).trim());
  context.setTransform(pixelSize(), 0, 0, pixelSize(), 0, 0);
  context.clearRect(0, 0, map.clientWidth, map.clientHeight);
  drawNeighbours(context, front, back, lost);
  drawNames(context, front, back);
  context.strokeStyle = front;
  context.lineWidth = 1.5;
  if (selected.size) strokePath(context, context => { for (const row of selected) circle(context, placeOf(row), 6) });
  if (playing >= 0) {
    for (const [colour, width] of [[back, 7], [front, 3]]) { // also on points of either colour it can be seen
      context.strokeStyle = colour;
      context.lineWidth = width;
      strokePath(context, context => circle(context, placeOf(playing), 9));
    }
  }
  context.lineWidth = 1;
  if (outline.length) strokePath(context, context => { for (const corner of outline) context.lineTo(...corner); context.closePath() });
}

const SHIFTS = [0, -20, 20]; // pixels by which a name may stand above or below its place
let namesShown = []; // boxes [left, top, right, bottom] of the names on the map

function drawNames(context, front, back) { // the largest clusters first; a name that finds no room waits until the map is larger
  context.font = "700 14px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  namesShown = [];
  for (const [cluster, text] of mapTexts()) {
    const name = text.length > 24 ? text.slice(0, 23) + "…" : text, width = context.measureText(name).width + 12;
    const box = roomFor(onMap(...grouping().clusters[cluster].at), width);
    if (!box) continue;
    namesShown.push(box);
    const [left, top] = box;
    context.globalAlpha = .85;
    context.fillStyle = back;
    context.beginPath();
    context.roundRect(left, top, width, 20, 4);
    context.fill();
    context.globalAlpha = 1;
    context.fillStyle = front;
    context.fillText(name, left + width / 2, top + 10);
  }
}

function roomFor([middle, top], width) { // a box on the map that overlaps no other name, or undefined
  if (middle < 0 || top < 0 || middle > map.clientWidth || top > map.clientHeight) return undefined;
  const left = Math.max(0, Math.min(middle - width / 2, map.clientWidth - width));
  const boxes = SHIFTS.map(shift => [left, top + shift - 10, left + width, top + shift + 10]);
  return boxes.find(box => !namesShown.some(other => overlap(box, other)));
}

const overlap = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

function circle(context, [left, top], radius) {
  context.moveTo(left + radius, top);
  context.arc(left, top, radius, 0, 2 * Math.PI);
}

function strokePath(context, trace) {
  context.beginPath();
  trace(context);
  context.stroke();
}

const MOST_NAMES = 200; // that are tried
function mapTexts() { // pairs (cluster where a text stands, text)
  const nothingChosen = chosenCluster === null && chosenGroup === null;
  if (colouredByGroup() && nothingChosen) return [...middles].map(([group, middle]) => [middle, `group ${group}`]);
  const clusters = clusterIds().filter(c => c >= 0 && target(c) === c && isChosen(c) && sizeOf([c]));
  clusters.sort((a, b) => grouping().clusters[b].size - grouping().clusters[a].size);
  return clusters.slice(0, MOST_NAMES).map(c => [c, clusterName(c).replace("cluster ", "")]);
}

// the pointer
let tool = "pan"; // or "lasso" or "box", which select
let outline = []; // of the lasso or the box that is being drawn
const pointers = new Map(); // those that are down, and where: two of them pinch
let dragged = 0; // pixels since the pointer went down

function pixelsOf(event) {
  const box = map.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

function clipAt([left, top]) { // the nearest of those that are not faint, or undefined
  let nearest, least = NEAR ** 2;
  const {scale, stretch} = camera, x = camera.x + (left - map.clientWidth / 2) / (scale * stretch);
  const y = camera.y - (top - map.clientHeight / 2) / scale;
  for (let row = 0; row < nClips; row++) {
    const squared = (((places[2 * row] - x) * stretch) ** 2 + (places[2 * row + 1] - y) ** 2) * scale ** 2;
    if (squared < least && !isFaint(row)) [nearest, least] = [row, squared];
  }
  return nearest;
}

function isInside([x, y], corners) { // of a polygon: a ray to the right meets its sides an odd number of times
  let inside = false;
  corners.forEach(([x1, y1], i) => {
    const [x2, y2] = corners[(i + 1) % corners.length];
    if ((y1 > y) !== (y2 > y) && x < x1 + (x2 - x1) * (y - y1) / (y2 - y1)) inside = !inside;
  });
  return inside;
}

function selectInside(corners) {
  for (const row of shownRows) if (isInside(placeOf(row), corners)) selected.add(row);
  drawSelected();
}

function showTip(event) {
  const row = clipAt(pixelsOf(event)), tip = $("tip");
  hear(row);
  tip.hidden = row === undefined;
  points.style.cursor = tip.hidden ? "" : "pointer";
  if (tip.hidden) return;
  const text = `${clipName(row)} · ${fullName(grouping().labels[row])}${labelText(row)} ${confidenceText(row)}`;
  tip.replaceChildren(thumbnail(row), element("div", {}, text));
  tip.style.left = Math.min(event.clientX + 14, innerWidth - 270) + "px";
  tip.style.top = Math.min(event.clientY + 14, innerHeight - 190) + "px";
}

// a clip plays while the pointer is on it, where a person asks for that
let hearsUnderPointer = false, heard, hearing; // the clip under the pointer, and the timer of its sound
function hear(row) {
  if (!hearsUnderPointer || row === heard) return;
  heard = row;
  clearTimeout(hearing);
  hearing = row === undefined ? null : setTimeout(() => play(row, $("scope").hidden), 80); // the map keeps its size
}

function switchHearing() {
  hearsUnderPointer = !hearsUnderPointer;
  heard = undefined;
  clearTimeout(hearing);
  $("hear").setAttribute("aria-pressed", hearsUnderPointer);
}

function pinch(before) { // two fingers: what was between them stays between them
  const [a, b] = [...pointers.values()], [c, d] = [...before.values()];
  const between = ([x1, y1], [x2, y2]) => [(x1 + x2) / 2, (y1 + y2) / 2], apart = ([x1, y1], [x2, y2]) => Math.hypot(x1 - x2, y1 - y2);
  const [left, top] = between(a, b), [oldLeft, oldTop] = between(c, d);
  pan(left - oldLeft, top - oldTop);
  zoom(apart(a, b) / (apart(c, d) || 1), [left, top]);
}

function drag(from, to) {
  dragged += Math.hypot(to[0] - from[0], to[1] - from[1]);
  if (tool === "pan") return pan(to[0] - from[0], to[1] - from[1]);
  if (tool === "lasso") outline.push(to);
  else outline = [outline[0], [to[0], outline[0][1]], to, [outline[0][0], to[1]]];
  drawFrame();
}

function useTool(name) {
  tool = name;
  for (const button of $("map-tools").querySelectorAll("[data-tool]")) button.setAttribute("aria-pressed", button.dataset.tool === tool);
}
