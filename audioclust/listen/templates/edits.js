// Names, merges, marks and notes that a person gives, and clips that a person moves. They stay in the browser until they are downloaded.
const MARKS = {good: "✔ good", check: "? look again", junk: "✘ junk"};
const storageKey = "audioclust " + data.run;
let edits = {}; // by grouping: names, merged, marks, notes, clips
let bases = {}; // by grouping: the edits of the run from which these were copied; the page may have been rewritten since
let downloads = {}; // by grouping: base and edits of the last download
try { openStorage(JSON.parse(localStorage.getItem(storageKey)) || {}) } catch { /* no storage here */ }
for (const view of data.views) if (edits[view.by]) bases[view.by] ??= view.edits;

function openStorage(stored) {
  if (stored.bases) ({edits = {}, bases, downloads = {}} = stored);
  else edits = stored; // of a page that kept no bases
}

const NO_EDITS = {names: {}, merged: {}, marks: {}, notes: {}, clips: {}}; // of pages that knew fewer kinds
const editsOf = view => ({...NO_EDITS, ...(edits[view.by] ?? view.edits)});
const currentEdits = () => following(grouping())?.edits ?? editsOf(grouping()); // with the names that follow from answers
function editsToChange() {
  const view = grouping();
  if (!edits[view.by]) bases = {...bases, [view.by]: view.edits};
  return edits[view.by] = structuredClone(editsOf(view));
}

// what a person changed
const copiedFrom = view => (edits[view.by] && bases[view.by]) ?? view.edits;
function isSame(a, b) { // null is a clip that was skipped, and numbers may be texts
  const isText = value => value !== null && value !== undefined;
  return isText(a) && isText(b) ? String(a) === String(b) : a === b;
}

function differing(now, before) { // [kind, key] of all entries
  const found = [];
  for (const kind of [...Object.keys(NO_EDITS), "heard"]) {
    for (const key of Object.keys({...before[kind], ...now[kind]})) {
      if (!isSame(now[kind]?.[key], before[kind]?.[key])) found.push([kind, key]);
    }
  }
  return found;
}

function baseOf(view) { // to which a download is compared in Python: what was corrected after the last download is compared to that
  const last = edits[view.by] && downloads[view.by];
  if (!last) return copiedFrom(view);
  const corrected = differing(editsOf(view), last.edits), base = {...copiedFrom(view), ...last.base};
  for (const kind of new Set(corrected.map(([kind]) => kind))) base[kind] = {...base[kind]};
  for (const [kind, key] of corrected) {
    if (last.edits[kind]?.[key] === undefined) delete base[kind][key];
    else base[kind][key] = last.edits[kind][key];
  }
  return base;
}

const changedEntries = view => differing(saidIn(editsOf(view)), saidIn(baseOf(view)));
const nChanged = view => changedEntries(view).length;
function isTakenOver(view) { // does the run hold all that was changed?
  const now = saidIn(editsOf(view)), held = saidIn(view.edits);
  return changedEntries(view).every(([kind, key]) => isSame(now[kind]?.[key], held[kind]?.[key]));
}
function target(cluster) { // the cluster that it was merged into, or itself
  const {merged} = currentEdits();
  const isThere = c => c in grouping().clusters || c in grouping().found.clusters;
  for (let i = 0; i < 99 && merged[cluster] !== undefined && isThere(merged[cluster]); i++) cluster = merged[cluster];
  return Number(cluster);
}

function defaultName(cluster) {
  if (cluster < 0) return "noise";
  if (cluster >= NEW_GROUPS) return `new group ${cluster - NEW_GROUPS + 1}`;
  return following(grouping())?.chances ? `left over ${cluster}` : `cluster ${cluster}`;
}

function ownName(cluster) { // as `display_name` in Python
  const {names} = currentEdits(), name = defaultName(cluster);
  if (names[cluster]) return printable(names[cluster]);
  const isTaken = Object.values(names).some(other => other.toLowerCase().replace(/ 0+(?=\d)/g, " ") === name);
  return isTaken ? `unnamed ${name}` : name;
}

const clusterName = cluster => ownName(target(cluster));
const numberOf = cluster => cluster < NEW_GROUPS ? cluster : ownName(cluster); // groups that a person made have no number to show

let areKept = true; // does the browser keep the edits?
function store() {
  try {
    localStorage.setItem(storageKey, JSON.stringify({edits, bases, downloads}));
    areKept = true;
  } catch { areKept = false }
}

function saveEdits() {
  followed.clear();
  store();
  if (naming) return; // all that is not seen is drawn when it is seen again
  draw();
  showEdits();
}

function setEdit(kind, cluster, value) { // kind is names, marks, notes or merged; an empty value removes the edit
  remember();
  if (kind === "names" && nameByAnswers(cluster, value)) return;
  keepGroup(cluster);
  if (kind === "merged") keepGroup(value);
  if (value === "") delete editsToChange()[kind][cluster];
  else editsToChange()[kind][cluster] = value;
}

function showEdits() {
  const base = Object.fromEntries(data.views.map(view => [view.by, baseOf(view)]));
  const sounds = Object.fromEntries(data.views.map(view => [view.by, view.sounds]));
  const text = printable(JSON.stringify({schema: 1, run: data.run, base, clusters: clipsOfClusters(), sounds, edits}, null, 1));
  const n = data.views.reduce((total, view) => total + nChanged(view), 0);
  $("edits-text").textContent = text;
  $("n-edits").textContent = n ? `(${n})` : "(none)";
  showCommand(text);
  return text;
}

function clipsOfClusters() { // by grouping: the names of some clips of each cluster, by which another run can find it
  const some = {};
  for (const {by, found, confidence} of canMove ? data.views : []) {
    if (!edits[by]) continue;
    const rows = [...found.labels.keys()].sort((a, b) => (confidence[b] ?? -9) - (confidence[a] ?? -9));
    some[by] = {};
    for (const row of rows) {
      const ids = some[by][found.labels[row]] ??= [];
      if (ids.length < 30) ids.push(data.ids[row]);
    }
  }
  return some;
}
