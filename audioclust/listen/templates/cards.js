// Clusters as cards: the marker and the name, the telling clips, and how clear and how stable the cluster is.
const TELLING = 4; // clips on a card

function drawClusters() {
  const list = $("clusters"), box = $("clusters-box");
  const focused = document.activeElement?.dataset ?? {}, scrolled = box.scrollTop, cards = [];
  for (const [group, clusters] of sortedGroups($("sort-clusters").value)) {
    if (group >= 0) cards.push(groupCard(group, clusters));
    const open = group < 0 || clusters.some(c => opened.has(c));
    if (open) cards.push(...clusters.flatMap(c => [clusterCard(c), ...partLines(-1, c)]));
  }
  list.replaceChildren(...cards);
  box.scrollTop = scrolled;
  for (const kind of ["cluster", "group", "fold", "part", "parts"]) { // the focus stays where it was
    if (focused[kind] === undefined) continue;
    document.querySelector(`#clusters [data-${kind}="${focused[kind]}"]`)?.focus({preventScroll: true});
  }
}

function markerOf(number) {
  const el = element("span", {className: "mark", textContent: shape(number)[1]});
  el.style.color = colour(number);
  el.setAttribute("aria-hidden", "true");
  return el;
}

function clusterCard(cluster) {
  const into = target(cluster), isOn = chosenCluster === into, inside = groups.size > 0 && cluster >= 0;
  const title = clusterName(cluster) + numberNote(cluster);
  const button = element("button", {type: "button", title}, element("span", {className: "two-lines"}, markerOf(styleOf(cluster)), " ", title));
  button.dataset.cluster = cluster;
  button.setAttribute("aria-pressed", isOn);
  button.addEventListener("click", () => choose({cluster: isOn ? null : into}));
  const head = element("div", {className: "card-head"}, button, element("span", {className: "dim"}, count(sizeOf([cluster]), "clip")));
  if (partsOf(-1, cluster).length) head.prepend(partsButton(-1, cluster, clusterName(cluster)));
  const clips = grouping().clusters[cluster].typical.slice(0, TELLING).map(row => clipButton(row));
  const card = element("li", {className: "card" + (isOn ? " chosen" : "") + (inside ? " inside" : "")}, head);
  card.append(...cardWords(cluster), element("div", {className: "card-clips"}, ...clips));
  if (cluster >= 0) card.append(measures(cluster));
  return card;
}

function numberNote(cluster) { // the number of a cluster that goes by another name
  if (target(cluster) !== cluster) return ` (was ${numberOf(cluster)})`;
  return currentEdits().names[cluster] && cluster < NEW_GROUPS ? ` (${cluster})` : "";
}

function cardWords(cluster) { // the mark that a person gave, what sets it apart from all clips, and what it may be
  const {words, said} = grouping().clusters[cluster], suggested = suggestedFor(cluster), parts = [];
  const mark = MARKS[currentEdits().marks[cluster]];
  if (mark) parts.push(element("strong", {className: "words"}, mark));
  if (words) parts.push(element("span", {className: "words", title: "compared with all clips"}, words));
  if (suggested.length) parts.push(element("span", {className: "words", title: "suggested"}, suggested.join(" / ") + "?"));
  const ofPaths = pathWordsOf(cluster).map(([, text]) => text).join(", ");
  if (ofPaths) parts.push(element("span", {className: "words", title: PATH_WORDS}, `in names of files: ${ofPaths}`));
  for (const [title, text] of Object.entries(said)) parts.push(element("span", {className: "words"}, `${title}: ${text}`));
  return parts.length ? [element("div", {className: "card-words"}, ...parts)] : [];
}

// bars
function confidenceWord(value) { // 0 is as near to another cluster as to its own
  if (value >= .5) return "clearly apart";
  if (value >= .25) return "apart";
  return value > 0 ? "close to others" : "among others";
}

function stabilityWord(value) { // the limits of clusterboot; where there are no groups, clusters reach `chance`
  if (value <= grouping().chance) return "as by chance";
  if (value >= .85) return "very stable";
  return value >= .75 ? "stable" : "fairly stable";
}

function bar(share, chance = null) {
  const filled = element("span", {className: "filled"}), track = element("span", {className: "track"}, filled);
  filled.style.width = `${100 * Math.max(0, Math.min(1, share))}%`;
  if (chance === null) return track;
  const tick = element("span", {className: "tick-mark"});
  tick.style.left = `${100 * chance}%`;
  track.append(tick);
  return track;
}

function measure(name, value, word, about, chance = null) { // a bar with a word for what it means; the number is for those who ask
  const text = `${name} ${value.toFixed(2)}: ${word}`;
  const el = element("div", {className: `measure ${name.toLowerCase()}`, title: `${text}. ${about}`}, bar(value, chance));
  el.append(element("span", {ariaHidden: "true"}, word), element("span", {className: "sr"}, text));
  return el;
}

function measures(cluster) {
  const confidence = confidenceOf(cluster), stability = stabilityOf(cluster), box = element("div", {className: "measures"});
  if (confidence != null) {
    box.append(measure("Confidence", confidence, confidenceWord(confidence), "1: its clips belong nowhere else; 0: as well to another cluster."));
  }
  if (stability != null) {
    const {chance} = grouping(), el = measure("Stability", stability, stabilityWord(stability),
      `1: it comes back whole when parts of the clips are clustered; up to ${chance.toFixed(2)}, chance does that.`, chance);
    el.classList.toggle("weak", stability <= chance);
    box.append(el);
  }
  return box;
}

// coarse groups
function count(n, noun) { return `${n.toLocaleString()} ${noun}${n === 1 ? "" : "s"}` }
function groupSize(clusters) {
  const n = new Set(clusters.map(target)).size; // merged clusters count once
  return `${count(n, "cluster")}, ${count(sizeOf(clusters), "clip")}`;
}

function groupCard(group, clusters) {
  const middle = middles.get(group);
  const isOn = chosenGroup !== null && groupOf(chosenGroup) === group;
  const names = [...new Set(clusters.map(clusterName))].map(name => name.replace("cluster ", ""));
  const about = element("small", {className: "cut"}, `${groupSize(clusters)}: ${names.join(", ")}`);
  const button = element("button", {type: "button", className: "whole"});
  button.dataset.group = middle;
  button.setAttribute("aria-pressed", isOn);
  if (colouredByGroup()) button.append(markerOf(group), " ");
  button.append(`group ${group}`, about);
  button.addEventListener("click", () => choose({group: isOn ? null : middle}));
  const typical = clipButton(grouping().clusters[middle].typical[0]);
  const open = clusters.some(c => opened.has(c));
  const fold = foldButton("fold", middle, open, `Clusters of group ${group}`, () => {
    if (open) for (const c of clusters) opened.delete(c);
    else opened.add(middle);
  });
  const box = element("div", {}, fold, button, typical);
  return element("li", {className: "card group" + (isOn ? " chosen" : "")}, box);
}

function foldButton(kind, key, open, label, toggle) { // opens a group, a cluster or a part
  const button = element("button", {type: "button", className: "fold"}, open ? "▾" : "▸");
  button.dataset[kind] = key;
  button.setAttribute("aria-expanded", open);
  button.setAttribute("aria-label", label);
  button.addEventListener("click", () => {
    toggle();
    drawLevels();
    drawClusters();
  });
  return button;
}
