// What is shown and in which order, what is chosen, the list of clips, and the cross table of two groupings.
const stabilityOf = cluster => grouping().clusters[cluster].stability;
const confidenceOf = cluster => grouping().clusters[cluster].confidence;
const byText = new Intl.Collator(undefined, {numeric: true}).compare;

function draw() {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  applyMoves();
  if (chosenCluster !== null && !(chosenCluster in grouping().clusters)) chosenCluster = null; // a group that is gone
  regroup();
  compareLabels();
  $("guesses-choice").hidden = !following(grouping())?.chances;
  if ($("guesses-choice").hidden) $("guesses").value = "";
  offerOrder("moved", grouping().moved.some(Boolean)); // clips that changed their group when the other grouping was taken out
  offerOrder("note", grouping().notes);
  drawLevels();
  shownRows = rowsToShow();
  drawClusters();
  drawSelection();
  drawClips();
  drawOthers();
  drawMap();
  drawCrossTable();
  drawSelected();
}

function offerOrder(order, isThere) {
  $("sort").querySelector(`[value=${order}]`).hidden = !isThere;
  if (!isThere && $("sort").value === order) $("sort").value = "sure";
}

const searched = () => $("search").value.trim().toLowerCase();
function rowsToShow() { // of those most like one, drawn by chance, or in the chosen clusters, those that the search finds
  const {labels, confidence} = grouping();
  const query = searched(), order = $("sort").value;
  const matches = text => text.toLowerCase().includes(query);
  const named = new Set(clusterIds().filter(c => matches(clusterName(c))));
  const isMeant = row => named.has(labels[row]) || matches(clipName(row)) || matches(labelOf(row));
  const wanted = $("guesses").value, isWanted = row => !wanted || isGuess(row) === (wanted === "guesses");
  const found = row => isMeant(row) && isWanted(row) && (labelDiffers[row] || !onlyDiffering());
  if (likeRow !== null) return mostLike(likeRow).filter(found).slice(0, 61);
  if (sampleRows !== null) return sampleRows.filter(found);
  const chosen = new Set(clusterIds().filter(isChosen));
  const inPart = row => chosenPart === null || grouping().finer[chosenPart[0]].labels[row] === chosenPart[1];
  const rows = [...labels.keys()].filter(row => chosen.has(labels[row]) && inPart(row) && found(row));
  if (order === "next") return hearNext(rows);
  if (order === "moved") return rows.filter(row => grouping().moved[row]);
  const noteOf = row => grouping().notes[row] ?? 999; // clips without one come last
  if (order === "note") return rows.sort((a, b) => noteOf(a) - noteOf(b));
  if (order === "name") return rows.sort((a, b) => byText(clipName(a), clipName(b)));
  const sign = order === "sure" ? 1 : -1;
  const sureness = row => nameChance(row) ?? confidence[row] ?? -9;
  return rows.sort((a, b) => sign * (sureness(b) - sureness(a)));
}

// clusters
function weightedMean(clusters, valueOf) { // by size, of the clusters that have a value; null where none has
  const known = clusters.filter(c => valueOf(c) != null);
  const n = sizeOf(known);
  return n ? known.reduce((sum, c) => sum + valueOf(c) * grouping().clusters[c].size, 0) / n : null;
}

const SORT_KEYS = { // of a list of clusters; small values come first
  id: clusters => clusters[0],
  size: clusters => -sizeOf(clusters),
  confidence: clusters => -(weightedMean(clusters, confidenceOf) ?? -9),
  stability: clusters => -(weightedMean(clusters, stabilityOf) ?? -9),
};

function foundClusters() { // those that the search names, or else those in which it finds clips
  const query = searched(), ids = clusterIds(), called = ids.filter(c => clusterName(c).toLowerCase().includes(query));
  if (called.length) return called;
  const {labels} = grouping(), holding = new Set();
  for (let row = 0; row < nClips; row++) if (clipName(row).toLowerCase().includes(query) || labelOf(row).toLowerCase().includes(query)) holding.add(labels[row]);
  return ids.filter(c => holding.has(c));
}

function sortedClusters(by) { // names before what has none, noise last, unless sorted by name; those that were emptied are left out
  const clusters = foundClusters().filter(c => sizeOf([c]));
  if (by === "name") return clusters.sort((a, b) => byText(clusterName(a), clusterName(b)));
  return clusters.sort((a, b) => (a < 0) - (b < 0) || isNamed(b) - isNamed(a) || SORT_KEYS[by]([a]) - SORT_KEYS[by]([b]));
}

function sortedGroups(by) { // pairs (group, its clusters); -1 holds what is in no group
  const clustersOf = new Map();
  for (const c of sortedClusters(by)) {
    const group = groups.size && c >= 0 ? groupOf(c) : -1;
    clustersOf.set(group, [...clustersOf.get(group) ?? [], c]);
  }
  function compare([g, a], [h, b]) {
    if (g < 0 || h < 0) return (g < 0) - (h < 0);
    if (by === "name") return 0;
    return by === "id" ? g - h : SORT_KEYS[by](a) - SORT_KEYS[by](b);
  }
  return [...clustersOf].sort(compare);
}

function choose({cluster = null, group = null, part = null, like = null, sample = null}) { // a cluster, group, part or clip, or nothing
  likeRow = like;
  sampleRows = sample;
  chosenCluster = cluster;
  chosenGroup = group;
  chosenPart = part;
  listLength = 60;
  draw();
}

// what is chosen
function drawSelection() {
  let parts = [];
  if (chosenPart !== null) parts = partDetails();
  else if (chosenGroup !== null) parts = groupDetails();
  else if (chosenCluster !== null) parts = clusterDetails(chosenCluster);
  $("selection").replaceChildren(...parts);
}

function groupDetails() {
  const group = groupOf(chosenGroup), middle = middles.get(group);
  const clusters = members.get(group).filter(c => target(c) === c);
  const most = 40;
  let title = "The typical clip of each cluster";
  if (clusters.length > 1) title += "; the first is the one in the middle";
  if (clusters.length > most) title += `; ${most} of ${clusters.length}`;
  const buttons = [middle, ...clusters.filter(c => c !== middle)].slice(0, most).map(c => {
    const button = clipButton(grouping().clusters[c].typical[0]);
    Object.assign(button.lastChild, {textContent: clusterName(c), className: "cut"});
    return button;
  });
  const size = element("h2", {}, `group ${group}: ${groupSize(members.get(group))}`);
  return [size, element("h3", {}, title), element("div", {className: "thumbs"}, ...buttons), ...hoursChart(rowsOf(clusters))];
}

function clusterDetails(cluster) {
  const title = clusterName(cluster) + (cluster < 0 ? ": clips that no cluster took" : "");
  const parts = [element("h2", {}, title), editingRow(cluster)];
  if (cluster < 0) return parts;
  const {typical, doubtful, words} = grouping().clusters[cluster];
  if (words) parts.push(element("p", {className: "dim"}, `Compared with all clips: ${words}.`));
  parts.push(...suggestions(cluster));
  parts.push(...clipRow("Most typical; the first stands for the cluster", typical));
  parts.push(...clipRow("Most doubtful", doubtful));
  parts.push(...certaintyNote(cluster));
  parts.push(...hoursChart(rowsOf([cluster])));
  return parts;
}

const suggestedFor = cluster => currentEdits().names[cluster] ? [] : grouping().clusters[cluster].suggested.map(printable);

const PATH_WORDS = "words of file and folder names: share of the recordings of the cluster that have the word, and of all recordings";
const pathWordsOf = cluster => currentEdits().names[cluster] ? [] : Object.entries(grouping().clusters[cluster].path_words);

function suggestions(cluster) { // words that become the name by a click
  function line(about, words) { // pairs: a word, what the button says
    const buttons = words.map(([word, text]) => {
      const button = element("button", {type: "button", className: "suggested", title: "Take the word as the name"}, text);
      button.addEventListener("click", () => { setEdit("names", cluster, word); saveEdits() });
      return button;
    });
    return buttons.length ? [element("p", {className: "dim"}, about, ...buttons)] : [];
  }
  const heard = suggestedFor(cluster).map(word => [word, word]);
  return [...line("It may be: ", heard), ...line("In names of files: ", pathWordsOf(cluster))];
}

function clipRow(title, rows) {
  if (!rows.length) return [];
  return [element("h3", {}, title), element("div", {className: "thumbs"}, ...rows.map(row => clipButton(row)))];
}

function labelled(text, control) { return element("label", {}, text, control) }
function selectBox(id, options, value, change) {
  const box = element("select", {id}, ...options.map(([value, text]) => element("option", {value, textContent: text})));
  box.value = value;
  box.addEventListener("change", () => change(box.value));
  return box;
}

function editingRow(cluster) {
  const row = element("div", {className: "row"});
  if (cluster >= 0) {
    row.append(labelled("Name", textInput("name", "names", cluster, 200)));
    row.append(labelled("Merge into", mergeBox(cluster)));
    row.append(labelled("Mark", markBox(cluster)));
    row.append(labelled("Note", textInput("note", "notes", cluster, 2000)));
    row.append(...splitButtons(cluster));
  }
  for (const other of Object.keys(currentEdits().merged).filter(other => target(other) === cluster)) {
    const button = element("button", {type: "button"}, `Take ${numberOf(other)} out again`);
    button.addEventListener("click", () => { setEdit("merged", other, ""); saveEdits() });
    row.append(button);
  }
  return row;
}

function textInput(id, kind, cluster, maxLength) {
  const input = element("input", {id, value: currentEdits()[kind][cluster] || "", placeholder: `a ${id}`, maxLength});
  input.addEventListener("change", () => { setEdit(kind, cluster, input.value.trim()); saveEdits() });
  return input;
}

function mergeBox(cluster) {
  const others = clusterIds().filter(other => other >= 0 && other !== cluster && target(other) === other);
  const options = [["", "nothing"], ...others.map(other => [other, clusterName(other)])];
  return selectBox("merge", options, "", other => {
    if (other === "") return;
    setEdit("merged", cluster, Number(other));
    chosenCluster = Number(other);
    saveEdits();
  });
}

function markBox(cluster) {
  const options = [["", "none"], ...Object.entries(MARKS)];
  const change = mark => { setEdit("marks", cluster, mark); saveEdits() };
  return selectBox("mark", options, currentEdits().marks[cluster] || "", change);
}

// clips
function drawClips() {
  const title = `${shownRows.length.toLocaleString()} of ${nClips.toLocaleString()} clips`;
  $("clips-title").textContent = likeRow !== null ? `Most like ${clipName(likeRow)}` : sampleRows !== null ? `${title}, drawn by chance` : title;
  $("clips").replaceChildren(...shownRows.slice(0, listLength).map(row => element("li", {}, clipButton(row, true))));
  $("more").hidden = shownRows.length <= listLength;
}

// two groupings
function tableCell(content, className = "") { return element("td", {className}, content) }
function drawCrossTable() {
  $("cross").hidden = data.views.length < 2;
  if (data.views.length < 2) return;
  const [first, second] = data.views;
  const counts = {};
  for (let row = 0; row < nClips; row++) {
    const pair = first.labels[row] + "," + second.labels[row];
    counts[pair] = (counts[pair] || 0) + 1;
  }
  const heading = (textContent, scope) => element("th", {scope, textContent});
  const headings = (clusters, scope) => clusters.map(c => heading(c < NEW_GROUPS ? c : defaultName(c), scope));
  const rows = Object.keys(first.clusters).map(Number), columns = Object.keys(second.clusters).map(Number);
  const table = element("table");
  const corner = heading(`by ${first.by} \\ by ${second.by}`, "col");
  table.createTHead().insertRow().append(corner, ...headings(columns, "col"));
  const body = table.createTBody();
  for (const r of rows) {
    const cells = columns.map(c => tableCell(counts[r + "," + c] || "·", "n"));
    body.insertRow().append(...headings([r], "row"), ...cells);
  }
  $("cross").querySelector("div").replaceChildren(table);
}
