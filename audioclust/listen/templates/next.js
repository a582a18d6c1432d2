// What to hear next, and how many clips of a group make one certain of it.
function hearNext(rows) { // typical clips of groups without a name, the largest first; then the doubtful clips of all in turn
  const {labels, clusters, confidence} = grouping(), here = new Set(rows);
  const ids = [...new Set(rows.map(row => labels[row]))].filter(c => c >= 0);
  const unnamed = ids.filter(c => !currentEdits().names[target(c)]).sort((a, b) => clusters[b].size - clusters[a].size);
  const first = unnamed.map(c => clusters[c].typical.find(row => here.has(row))).filter(row => row !== undefined);
  const taken = new Set(first);
  const queues = ids.map(c => rows.filter(row => labels[row] === c && !taken.has(row))
    .sort((a, b) => (confidence[a] ?? -9) - (confidence[b] ?? -9)));
  const inTurn = [];
  for (let i = 0; queues.some(queue => i < queue.length); i++) {
    inTurn.push(...queues.filter(queue => i < queue.length).map(queue => queue[i])
      .sort((a, b) => (confidence[a] ?? -9) - (confidence[b] ?? -9)));
  }
  return [...first, ...inTurn, ...rows.filter(row => labels[row] < 0)];
}

const PURE = .9, CERTAIN = .95; // share of a group, and how sure one wants to be of it
function enoughToHear(size) { // draws without another kind, after which a group of that size is PURE with that certainty
  const others = Math.floor((1 - PURE) * size + 1e-9) + 1; // the fewest with which it is not pure
  let chance = 1, n = 0;
  while (n < size && chance > 1 - CERTAIN) {
    chance *= Math.max(0, size - others - n) / (size - n);
    n++;
  }
  return n;
}

function sampleOf(cluster, n) { // n clips by chance, the same ones each time
  const rows = rowsOf([cluster]);
  let state = 1 + cluster + NEW_GROUPS;
  const random = () => (state = state * 48271 % 2147483647) / 2147483647;
  for (let i = rows.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [rows[i], rows[j]] = [rows[j], rows[i]];
  }
  return rows.slice(0, n);
}

function certaintyNote(cluster) {
  const size = rowsOf([cluster]).length, n = enoughToHear(size);
  if (size < 10) return [];
  const button = element("button", {type: "button", id: "sample"}, `List ${n} by chance`);
  button.addEventListener("click", () => choose({cluster, sample: sampleOf(cluster, n)}));
  const text = `If ${n} clips by chance are all of one kind, at least ${100 * PURE} % of the ${count(size, "clip")} on this page are, `
    + `with ${100 * CERTAIN} % certainty.`;
  return [element("p", {className: "dim"}, text, " ", button)];
}
