// Names spread from the clips that were heard to all others: over a graph and by distance. As `spread_names` in Python.
const PASSED_ON = .95; // share of what a leaf has that goes to its neighbours
const NEARNESS = .2; // of the median distance, within which a nearer name counts much more
const LOG_LEAST = Math.log(1e-12); // of a share; shares are kept as logarithms
const NEGLIGIBLE = -16; // logarithm of a share, beside the largest one, that no sum needs
const USUAL_POWER = 1.6, USUAL_ANSWERS = 5; // of the shares where nothing is known, and how many answers that is worth
const POWERS = Array.from({length: 60}, (_, i) => .2 * 40 ** (i / 59));
const UNHEARD = .1; // of the names heard once, as a share of the clips with a name that was never heard

function neighbourSums({pairs, weights}, values) { // of the neighbours of each leaf, by the weights of their edges
  const sums = new Float64Array(values.length);
  for (let edge = 0; edge < weights.length; edge++) {
    const a = pairs[2 * edge], b = pairs[2 * edge + 1];
    sums[a] += weights[edge] * values[b];
    if (a !== b) sums[b] += weights[edge] * values[a];
  }
  return sums;
}

const inner = (a, b) => { let sum = 0; for (let i = 0; i < a.length; i++) sum += a[i] * b[i]; return sum };

function passOn(graph, start) { // how much of what the leaves start with reaches each: conjugate gradients
  const nLeaves = graph.sizes.length;
  graph.roots ??= neighbourSums(graph, new Float64Array(nLeaves).fill(1)).map(Math.sqrt);
  function kept(values) { // a value less what its neighbours pass on
    const passed = neighbourSums(graph, values.map((value, i) => value / graph.roots[i]));
    return passed.map((value, i) => values[i] - PASSED_ON * value / graph.roots[i]);
  }
  const solution = new Float64Array(nLeaves), rest = start.map(value => (1 - PASSED_ON) * value);
  let direction = rest.slice(), squared = inner(rest, rest);
  const enough = 1e-12 * squared;
  for (let round = 0; round < 500 && squared > enough; round++) {
    const image = kept(direction), step = squared / inner(direction, image), before = squared;
    for (let i = 0; i < nLeaves; i++) {
      solution[i] += step * direction[i];
      rest[i] -= step * image[i];
    }
    squared = inner(rest, rest);
    direction = direction.map((value, i) => rest[i] + squared / before * value);
  }
  return solution.map(value => Math.max(value, 0));
}

function reachOfRows(graph, rows) { // how much of some clips, together as much as one, reaches a clip of each leaf, and all clips together
  const {leaf, sizes} = graph, start = new Float64Array(sizes.length);
  for (const row of rows) start[leaf[row]] += 1 / (rows.length * Math.sqrt(sizes[leaf[row]]));
  const values = passOn(graph, start).map((value, i) => value / Math.sqrt(sizes[i]));
  return {values, mass: inner(values, sizes)};
}

function keptReach(reach, key, compute) { // a clip or a group reaches the same clips however many others are heard later
  if (!reach.has(key)) reach.set(key, compute());
  return reach.get(key);
}

function reachOf(view, row) {
  const graph = namingOf(view);
  return keptReach(graph.reach ??= new Map(), row, () => reachOfRows(graph, [row]));
}

function reachOfGroup(view, group) {
  const graph = namingOf(view);
  return keptReach(graph.groups ??= new Map(), group, () => reachOfRows(graph, [...view.found.labels.keys()].filter(row => view.found.labels[row] === group)));
}

function heardInGroups(view, known) { // Map group → Map name → how many of its clips have it; noise is no group
  const inGroups = new Map();
  for (const [row, name] of known) {
    const group = view.found.labels[row];
    if (group < 0) continue;
    if (!inGroups.has(group)) inGroups.set(group, new Map());
    inGroups.get(group).set(name, (inGroups.get(group).get(name) ?? 0) + 1);
  }
  return inGroups;
}

const total = counts => [...counts.values()].reduce((sum, n) => sum + n, 0);

function distancesFrom(view, row) { // of each clip, over the median distance
  const naming = namingOf(view), {beyond, scale} = naming;
  naming.distances ??= new Map();
  if (!naming.distances.has(row)) {
    const squared = squaredFrom(row, view.points.values, view.points.dims), far = new Float32Array(nClips);
    for (let other = 0; other < nClips; other++) far[other] = Math.sqrt(squared[other] + beyond[row] ** 2 + beyond[other] ** 2) / scale;
    far[row] = 0;
    naming.distances.set(row, far);
  }
  return naming.distances.get(row);
}

function evidenceOf(view, known) { // of each name in a Map row → name: how much of it reaches each leaf, and its nearest clip to each clip
  const names = [...new Set(known.values())].sort(), inGroups = heardInGroups(view, known);
  return names.map(name => {
    const rows = [...known.keys()].filter(row => known.get(row) === name), nearest = new Float32Array(nClips).fill(Infinity);
    const spread = new Float64Array(namingOf(view).sizes.length);
    let mass = 0;
    for (const row of rows) {
      const {values, mass: more} = reachOf(view, row), far = distancesFrom(view, row);
      for (let leaf = 0; leaf < spread.length; leaf++) spread[leaf] += values[leaf];
      for (let other = 0; other < nClips; other++) if (far[other] < nearest[other]) nearest[other] = far[other];
      mass += more;
    }
    for (const [group, counts] of inGroups) { // it counts as much as one clip that was heard
      if (!counts.has(name)) continue;
      const {values, mass: more} = reachOfGroup(view, group), share = counts.get(name) / total(counts);
      for (let leaf = 0; leaf < spread.length; leaf++) spread[leaf] += share * values[leaf];
      mass += share * more;
    }
    const root = Math.sqrt(Math.max(mass, 1e-12));
    return {name, rows, root, nearest, spread, logs: spread.map(value => Math.log(value / root))};
  });
}

function logShares(spread, nearest, logs) { // of the names in a clip: what reaches it of each, less where a nearer name is; gives the best one
  let least = Infinity, best = 0;
  for (let i = 0; i < logs.length; i++) if (nearest[i] < least) least = nearest[i];
  for (let i = 0; i < logs.length; i++) {
    logs[i] = Math.max(LOG_LEAST, spread[i] + (least - nearest[i]) / NEARNESS);
    if (logs[i] > logs[best]) best = i;
  }
  return best;
}

function largestShare(logs, best, power) { // after all shares of a clip were raised to a power
  let sum = 0;
  for (let i = 0; i < logs.length; i++) {
    const raised = power * (logs[i] - logs[best]);
    if (raised > NEGLIGIBLE) sum += Math.exp(raised);
  }
  return 1 / sum;
}

function withoutClip(view, evidence, counts, row, own) { // what reaches a heard clip of each name from the others
  const group = view.found.labels[row], here = namingOf(view).leaf[row], n = counts ? total(counts) : 0;
  return evidence.map(({name, spread, root}, i) => {
    let others = spread[here] - (i === own ? reachOf(view, row).values[here] : 0);
    if (n) { // it says nothing of its group
      const heard = counts.get(name) ?? 0, rest = heard - (i === own ? 1 : 0);
      others -= (heard / n - rest / Math.max(n - 1, 1)) * reachOfGroup(view, group).values[here];
    }
    return Math.log(Math.max(others, 0) / root);
  });
}

function leftOut(view, evidence, known) { // what the others say of each heard clip whose name was heard more than once
  const inGroups = heardInGroups(view, known);
  return evidence.flatMap(({rows}, own) => rows.length < 2 ? [] : rows.map(row => {
    const others = rows.filter(other => other !== row), nearest = evidence.map(({nearest}) => nearest[row]);
    nearest[own] = Math.min(...others.map(other => distancesFrom(view, other)[row]));
    const spread = withoutClip(view, evidence, inGroups.get(view.found.labels[row]), row, own);
    const logs = new Float64Array(evidence.length), best = logShares(spread, nearest, logs);
    return {logs, best, isRight: best === own};
  }));
}

function honestPower(guesses) { // of the shares, for which the largest ones are right as often as they say
  if (!guesses.length) return USUAL_POWER;
  const largest = power => guesses.reduce((sum, {logs, best}) => sum + largestShare(logs, best, power), 0) / guesses.length;
  const nRight = guesses.filter(({isRight}) => isRight).length;
  const target = (nRight + USUAL_ANSWERS * largest(USUAL_POWER)) / (guesses.length + USUAL_ANSWERS);
  const gaps = POWERS.map(power => Math.abs(largest(power) - target));
  return POWERS[gaps.indexOf(Math.min(...gaps))];
}

function spreadKnown(view, known) { // of a Map row → name: of each clip the best answer and its share, and the name that it gets with its share; times `certainty`, this is how likely it is right
  const {leaf} = namingOf(view);
  pointOf(0); // unpacks the points
  const evidence = evidenceOf(view, known), guesses = leftOut(view, evidence, known), power = honestPower(guesses);
  const best = new Uint16Array(nClips), share = new Float32Array(nClips), name = new Uint16Array(nClips), chance = new Float32Array(nClips);
  const names = evidence.map(({name}) => name), kinds = [...names.keys()].filter(i => isOrdinary(names[i]));
  const logs = new Float64Array(evidence.length), spread = logs.slice(), nearest = logs.slice();
  for (let row = 0; row < nClips; row++) {
    for (let i = 0; i < logs.length; i++) {
      spread[i] = evidence[i].logs[leaf[row]];
      nearest[i] = evidence[i].nearest[row];
    }
    best[row] = logShares(spread, nearest, logs);
    share[row] = largestShare(logs, best[row], power);
    [name[row], chance[row]] = [best[row], share[row]];
    if (isOpen(names[best[row]], share[row]) && kinds.length) {
      name[row] = kinds.reduce((one, other) => logs[other] > logs[one] ? other : one);
      chance[row] *= Math.exp(power * (logs[name[row]] - logs[best[row]]));
    }
  }
  const certainty = 1 - UNHEARD * (1 - guesses.length / known.size);
  return {names, best, share, name, chance, certainty, nGuessed: guesses.length};
}

const isOpen = (name, share) => name === UNSURE || (name === NOT_OF_INTEREST && share < SURE); // then a name of a kind is the guess
