// Levels: coarser ones are cuts of the tree with numbers of their own, finer ones the parts that a cluster opens into.
let chosenPart = null; // [finer level, group], or none
const openedParts = new Set(); // keys of the clusters and parts that are open
const partKey = (level, group) => `${level}:${group}`; // level -1 are the clusters themselves
const partName = (level, part) => `${grouping().finer[level].name} ${part}`;
const isPart = (level, group) => chosenPart !== null && chosenPart[0] === level && chosenPart[1] === group;

function partsOf(level, group) { // pairs [level, group]; a level that does not split the group is passed over
  const below = level + 1, next = grouping().finer[below];
  if (!next) return [];
  const parts = Object.keys(next.groups).map(Number).filter(part => next.groups[part].parent === group);
  return parts.length === 1 ? partsOf(below, parts[0]) : parts.map(part => [below, part]);
}

function openBelow(level, group) {
  const parts = partsOf(level, group);
  if (parts.length) openedParts.add(partKey(level, group));
  for (const part of parts) openBelow(...part);
}

function drawLevels() {
  const {tree, coarser, finer} = grouping(), K = tree ? tree.leaves.length : 1;
  const n = wantedGroups[viewIndex] ?? K, bar = $("levels-bar");
  const opening = clusterIds().filter(c => partsOf(-1, c).length);
  const areOpen = opening.length > 0 && opening.every(c => openedParts.has(partKey(-1, c)));
  const focused = [...bar.children].indexOf(document.activeElement);
  function levelButton(text, wanted, opens) {
    const button = element("button", {type: "button"}, text);
    button.setAttribute("aria-pressed", n === wanted && areOpen === opens);
    button.addEventListener("click", () => {
      wantedGroups[viewIndex] = wanted < K ? wanted : null;
      openedParts.clear();
      if (opens) for (const c of clusterIds()) openBelow(-1, c);
      choose({});
    });
    return button;
  }
  const buttons = coarser.map(level => levelButton(`${level.name}: ${level.n}`, groupsShown(level), false));
  buttons.push(levelButton(`clusters: ${K}`, K, false));
  const names = finer.map(({name, groups}) => `${name}: ${Object.keys(groups).length}`);
  if (names.length) buttons.push(levelButton(names.join(", "), K, true));
  bar.hidden = buttons.length < 2;
  bar.replaceChildren("Levels", ...buttons);
  bar.children[focused]?.focus({preventScroll: true});
}

function partsButton(level, group, name) {
  const key = partKey(level, group), open = openedParts.has(key);
  return foldButton("parts", key, open, `Parts of ${name}`, () => open ? openedParts.delete(key) : openedParts.add(key));
}

function partLines(level, group) { // below a cluster or a part that is open
  if (!openedParts.has(partKey(level, group))) return [];
  return partsOf(level, group).flatMap(part => [partLine(...part), ...partLines(...part)]);
}

function partLine(level, part) {
  const {size, confidence, typical} = grouping().finer[level].groups[part], isOn = isPart(level, part);
  const button = element("button", {type: "button"}, partName(level, part));
  button.dataset.part = partKey(level, part);
  button.setAttribute("aria-pressed", isOn);
  button.addEventListener("click", () => choose({part: isOn ? null : [level, part]}));
  const box = element("div", {className: "card-head"}, button, clipButton(typical[0]), element("span", {className: "dim"}, count(size, "clip")));
  if (confidence != null) box.title = `Confidence ${confidence.toFixed(2)}: ${confidenceWord(confidence)}`;
  if (partsOf(level, part).length) box.prepend(partsButton(level, part, partName(level, part)));
  const line = element("li", {className: "card part" + (isOn ? " chosen" : "")}, box);
  line.style.marginLeft = `${1.2 * (level + 1)}rem`;
  return line;
}

function partDetails() {
  const [level, part] = chosenPart, {size, typical} = grouping().finer[level].groups[part];
  const cluster = clusterName(grouping().labels[typical[0]]);
  const title = element("h2", {}, `${partName(level, part)}, a part of ${cluster}: ${count(size, "clip")}`);
  const rows = grouping().finer[level].labels.flatMap((label, row) => label === part ? [row] : []);
  return [title, ...clipRow("Most typical", typical), ...hoursChart(rows)];
}
