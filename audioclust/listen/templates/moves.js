// Clips that a person moves, groups that a person makes, and the way back.
const NEW_GROUPS = 100000; // groups that a person makes are numbered from here on
const canMove = data.ids !== null; // without the names of clips, moves could not be found again
for (const view of data.views) view.found = {labels: view.labels, clusters: view.clusters}; // as the run has them
const selected = new Set(); // rows of the clips that are to be moved

function applyMoves() { // the labels and clusters of the page are those that the edits lead to
  const view = grouping(), {labels, clusters} = view.found, {clips} = currentEdits();
  view.labels = labels;
  view.clusters = clusters;
  if (!canMove || !Object.keys(clips ?? {}).length) return;
  view.labels = labels.map((cluster, row) => clips[data.ids[row]] ?? cluster);
  view.clusters = Object.fromEntries(Object.entries(clusters).map(([c, about]) => [c, {...about}]));
  const rowsOfNew = new Map(); // groups that a person made
  view.labels.forEach((to, row) => {
    if (!clusters[to]) {
      if (!rowsOfNew.has(to)) rowsOfNew.set(to, []);
      rowsOfNew.get(to).push(row);
    }
    if (to === labels[row]) return;
    view.clusters[labels[row]].size -= 1;
    if (clusters[to]) view.clusters[to].size += 1;
  });
  for (const [group, rows] of rowsOfNew) view.clusters[group] = newCluster(view, rows);
  for (const [c, about] of Object.entries(view.clusters)) {
    const isHere = row => view.labels[row] === Number(c);
    const left = about.typical.filter(isHere);
    if (left.length) about.typical = left;
    about.doubtful = about.doubtful.filter(isHere);
  }
}

function newCluster(view, rows) { // what is known of a group that a person made: clips that were heard tell most of it
  const middleOf = values => rows.map(row => values[row]).sort((a, b) => a - b)[rows.length >> 1];
  const heard = answersOf(view), isHeard = row => heard[data.ids[row]] !== undefined, typical = rows.filter(isHeard).concat(rows).slice(0, 8);
  return {size: rows.length, confidence: null, stability: null, at: [middleOf(view.x), middleOf(view.y)], typical: [...new Set(typical)], doubtful: [],
    words: "", suggested: [], path_words: {}, said: {}};
}

function moveClips(rows, to) {
  remember();
  const isNew = isOnlySpread(to), own = editsToChange(), {clips} = own;
  if (isNew) own.names[to] = currentEdits().names[to];
  for (const row of rows) {
    if (to === grouping().found.labels[row] && !own.heard) delete clips[data.ids[row]];
    else clips[data.ids[row]] = to;
  }
  selected.clear();
  forgetEmptyGroups();
  saveEdits();
}

function forgetEmptyGroups() { // a group that a person made is gone with its last clip, and with it what was said of it
  const own = editsToChange(), made = new Set(Object.values(own.clips));
  const isGone = c => Number(c) >= NEW_GROUPS && !made.has(Number(c));
  for (const kind of ["names", "merged", "marks", "notes"]) {
    for (const [c, value] of Object.entries(own[kind])) if (isGone(c) || (kind === "merged" && isGone(value))) delete own[kind][c];
  }
}

function newGroup() { // the first number that is free
  const spread = Object.keys(following(grouping())?.edits.names ?? {}).map(Number);
  return freeNumber(new Set([...takenNumbers(editsOf(grouping())), ...spread]));
}

// undo and redo
const past = [], future = []; // states of the edits
const state = () => ({text: JSON.stringify(edits), bases, downloads});
function remember() {
  past.push(state());
  future.length = 0;
}

function goTo(from, to) {
  if (!from.length) return;
  to.push(state());
  const {text, ...others} = from.pop();
  edits = JSON.parse(text);
  ({bases, downloads} = others);
  for (const view of data.views) {
    if (!downloads[view.by] || edits[view.by]) continue;
    edits[view.by] = structuredClone(view.edits); // what was downloaded is taken back
    bases = {...bases, [view.by]: view.edits};
  }
  saveEdits();
}
const undo = () => goTo(past, future);
const redo = () => goTo(future, past);

function keepDownload() { // the run may hold these edits from now on, whatever is undone
  const withoutSpread = ({spread, ...others}) => structuredClone(others); // it never changes here, and a browser keeps little
  const views = data.views.filter(({by}) => edits[by]);
  const last = Object.fromEntries(views.map(view => [view.by, {base: withoutSpread(baseOf(view)), edits: withoutSpread(edits[view.by])}]));
  downloads = {...downloads, ...last};
  for (const before of [...past, ...future]) before.downloads = {...before.downloads, ...last};
  store();
}

function forgetEdits() {
  remember();
  edits = {};
  bases = {};
  downloads = {};
  saveEdits();
}

// selecting
function selectClip(row, asRange) { // one more or one less, or all from the last one to this
  const from = shownRows.indexOf(playing), to = shownRows.indexOf(row);
  if (asRange && from >= 0 && to >= 0) {
    for (const between of shownRows.slice(Math.min(from, to), Math.max(from, to) + 1)) selected.add(between);
  } else if (!selected.delete(row)) selected.add(row);
  drawSelected();
}

function drawSelected() {
  for (const button of document.querySelectorAll(".clip")) {
    button.classList.toggle("selected", selected.has(Number(button.dataset.row)));
  }
  $("move-bar").hidden = !canMove || !selected.size;
  drawFrame();
  $("undo").disabled = !past.length;
  $("redo").disabled = !future.length;
  if ($("move-bar").hidden) return;
  $("n-selected").textContent = count(selected.size, "clip") + " selected";
  const others = clusterIds().filter(c => c >= 0 && target(c) === c);
  const options = [["", "…"], ["new", "a new group"], ...others.map(c => [c, clusterName(c)]), [-1, "noise: no group"]];
  $("move-to").replaceChildren(...options.map(([value, text]) => element("option", {value, textContent: text})));
  $("split-by-two").hidden = selected.size !== 2 || !canSplit() || !hasPoints() || !sameCluster([...selected]);
}

const sameCluster = rows => new Set(rows.map(row => target(grouping().labels[row]))).size === 1;

// splitting; a page of a part of the clips would split that part alone
const canSplit = () => canMove && nClips === sizeOf(clusterIds());
function splitButtons(cluster) {
  if (!canMove) return [];
  if (!canSplit()) return [element("span", {className: "dim"}, "A page of all clips can split it.")];
  const {finer, labels} = grouping(), rows = rowsOf([cluster]);
  const isIn = (row, [level, part]) => finer[level].labels[row] === part && labels[row] === cluster;
  const parts = partsOf(-1, cluster).map(part => rows.filter(row => isIn(row, part))).filter(part => part.length);
  const intoParts = parts.length > 1;
  const differ = hasPoints() && rows.some(row => distance(pointOf(row), pointOf(rows[0])));
  if (!intoParts && !differ) return [];
  const button = element("button", {type: "button", id: "split"}, intoParts ? `Split into its ${parts.length} parts` : "Split in two");
  button.addEventListener("click", () => split(intoParts ? parts : halves(rows)));
  return [button];
}

function split(parts) { // the largest part stays what it is
  remember();
  const {clips} = editsToChange(), largest = parts.reduce((a, b) => b.length > a.length ? b : a);
  for (const part of parts.filter(part => part !== largest)) {
    const group = newGroup();
    for (const row of part) clips[data.ids[row]] = group;
  }
  saveEdits();
}

function splitByTwo() { // clips that are nearer to the second of two selected ones become a new group
  const [first, second] = selected, rows = rowsOf([target(grouping().labels[first])]);
  moveClips(nearerTo(pointOf(second), pointOf(first), rows), newGroup());
}

function halves(rows) { // by K-means with two centres, which begins at two clips that are far apart
  const farthest = from => pointOf(rows.reduce((a, b) => distance(pointOf(b), from) > distance(pointOf(a), from) ? b : a));
  let first = farthest(pointOf(rows[0])), second = farthest(first), parts;
  for (let round = 0; round < 20; round++) {
    const moved = new Set(nearerTo(second, first, rows));
    parts = [rows.filter(row => !moved.has(row)), [...moved]];
    [first, second] = parts.map(meanOf);
  }
  return parts;
}

function meanOf(rows) {
  const mean = new Float64Array(grouping().points.dims);
  for (const row of rows) pointOf(row).forEach((value, i) => { mean[i] += value / rows.length });
  return mean;
}

// likeness
const hasPoints = () => grouping().points !== null;
function pointOf(row) { // coordinates of a clip
  const {points} = grouping(), {dims} = points;
  points.values ??= Int8Array.from(atob(points.bytes), character => character.charCodeAt(0));
  return points.values.subarray(row * dims, (row + 1) * dims);
}

function distance(a, b) { // squared
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum;
}

const nearerTo = (second, first, rows) => rows.filter(row => distance(pointOf(row), second) < distance(pointOf(row), first));

let likeRow = null; // the clip whose neighbours are listed
let sampleRows = null; // clips that were drawn by chance
function mostLike(row) { // the clip, then all others, the nearest first
  const point = pointOf(row), far = Float64Array.from({length: nClips}, (_, other) => distance(pointOf(other), point));
  far[row] = -1;
  return [...far.keys()].sort((a, b) => far[a] - far[b]);
}

function showLike() {
  if (playing < 0 || !hasPoints()) return;
  choose({like: playing});
  $("clips-title").scrollIntoView({block: "start"});
}
