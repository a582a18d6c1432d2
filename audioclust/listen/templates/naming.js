// Naming by listening: one clip after the other plays, and a person says what it is, by keyboard alone or with the mouse.
let naming = false; // is the page asking?
let asked = -1; // row of the clip that is asked for; -1: all were heard
let usedNames = []; // in the order of their first use, so that digits stay with their names
let marked = -1; // which of the offered names the arrow keys have chosen
const GOAL = 50; // clips: some five minutes
const MOST_BY_DIGIT = 10;

function startNaming() {
  if (naming || !canName(grouping())) return;
  $("search").value = "";
  selected.clear();
  choose({});
  naming = true;
  document.body.classList.add("naming");
  for (const id of ["naming", "start-naming"]) $(id).hidden = id === "start-naming";
  followed.clear();
  askNext();
}

function stopNaming() {
  if (!naming) return;
  naming = false;
  document.body.classList.remove("naming");
  for (const id of ["naming", "start-naming"]) $(id).hidden = id === "naming";
  player.pause();
  saveEdits();
  $("start-naming").focus();
}

// asking
function askNext() {
  const {isHeard, doubt} = following(grouping());
  ask(nextToHear(grouping(), isHeard, doubt));
}

function ask(row) {
  asked = row;
  marked = -1;
  $("answer").value = "";
  if (row >= 0) play(row);
  drawQuestion();
  setTimeout(drawNamedMap); // the sound has begun before
  if (!matchMedia("(pointer: coarse)").matches) $("answer").focus({preventScroll: true}); // else a keyboard would cover half the screen
}

function hearAgain() {
  if (asked < 0) return;
  if (playing === asked) togglePlay();
  else play(asked);
}

function namesUsed() { // on this page, by answers or for groups
  const {heard = {}, names} = editsOf(grouping()), there = new Set([...Object.values(heard), ...Object.values(names)].filter(isOrdinary));
  usedNames = [...usedNames.filter(name => there.delete(name)), ...there];
  return usedNames;
}

function offeredNames() { // those that begin like what is typed, then those that hold it; words that the encoder suggests come first
  const typed = $("answer").value.trim().toLowerCase(), used = namesUsed();
  const {suggested = []} = asked < 0 ? {} : grouping().found.clusters[grouping().found.labels[asked]];
  const all = [...suggested.filter(word => !used.includes(word)), ...used], begins = name => name.toLowerCase().startsWith(typed);
  return [...all.filter(begins), ...all.filter(name => !begins(name) && name.toLowerCase().includes(typed))];
}

// answering
function answer(said) {
  if (asked < 0) return;
  setAnswer(asked, said);
  saveEdits();
  askNext();
}

function answerTyped() {
  const offered = offeredNames(), typed = $("answer").value.normalize("NFC").replace(/\p{Cs}|\0/gu, "").trim();
  const text = typed.replace(/^"(.+)"$/, "$1").trim(); // in quotation marks, a name may begin with a digit
  if (marked >= 0 && marked < offered.length) return answer(offered[marked]);
  if (!text) return say("Type a name, or press . to skip this clip.");
  if (text.length > LONGEST_NAME) return say(`A name has at most ${LONGEST_NAME} characters, and this one has ${text.length.toLocaleString()}.`);
  const there = [...usedNames, UNSURE, SEVERAL, NOT_OF_INTEREST]; // in another case, it is the same name
  answer(there.find(name => name.toLowerCase() === text.toLowerCase()) ?? text);
}

function stepBack(by) { // takes the last answer back, or gives it again, and asks for its clip
  const before = answersOf(grouping());
  by();
  const after = answersOf(grouping()), ids = Object.keys({...before, ...after}).filter(id => before[id] !== after[id]);
  const row = rowOf.get(ids[0]);
  if (row === undefined || by === redo) askNext();
  else ask(row);
}

function say(text) { $("answer-hint").textContent = text }

// drawing
function drawQuestion() {
  const said = asked < 0 ? undefined : answersOf(grouping())[data.ids[asked]];
  const again = said === undefined ? "" : ` You said: ${saidText(said)}.`;
  $("question").hidden = asked < 0;
  $("question-title").textContent = `What is this sound?${again}`;
  $("take-back").hidden = said === undefined;
  $("all-heard").hidden = asked >= 0;
  drawOffered();
  drawProgress();
  drawHeard();
  const near = asked < 0 ? [] : findNeighbours(asked).near;
  $("question-neighbours").replaceChildren(...near.map(row => answeredClip(row)));
  say(usedNames.length ? "Type a name and press Enter, or press the number of one below." : "Type a name and press Enter.");
}

const saidText = said => said === null ? "skipped" : printable(said);

function answeredClip(row) { // a clip that says what a person called it
  const button = clipButton(row), said = answersOf(grouping())[data.ids[row]];
  button.lastChild.textContent = said === undefined ? "" : saidText(said);
  return button;
}

function drawOffered() {
  const typed = $("answer").value.trim(), offered = offeredNames();
  const buttons = offered.map((name, i) => {
    const at = usedNames.indexOf(name), button = element("button", {type: "button", className: "offered"});
    let key = "";
    if (!typed && at >= 0 && at < MOST_BY_DIGIT) key = String((at + 1) % 10);
    if (typed && i === Math.max(marked, 0)) key = "Tab";
    if (key) button.append(element("kbd", {}, key), " ");
    button.append(element("span", {className: "cut"}, printable(name)));
    if (at < 0) button.append(element("small", {className: "dim"}, " suggested"));
    button.classList.toggle("marked", i === marked);
    button.addEventListener("click", () => answer(name));
    return button;
  });
  $("offered").replaceChildren(...buttons);
  if (typed) say(buttons.length ? `Enter takes what you typed, Tab takes “${printable(offered[Math.max(marked, 0)])}”.` : "Enter takes what you typed.");
}

function progressText() { // as `naming_progress` in Python, and where it is not known how many names are right, nothing of that
  const {nNamed, nDull, right, isHonest} = following(grouping()), nHeard = Object.keys(answersOf(grouping())).length;
  const goal = Math.min(nClips, GOAL * Math.ceil(Math.max(nHeard, 1) / GOAL)), [all, named] = [nClips, nNamed].map(n => n.toLocaleString());
  let text = `${nHeard.toLocaleString()} of ${goal.toLocaleString()} clips heard`;
  if (nNamed) text += `, ${named} of ${all} named`;
  if (nDull) text += `, ${nDull.toLocaleString()} ${NOT_OF_INTEREST}`;
  if (nNamed && isHonest) text += `, about ${Math.round(100 * right)} in 100 right`;
  return {text, share: nHeard / goal};
}

function drawProgress() {
  const {text, share} = progressText();
  const lost = areKept ? "" : ". This browser keeps nothing: download your edits before you leave this page";
  $("naming-progress").replaceChildren(element("span", {}, text + lost), bar(share));
}

function drawHeard() { // what was said, by name: one that is wrong stands out among its like, and a click asks for it again
  const rowsOfName = new Map(), box = $("heard-list");
  for (const [id, said] of Object.entries(answersOf(grouping()))) {
    if (rowOf.has(id)) rowsOfName.set(said, [...rowsOfName.get(said) ?? [], rowOf.get(id)]);
  }
  const n = [...rowsOfName.values()].reduce((sum, rows) => sum + rows.length, 0);
  $("n-heard").textContent = n ? `(${n})` : "(nothing yet)";
  if (!box.open) return;
  const sorted = [...rowsOfName].sort(([a], [b]) => isOrdinary(b) - isOrdinary(a) || byText(saidText(a), saidText(b)));
  const lines = sorted.flatMap(([said, rows]) => {
    const clips = rows.map(row => Object.assign(clipButton(row), {onclick: () => ask(row)}));
    return [element("h3", {}, `${saidText(said)} (${rows.length})`), element("div", {className: "thumbs"}, ...clips)];
  });
  box.lastElementChild.replaceChildren(...lines);
}

function drawNamedMap() {
  if (!naming) return;
  applyMoves();
  regroup();
  drawMap();
}

// keys of the box: in an empty one, digits and signs answer at once
const BOX_KEYS = {
  " ": hearAgain,
  ".": () => answer(null),
  "?": () => answer(UNSURE),
  "+": () => answer(SEVERAL),
  "-": () => answer(NOT_OF_INTEREST),
  Backspace: () => stepBack(undo),
};

function mark(by) {
  const n = offeredNames().length;
  if (!n) return;
  marked = (Math.max(marked, by > 0 ? -1 : 0) + by + n) % n;
  drawOffered();
  say(`Enter takes “${printable(offeredNames()[marked])}”.`);
}

function keyOfEmptyBox(key) { // what it does, or nothing
  const at = /^[0-9]$/.test(key) ? (Number(key) + 9) % 10 : -1;
  if (at >= 0 && at < namesUsed().length) return () => answer(usedNames[at]);
  return BOX_KEYS[key];
}

function keyWhileNaming(event) { // an action, or nothing
  const {key, target} = event, box = $("answer"), isInBox = target === box, isEmpty = !box.value;
  const isBack = undoKey(event, isInBox && isEmpty);
  if (isBack) return () => stepBack(isBack);
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return undefined;
  if (key === "Escape") return isEmpty ? stopNaming : () => { box.value = ""; drawOffered() };
  if (!isInBox) return isEmpty && key !== " " && !target.closest("input, select, textarea") ? keyOfEmptyBox(key) : undefined;
  if (key === "ArrowDown") return () => mark(1);
  if (key === "ArrowUp") return () => mark(-1);
  if (key === "Tab" && !event.shiftKey && !isEmpty && offeredNames().length) return () => answer(offeredNames()[Math.max(marked, 0)]);
  return isEmpty ? keyOfEmptyBox(key) : undefined;
}

function onKeyWhileNaming(event) {
  const action = keyWhileNaming(event);
  if (action) {
    event.preventDefault();
    return action();
  }
  const isText = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (isText && !event.target.closest("input, select, textarea")) $("answer").focus(); // what is typed anywhere is a name
}

$("start-naming").hidden = !data.views.some(canName);
