// What a person said of clips that were heard, and the names that follow for all others. Only what was said is kept; the rest is found anew.
const UNSURE = "unsure", SEVERAL = "several things", NOT_OF_INTEREST = "not of interest"; // as in Python; a skipped clip has null
const SURE = .5; // how likely a name is right that is no guess
const LONGEST_NAME = 200;
const isOrdinary = said => said !== null && ![UNSURE, SEVERAL, NOT_OF_INTEREST].includes(said);
const rowOf = new Map((data.ids ?? []).map((id, row) => [id, row]));
const answersOf = view => editsOf(view).heard ?? {};

function isSpreadMove({spread = {}, clips}, id) { // did Python move the clip when it spread names, and nobody afterwards?
  const group = spread[id]?.[0] ?? -1;
  return group !== -1 && String(clips[id]) === String(group);
}

function saidIn(edits) { // by a person: without the moves that Python made, and the names of the groups that these made
  const clips = Object.fromEntries(Object.entries(edits.clips ?? {}).filter(([id]) => !isSpreadMove(edits, id)));
  const filled = new Set(Object.values(clips).map(String)), made = new Set(Object.values(edits.spread ?? {}).map(([group]) => String(group)));
  const isMade = group => Number(group) >= NEW_GROUPS && made.has(group) && !filled.has(group);
  const names = Object.fromEntries(Object.entries(edits.names ?? {}).filter(([group]) => !isMade(group)));
  const {spread, ...others} = edits;
  return {...others, clips, names};
}

function groupsByHand(view) { // of each clip: its group as a person left it, that group's name or "", and whether the clip was moved
  const {names, merged} = editsOf(view), {clips} = saidIn(editsOf(view)), given = new Map();
  function nameOf(group) {
    if (!given.has(group)) {
      let end = group;
      for (let i = 0; i < 99 && merged[end] !== undefined; i++) end = merged[end];
      given.set(group, names[end] ?? "");
    }
    return given.get(group);
  }
  return row => {
    const moved = clips[data.ids[row]], group = Number(moved ?? view.found.labels[row]);
    return {group, name: nameOf(group), isMoved: moved !== undefined};
  };
}

function knownNames(view, byHand) { // Map row → name of all clips of which a person said what they are, as `known_names` in Python
  const known = new Map(), own = editsOf(view), moved = Object.keys(saidIn(own).clips).filter(id => rowOf.has(id)).map(id => rowOf.get(id));
  for (const [cluster, {typical}] of Object.entries(view.found.clusters)) {
    if (cluster < 0 || !typical.length) continue;
    const {name, isMoved} = byHand(typical[0]);
    if (name && !isMoved) known.set(typical[0], name);
  }
  for (const [id, said] of Object.entries(own.heard ?? {})) {
    if (said === null || said === SEVERAL || !rowOf.has(id)) continue;
    known.set(rowOf.get(id), (isSpreadMove(own, id) && own.names[own.clips[id]]) || said);
  }
  for (const row of moved) if (byHand(row).name) known.set(row, byHand(row).name);
  return known;
}

// what follows
const followed = new Map(); // view → what follows from its answers, until an edit changes it
function following(view) {
  if (!followed.has(view)) followed.set(view, canName(view) && (naming || hasAnswers(view)) ? findFollowing(view) : null);
  return followed.get(view);
}
const hasAnswers = view => Object.keys(answersOf(view)).length > 0;
function isAsInRun(view) { // then names are as Python spread them
  const now = answersOf(view), {heard: before = {}, spread} = copiedFrom(view), ids = Object.keys(now);
  return spread !== undefined && ids.length === Object.keys(before).length && ids.every(id => now[id] === before[id]);
}

function findFollowing(view) { // which clips were heard, how doubtful all are, and the name of each: null where the run itself says it
  const byHand = groupsByHand(view), known = knownNames(view, byHand), isHeard = new Uint8Array(nClips);
  for (const id of Object.keys(answersOf(view))) if (rowOf.has(id)) isHeard[rowOf.get(id)] = 1;
  for (const row of known.keys()) isHeard[row] = 1;
  const spread = known.size ? spreadKnown(view, known) : null;
  const isMany = spread !== null && spread.names.length > 1; // else there is nothing to doubt
  const doubt = Float32Array.from({length: nClips}, (_, row) => isMany ? 1 - spread.share[row] * spread.certainty : 1);
  if (isAsInRun(view) || !hasAnswers(view)) return {...calledInRun(copiedFrom(view), view.found), isHeard, doubt, edits: editsOf(view)};
  const called = calledNames(byHand, known, spread);
  let withThese; // made when the page draws them: the next question does not wait for it
  return {...called, isHeard, doubt, get edits() { return withThese ??= withNames(view, byHand, called.names) }};
}

function calledNames(byHand, known, spread) { // of each clip its name or "", the number with one, and the mean chance that these are right
  const names = new Array(nClips).fill(""), chances = new Float32Array(nClips);
  let nNamed = 0, nDull = 0, right = 0;
  if (spread === null || !spread.names.some(isOrdinary)) return {names, chances: null, nNamed, nDull, right: null, isHonest: false};
  for (let row = 0; row < nClips; row++) {
    const {name, isMoved} = byHand(row);
    let called = spread.names[spread.name[row]], chance = spread.chance[row] * spread.certainty;
    if (name && name !== called) [called, chance] = [name, Math.min(chance, (1 - spread.share[row]) * spread.certainty)];
    if (known.has(row) && known.get(row) !== UNSURE) [called, chance] = [known.get(row), 1];
    if (isMoved) [called, chance] = [name, 1];
    [names[row], chances[row]] = [called, chance];
    if (called === NOT_OF_INTEREST) nDull += 1;
    else if (called) {
      nNamed += 1;
      right += chance;
    }
  }
  const isHonest = spread.names.length > 1 && 2 * spread.nGuessed >= known.size; // half of the answers can be checked by others
  return {names, chances, nNamed, nDull, right: right / nNamed, isHonest};
}

function calledInRun(edits, found) { // the same as Python found it
  const chances = edits.spread ? new Float32Array(nClips) : null;
  let nNamed = 0, nDull = 0, right = 0;
  for (const [id, [, chance]] of Object.entries(edits.spread ?? {})) {
    if (!rowOf.has(id)) continue;
    chances[rowOf.get(id)] = chance;
    const name = edits.names[edits.clips[id] ?? found.labels[rowOf.get(id)]];
    if (name === NOT_OF_INTEREST) nDull += 1;
    else if (name) {
      nNamed += 1;
      right += chance;
    }
  }
  return {chances, nNamed, nDull, right: right / nNamed, isHonest: nNamed > 0};
}

function withNames(view, byHand, called) { // the edits with each clip in the group of its name
  const own = editsOf(view), said = saidIn(own), numbers = numbersOf(own, called), clips = {...said.clips};
  for (let row = 0; row < nClips; row++) {
    const number = numbers.get(called[row]);
    if (number !== undefined && number !== byHand(row).group) clips[data.ids[row]] = number;
  }
  const names = {...own.names};
  for (const [name, number] of numbers) names[number] = name;
  return {...own, clips, names};
}

function numbersOf(own, called) { // the group of each name: one that has it, or a new one, in the order of the answers
  const there = new Set(called), numbers = new Map();
  const wanted = new Set([...Object.values(own.heard), ...there].filter(name => name && there.has(name)));
  for (const [group, name] of Object.entries(own.names)) {
    const isThere = own.merged[group] === undefined; // else it has the name of another one
    if (isThere && wanted.has(name) && !numbers.has(name)) numbers.set(name, Number(group));
  }
  const taken = takenNumbers(own);
  for (const name of wanted) {
    if (numbers.has(name)) continue;
    numbers.set(name, freeNumber(taken));
    taken.add(numbers.get(name));
  }
  return numbers;
}

const takenNumbers = ({names, merged, marks, notes, clips}) =>
  new Set([names, merged, marks, notes].flatMap(kind => Object.keys(kind)).concat(Object.values(clips)).map(Number));

function freeNumber(taken) {
  let number = NEW_GROUPS;
  while (taken.has(number)) number++;
  return number;
}

// what is shown of names
function nameChance(row) { // how likely the name of a clip is right; null where nobody has named clips by listening
  const chances = following(grouping())?.chances;
  return chances ? chances[row] : null;
}
const isGuess = row => nameChance(row) !== null && nameChance(row) < SURE;
const isNamed = cluster => currentEdits().names[target(cluster)] !== undefined;

// changing answers
function spreadGroup(own, id, said) { // to which the run has moved a clip by this very answer, or null
  const base = copiedFrom(grouping()), group = base.clips?.[id];
  const isAsBefore = said !== undefined && base.heard?.[id] === said && isSpreadMove(base, id);
  return isAsBefore && own.names[group] === base.names[group] ? group : null;
}

function setAnswer(row, said) { // undefined takes it back
  remember();
  const own = editsToChange(), id = data.ids[row];
  own.heard = {...own.heard};
  delete own.heard[id]; // the last answer stands last
  if (said !== undefined) own.heard[id] = said;
  const group = spreadGroup(own, id, said);
  if (group !== null) own.clips[id] = group;
  else if (said !== undefined && (isSpreadMove(own, id) || ![null, SEVERAL].includes(said))) delete own.clips[id]; // what was said last counts
  if (!Object.keys(own.heard).length) delete own.heard;
  forgetEmptyGroups();
}

const isOnlySpread = group => following(grouping())?.edits.names[group] !== undefined && editsOf(grouping()).names[group] === undefined;

function nameByAnswers(group, name) { // answers that have the name of a group get its new one; is that all?
  const isMade = isOnlySpread(group), {names, merged} = currentEdits(), before = names[group], own = editsToChange();
  if (name === "" || before === undefined) return isMade;
  const isShared = Object.keys(names).some(other => other !== String(group) && names[other] === before && merged[other] === undefined);
  const isMeant = id => own.heard[id] === before && (!isShared || grouping().labels[rowOf.get(id)] === Number(group));
  for (const id of Object.keys(own.heard ?? {}).filter(isMeant)) own.heard[id] = name;
  return isMade;
}

function keepGroup(group) { // a group that spreading made is now one that a person made, since something is said of it
  if (!isOnlySpread(group)) return;
  const name = currentEdits().names[group], own = editsToChange();
  own.names[group] = name;
  for (const [id, said] of Object.entries(own.heard)) if (said === name) own.clips[id] = Number(group);
}

for (const view of data.views) {
  const {heard} = edits[view.by] ?? {};
  const isAnswer = said => said === null || (typeof said === "string" && said.trim());
  if (heard) edits[view.by].heard = Object.fromEntries(Object.entries(heard).filter(([, said]) => isAnswer(said)));
  if (isTakenOver(view)) for (const kept of [edits, bases, downloads]) delete kept[view.by];
}
