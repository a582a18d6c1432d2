// Names, merges, marks and notes that a person gives, and clips that a person moves. They stay in the browser until they are downloaded.
const MARKS = {good: "✔ good", check: "? look again", junk: "✘ junk"};
const storageKey = "audioclust " + data.run;
let edits = {}; // by grouping: names, merged, marks, notes, clips
try { edits = JSON.parse(localStorage.getItem(storageKey)) || {} } catch { /* no storage here */ }

const NO_EDITS = {names: {}, merged: {}, marks: {}, notes: {}, clips: {}}; // of pages that knew fewer kinds
const editsOf = view => ({...NO_EDITS, ...(edits[view.by] ?? view.edits)});
const currentEdits = () => following(grouping())?.edits ?? editsOf(grouping()); // with the names that follow from answers
const editsToChange = () => edits[grouping().by] = structuredClone(editsOf(grouping()));

function nChanged(view) { // entries that differ from what the run holds
  const said = saidIn(editsOf(view)), known = saidIn(view.edits);
  const differing = Object.keys({...said, ...known}).map(kind => {
    const [now, before] = [said[kind] ?? {}, known[kind] ?? {}];
    return Object.keys({...before, ...now}).filter(key => String(now[key]) !== String(before[key])).length;
  });
  return differing.reduce((a, b) => a + b);
}
function target(cluster) { // the cluster that it was merged into, or itself
  const {merged} = currentEdits();
  const isThere = c => c in grouping().clusters || c in grouping().found.clusters;
  for (let i = 0; i < 99 && merged[cluster] !== undefined && isThere(merged[cluster]); i++) cluster = merged[cluster];
  return Number(cluster);
}

function defaultName(cluster) {
  if (cluster < 0) return "noise";
  return cluster < NEW_GROUPS ? `cluster ${cluster}` : `new group ${cluster - NEW_GROUPS + 1}`;
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
function saveEdits() {
  followed.clear();
  try {
    localStorage.setItem(storageKey, JSON.stringify(edits));
    areKept = true;
  } catch { areKept = false }
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
  const base = Object.fromEntries(data.views.map(view => [view.by, view.edits]));
  const text = printable(JSON.stringify({schema: 1, run: data.run, base, clusters: clipsOfClusters(), edits}, null, 1));
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
