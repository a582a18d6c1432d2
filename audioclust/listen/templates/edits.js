// Names, merges, marks and notes that a person gives, and clips that a person moves. They stay in the browser until they are downloaded.
const MARKS = {good: "✔ good", check: "? look again", junk: "✘ junk"};
const storageKey = "audioclust " + data.run;
let edits = {}; // by grouping: names, merged, marks, notes, clips
try { edits = JSON.parse(localStorage.getItem(storageKey)) || {} } catch { /* no storage here */ }

const NO_EDITS = {names: {}, merged: {}, marks: {}, notes: {}, clips: {}}; // of pages that knew fewer kinds
const currentEdits = () => ({...NO_EDITS, ...(edits[grouping().by] || grouping().edits)});
const editsToChange = () => edits[grouping().by] = {...structuredClone(NO_EDITS), ...(edits[grouping().by] ?? structuredClone(grouping().edits))};

function target(cluster) { // the cluster that it was merged into, or itself
  const {merged} = currentEdits();
  const isThere = c => c in grouping().clusters || c in grouping().found.clusters;
  for (let i = 0; i < 99 && merged[cluster] !== undefined && isThere(merged[cluster]); i++) cluster = merged[cluster];
  return Number(cluster);
}

function clusterName(cluster) {
  const t = target(cluster);
  const number = t >= NEW_GROUPS ? `new group ${t - NEW_GROUPS + 1}` : "cluster " + t;
  return currentEdits().names[t] || (t < 0 ? "noise" : number);
}

function saveEdits() {
  try { localStorage.setItem(storageKey, JSON.stringify(edits)) } catch { /* no storage here */ }
  draw();
  showEdits();
}

function setEdit(kind, cluster, value) { // kind is names, marks, notes or merged; an empty value removes the edit
  remember();
  if (value === "") delete editsToChange()[kind][cluster];
  else editsToChange()[kind][cluster] = value;
}

function showEdits() {
  const base = Object.fromEntries(data.views.map(view => [view.by, view.edits]));
  const text = JSON.stringify({schema: 1, run: data.run, base, clusters: clipsOfClusters(), edits}, null, 1);
  const count = edit => Object.values(edit).reduce((n, entries) => n + Object.keys(entries).length, 0);
  const n = Object.values(edits).reduce((total, edit) => total + count(edit), 0);
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
