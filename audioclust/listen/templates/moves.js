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
  view.labels.forEach((to, row) => {
    if (to === labels[row]) return;
    view.clusters[labels[row]].size -= 1;
    view.clusters[to] ??= {size: 0, confidence: null, stability: null, at: [view.x[row], view.y[row]], typical: [], doubtful: [], words: ""};
    view.clusters[to].size += 1;
    if (!clusters[to] && view.clusters[to].typical.length < 8) view.clusters[to].typical.push(row);
  });
  for (const [c, about] of Object.entries(view.clusters)) {
    const isHere = row => view.labels[row] === Number(c);
    const left = about.typical.filter(isHere);
    if (left.length) about.typical = left;
    about.doubtful = about.doubtful.filter(isHere);
  }
}

function moveClips(rows, to) {
  remember();
  const {clips} = editsToChange();
  for (const row of rows) {
    if (to === grouping().found.labels[row]) delete clips[data.ids[row]];
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
  const {names, merged, marks, notes, clips} = currentEdits();
  const taken = new Set([names, merged, marks, notes].flatMap(kind => Object.keys(kind)).concat(Object.values(clips)).map(Number));
  let number = NEW_GROUPS;
  while (taken.has(number)) number++;
  return number;
}

// undo and redo
const past = [], future = []; // states of the edits, as text
function remember() {
  past.push(JSON.stringify(edits));
  future.length = 0;
}

function goTo(from, to) {
  if (!from.length) return;
  to.push(JSON.stringify(edits));
  edits = JSON.parse(from.pop());
  saveEdits();
}
const undo = () => goTo(past, future);
const redo = () => goTo(future, past);

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
  $("split-by-two").hidden = selected.size !== 2 || !canSplit() || !pointsOf(grouping()) || !sameCluster([...selected]);
}

const sameCluster = rows => new Set(rows.map(row => target(grouping().labels[row]))).size === 1;

// splitting; a page of a part of the clips would split that part alone
const canSplit = () => canMove && nClips === sizeOf(clusterIds());
function splitButtons(cluster) {
  const parts = canSplit() ? partsOf(-1, cluster) : [];
  if (parts.length < 2) return [];
  const button = element("button", {type: "button", id: "split", textContent: `Split into its ${parts.length} parts`});
  button.addEventListener("click", () => splitIntoParts(cluster, parts));
  return [button];
}

function splitIntoParts(cluster, parts) { // the largest part stays what it is
  remember();
  const {clips} = editsToChange(), {finer, labels} = grouping();
  const rows = parts.map(([level, part]) =>
    finer[level].labels.flatMap((label, row) => label === part && labels[row] === cluster ? [row] : []));
  const largest = rows.reduce((a, b) => b.length > a.length ? b : a);
  for (const some of rows) {
    if (some === largest || !some.length) continue;
    const group = newGroup();
    for (const row of some) clips[data.ids[row]] = group;
  }
  saveEdits();
}

function splitByTwo() { // clips that are nearer to the second of two selected ones become a new group
  const [first, second] = selected, points = pointsOf(grouping());
  const rows = rowsOf([target(grouping().labels[first])]);
  moveClips(rows.filter(row => distance(points, row, second) < distance(points, row, first)), newGroup());
}

// likeness
function pointsOf(view) { // coordinates of the clips, as many for each
  if (!view.points) return null;
  view.points.values ??= Int8Array.from(atob(view.points.bytes), character => character.charCodeAt(0));
  return view.points;
}

function distance({values, dims}, a, b) {
  let sum = 0;
  for (let i = 0; i < dims; i++) sum += (values[a * dims + i] - values[b * dims + i]) ** 2;
  return sum;
}

let likeRow = null; // the clip whose neighbours are listed
let sampleRows = null; // clips that were drawn by chance
function mostLike(row, n) {
  const points = pointsOf(grouping()), far = new Float64Array(nClips);
  for (let other = 0; other < nClips; other++) far[other] = distance(points, row, other);
  far[row] = -1;
  return [...far.keys()].sort((a, b) => far[a] - far[b]).slice(0, n);
}

function showLike() {
  if (playing < 0 || !pointsOf(grouping())) return;
  choose({like: playing});
  $("clips-title").scrollIntoView({block: "start"});
}
