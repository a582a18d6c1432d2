// Labels that were given to clips, beside their groups. They are shown and searched, and decide nothing.
let labelDiffers = new Uint8Array(nClips); // 1: the label of the clip differs from its group
const givenNames = data.given ? data.given.names.map(printable) : [];

const hasLabels = () => data.given !== null && !naming; // who names by listening should hear, not read
const labelOf = row => hasLabels() && data.given.of[row] >= 0 ? givenNames[data.given.of[row]] : "";
const onlyDiffering = () => data.given !== null && $("differ").checked;

function countsOfLabels() { // of each group: label → clips, also of those that are not on the page
  const {labels} = grouping(), counts = new Map();
  const add = (cluster, label, n) => {
    const group = target(cluster);
    if (group < 0 || label < 0) return;
    if (!counts.has(group)) counts.set(group, new Map());
    counts.get(group).set(label, (counts.get(group).get(label) ?? 0) + n);
  };
  data.given.of.forEach((label, row) => add(labels[row], label, 1));
  for (const [cluster, label, n] of data.given.unseen[viewIndex]) add(cluster, label, n);
  return counts;
}

function compareLabels() { // clips of whose group more have another label
  if (data.given === null) return;
  const {labels} = grouping(), counts = countsOfLabels();
  const most = new Map([...counts].map(([group, byLabel]) => [group, Math.max(...byLabel.values())]));
  labelDiffers = Uint8Array.from(data.given.of, (label, row) => {
    const group = target(labels[row]);
    return Number(label >= 0 && group >= 0 && counts.get(group).get(label) < most.get(group));
  });
  $("n-differ").textContent = `(${labelDiffers.reduce((n, one) => n + one, 0).toLocaleString()})`;
}

function labelText(row) { // after the name of the group; nothing where the clip has no label
  const label = labelOf(row);
  return label && `${labelDiffers[row] ? " ≠" : " ="} ${label}`;
}

function labelElement(row) {
  const text = labelText(row).trim();
  if (!text) return [];
  const title = labelDiffers[row] ? "Its label; more clips of its group have another one" : "Its label";
  return [" ", element("span", {className: "given cut" + (labelDiffers[row] ? " weak" : ""), title}, text)];
}

if (data.given !== null) {
  $("differ-choice").hidden = false;
  $("differ").addEventListener("change", () => { listLength = 60; draw() });
}
