// The tree of parts: from coarse to fine, each clip in the middle of a part that a person may be asked for. As `next_to_hear` in Python.
const LEAST_DOUBT = .02; // with which a part counts whose clips are all sure

function unpacked(base64, Type) { // Base64 of the bytes of numbers
  return new Type(Uint8Array.from(atob(base64), character => character.charCodeAt(0)).buffer);
}

function unpackedNaming(view) { // what Python packed of the tree, of the graph over its leaves, and of distances
  const {naming} = view;
  return {
    leaf: unpacked(naming.leaf, Uint16Array), // of each clip
    sizes: unpacked(naming.sizes, Int32Array), // clips of each leaf
    halves: unpacked(naming.halves, Uint16Array), // two parts for each that is no leaf; leaves are numbered first
    heights: unpacked(naming.heights, Float32Array), // by how much the two differ
    middles: unpacked(naming.middles, Int32Array), // of each part
    pairs: unpacked(naming.pairs, Uint16Array), // of leaves that are joined
    weights: Float64Array.from(unpacked(naming.weights, Uint16Array)),
    beyond: unpacked(view.points.beyond, Uint16Array), // how far each clip is off the axes of its point
    scale: naming.scale / view.points.step, // median distance between clips
  };
}

const canName = view => canMove && view.naming !== null && view.points !== null;
const namingOf = view => view.naming.unpacked ??= unpackedNaming(view);

function sumsOfParts({leaf, halves, middles}, valueOf) { // of the values of the clips in each part
  const sums = new Float64Array(middles.length), nLeaves = middles.length - halves.length / 2;
  for (let row = 0; row < leaf.length; row++) sums[leaf[row]] += valueOf(row);
  for (let i = 0; i < halves.length; i += 2) sums[nLeaves + i / 2] = sums[halves[i]] + sums[halves[i + 1]];
  return sums;
}

function mostUrgentPart(tree, isHeard, doubt) { // one in which nothing was heard, beside one in which something was; -1: none is left
  const {halves, heights, middles} = tree, nLeaves = middles.length - halves.length / 2;
  const nHeard = sumsOfParts(tree, row => isHeard[row]);
  if (!nHeard[middles.length - 1]) return middles.length - 1;
  const nClipsOf = sumsOfParts(tree, () => 1), doubtOf = sumsOfParts(tree, row => doubt[row]);
  let part = -1, most = -1;
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i], join = i >> 1;
    if (nHeard[half] || !nHeard[nLeaves + join] || !nClipsOf[half]) continue;
    const priority = heights[join] ** 2 * (doubtOf[half] / nClipsOf[half] + LEAST_DOUBT);
    if (priority > most) [part, most] = [half, priority];
  }
  return part;
}

function rowsOfPart({leaf, halves, middles}, part) {
  const nLeaves = middles.length - halves.length / 2, isIn = new Uint8Array(middles.length);
  isIn[part] = 1;
  for (let i = halves.length - 1; i >= 0; i--) if (isIn[nLeaves + (i >> 1)]) isIn[halves[i]] = 1;
  return [...leaf.keys()].filter(row => isIn[leaf[row]]);
}

function tellingClip(view, part, isHeard) { // the representative of the group with most of its clips, if nothing was heard of that; else the middle
  const {labels, clusters} = view.found, tree = namingOf(view), rows = rowsOfPart(tree, part), shown = new Map(), sizes = new Map();
  for (const label of labels) shown.set(label, (shown.get(label) ?? 0) + 1);
  const weight = label => clusters[label].size / shown.get(label); // of a large group few clips may be on the page
  for (const row of rows) if (labels[row] >= 0) sizes.set(labels[row], (sizes.get(labels[row]) ?? 0) + weight(labels[row]));
  const [[group] = []] = [...sizes].sort(([a, n], [b, m]) => m - n || a - b);
  if (group === undefined || labels.some((other, row) => other === group && isHeard[row])) return tree.middles[part];
  const [representative] = clusters[group].typical;
  return rows.includes(representative) ? representative : tree.middles[part];
}

function nextToHear(view, isHeard, doubt) { // a row; -1: all were heard
  const tree = namingOf(view), part = mostUrgentPart(tree, isHeard, doubt);
  if (part >= 0) return tellingClip(view, part, isHeard);
  let row = -1;
  for (let other = 0; other < nClips; other++) if (!isHeard[other] && (row < 0 || doubt[other] > doubt[row])) row = other;
  return row;
}
