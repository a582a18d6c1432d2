// Names, merges and marks that a person gives. They stay in the browser until they are downloaded.
const MARKS = {good: "✔ good", check: "? look again", junk: "✘ junk"};
const storageKey = "audioclust " + data.run;
let edits = {}; // by grouping: names, merged, marks
try { edits = JSON.parse(localStorage.getItem(storageKey)) || {} } catch { /* no storage here */ }

const currentEdits = () => edits[grouping().by] || grouping().edits;
const editsToChange = () => edits[grouping().by] ??= structuredClone(grouping().edits);

function target(cluster) { // the cluster that it was merged into, or itself
  const {merged} = currentEdits();
  for (let i = 0; i < 99 && merged[cluster] !== undefined; i++) cluster = merged[cluster];
  return Number(cluster);
}

function clusterName(cluster) {
  const t = target(cluster);
  return currentEdits().names[t] || (t < 0 ? "noise" : "cluster " + t);
}

function saveEdits() {
  try { localStorage.setItem(storageKey, JSON.stringify(edits)) } catch { /* no storage here */ }
  draw();
  showEdits();
}

function setEdit(kind, cluster, value) { // kind is names, marks or merged; an empty value removes the edit
  if (value === "") delete editsToChange()[kind][cluster];
  else editsToChange()[kind][cluster] = value;
}

function showEdits() {
  const text = JSON.stringify({schema: 1, run: data.run, edits}, null, 1);
  const count = edit => ["names", "merged", "marks"].reduce((n, kind) => n + Object.keys(edit[kind]).length, 0);
  const n = Object.values(edits).reduce((total, edit) => total + count(edit), 0);
  $("edits-text").textContent = text;
  $("n-edits").textContent = n ? `(${n})` : "(none)";
  return text;
}
