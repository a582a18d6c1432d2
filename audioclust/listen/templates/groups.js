// Coarse groups of many clusters: a cut of the tree over the clusters, and the colours and markers.
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"];
const SHAPES = [ // on the map, and as a character
  ["circle", "●"], ["triangle-up", "▲"], ["square", "■"], ["diamond", "◆"], ["triangle-down", "▼"], ["triangle-left", "◀"],
  ["triangle-right", "▶"], ["pentagon", "⬟"], ["cross", "✚"], ["star", "★"], ["x", "✖"]];
const NOISE_SHAPE = ["circle-open", "○"];
const wantedGroups = data.views.map(() => null); // of each grouping; null is none
const opened = new Set(); // clusters whose group is open in the list
let groups = new Map(); // cluster → group
let members = new Map(); // group → its clusters
let middles = new Map(); // group → the cluster in its middle

function cutTree({leaves, joins}, n) { // cluster → group, numbered along the tree, as `coarse_groups` does in Python
  const K = leaves.length;
  const heights = joins.map(join => join[2]).sort((a, b) => a - b);
  const highest = n >= K ? -1 : heights[K - n - 1]; // joins up to this height are kept
  const groupOf = new Map();
  const todo = [[2 * K - 2, -1]]; // nodes and their group, from the root; -1 is none yet
  let next = 0;
  while (todo.length) {
    let [node, group] = todo.pop();
    const isLeaf = node < K;
    if (group < 0 && (isLeaf || joins[node - K][2] <= highest)) group = next++;
    if (isLeaf) groupOf.set(leaves[node], group);
    else todo.push([joins[node - K][1], group], [joins[node - K][0], group]);
  }
  return groupOf;
}

function findMiddles(tree) { // the last join inside a group names the cluster in its middle
  for (const [group, clusters] of members) middles.set(group, target(clusters[0]));
  const groupOfNode = tree.leaves.map(c => groups.get(c)); // -1 for a join of several groups
  for (const [a, b, , middle] of tree.joins) {
    const group = groupOfNode[a] === groupOfNode[b] ? groupOfNode[a] : -1;
    groupOfNode.push(group);
    if (group >= 0 && groupOf(middle) === group) middles.set(group, target(middle));
  }
}

const groupsShown = level => new Set(Object.values(level.groups)).size;

function regroup() {
  const {tree} = grouping();
  const n = wantedGroups[viewIndex];
  const level = grouping().coarser.find(level => groupsShown(level) === n); // a level has numbers of its own
  const numbered = level && new Map(Object.entries(level.groups).map(([c, group]) => [Number(c), group]));
  groups = n === null ? new Map() : numbered ?? cutTree(tree, n);
  members = new Map();
  middles = new Map();
  if (groups.size) {
    for (const c of clusterIds()) if (c >= 0 && groupOf(c) >= 0) members.set(groupOf(c), [...members.get(groupOf(c)) ?? [], c]);
    findMiddles(tree);
  } else chosenGroup = null;
  showSlider(tree ? tree.leaves.length : 0, n);
}

function showSlider(K, n) {
  const value = groups.size ? `${members.size} of ${K} clusters` : `all ${K} clusters`;
  $("groups-bar").hidden = K < 3;
  $("by-group-choice").hidden = !groups.size;
  $("groups").max = K;
  $("groups").value = n ?? K;
  $("groups-value").textContent = value;
  $("groups").setAttribute("aria-valuetext", value);
}

const groupOf = cluster => groups.get(target(cluster)) ?? -1;
const colouredByGroup = () => groups.size > 0 && $("by-group").checked;
const styleOf = cluster => colouredByGroup() ? groupOf(cluster) : target(cluster); // decides colour and shape

function fullName(cluster) {
  const inGroup = cluster >= 0 && groups.size > 0;
  return inGroup ? `${clusterName(cluster)}, group ${groupOf(cluster)}` : clusterName(cluster);
}

function isChosen(cluster) {
  if (chosenGroup !== null) return groupOf(cluster) === groupOf(chosenGroup);
  return chosenCluster === null || target(cluster) === chosenCluster;
}

function colour(number) {
  if (number < 0) return dark ? "#777" : "#aaa";
  if (dark && number % 8 === 6) return "#fff"; // black would not be seen
  return COLOURS[number % 8];
}

function shape(number) { return number < 0 ? NOISE_SHAPE : SHAPES[number % SHAPES.length] }
