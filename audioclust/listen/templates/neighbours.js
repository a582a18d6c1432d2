// Lines on the map from the clip that plays to those that are most like it, which the map may have put elsewhere.
const NEIGHBOURS = 8;
const LOST_BEYOND = Math.max(5 * NEIGHBOURS, nClips / 20); // so many clips are nearer on the map than one that it has lost
let neighboursOf = {row: -1, view: null, near: [], lost: new Set()}; // the clip that plays, its neighbours, and which are lost

function squaredFrom(row, values, dims) { // squared distances of all clips to one; it counts as far from itself
  const squared = new Float64Array(nClips);
  for (let other = 0, at = 0; other < nClips; other++) {
    let sum = 0;
    for (let i = row * dims; i < (row + 1) * dims; i++, at++) sum += (values[at] - values[i]) ** 2;
    squared[other] = sum;
  }
  squared[row] = Infinity;
  return squared;
}

function leastOf(squared, n) { // the n rows with the least of these, the nearest first
  const rows = [];
  for (let row = 0; row < squared.length; row++) {
    if (rows.length === n && squared[row] >= squared[rows[n - 1]]) continue;
    let at = rows.length;
    while (at > 0 && squared[rows[at - 1]] > squared[row]) at--;
    rows.splice(at, 0, row);
    rows.length = Math.min(rows.length, n);
  }
  return rows.filter(row => squared[row] < Infinity);
}

function isLost(neighbour, onTheMap) { // are many clips nearer on the map?
  let nNearer = 0;
  for (const squared of onTheMap) if (squared < onTheMap[neighbour]) nNearer++;
  return nNearer >= LOST_BEYOND;
}

function findNeighbours(row) {
  const view = grouping();
  if (neighboursOf.row === row && neighboursOf.view === view) return neighboursOf;
  neighboursOf = {row, view, near: [], lost: new Set()};
  if (row < 0 || !hasPoints()) return neighboursOf;
  pointOf(row); // unpacks the points
  neighboursOf.near = leastOf(squaredFrom(row, view.points.values, view.points.dims), NEIGHBOURS);
  const onTheMap = squaredFrom(row, places, 2);
  neighboursOf.lost = new Set(neighboursOf.near.filter(neighbour => isLost(neighbour, onTheMap)));
  return neighboursOf;
}

function drawNeighbours(context, front, back, lostColour) { // those that the map has lost have a dashed line and a ring
  const {near, lost} = findNeighbours(playing);
  showNeighbours(near.length, lost.size);
  if (!near.length) return;
  const [left, top] = placeOf(playing);
  for (const row of near) {
    const isDashed = lost.has(row);
    for (const [colour, width] of [[back, 4], [isDashed ? lostColour : front, 1.5]]) { // it is seen on points of any colour
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.setLineDash(isDashed ? [5, 4] : []);
      strokePath(context, context => { context.moveTo(left, top); context.lineTo(...placeOf(row)) });
    }
    context.setLineDash([]);
    if (isDashed) strokePath(context, context => circle(context, placeOf(row), 6));
  }
}

function showNeighbours(n, nLost) {
  $("neighbours-note").hidden = !n;
  const lost = nLost ? `; ${nLost} of them lie elsewhere on this map (dashed)` : ", and all lie near it on this map";
  $("neighbours-note").textContent = `Lines lead to the ${n} clips that are most like it${lost}.`;
}
