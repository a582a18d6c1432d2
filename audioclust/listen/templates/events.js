// What a person does. Last of the scripts: it draws the page for the first time.
let waiting; // a search or a slider draws when no further change comes for a moment
function drawSoon(milliseconds) {
  clearTimeout(waiting);
  waiting = setTimeout(() => { listLength = 60; draw() }, milliseconds);
}

function onClick(id, action) { $(id).addEventListener("click", action) }

document.addEventListener("click", event => {
  const button = event.target.closest?.(".clip"), row = Number(button?.dataset.row);
  if (!button) return;
  if (canMove && (event.shiftKey || event.ctrlKey || event.metaKey)) selectClip(row, event.shiftKey);
  else play(row);
});
$("search").addEventListener("input", () => drawSoon(120));
$("groups").addEventListener("input", () => {
  const n = Number($("groups").value), wereGrouped = groups.size > 0;
  wantedGroups[viewIndex] = n < grouping().tree.leaves.length ? n : null;
  if (chosenCluster !== null && !wereGrouped) opened.add(chosenCluster); // it stays in sight
  regroup();
  drawSoon(60);
});
for (const id of ["by-group", "sort", "sort-clusters", "guesses"]) $(id).addEventListener("change", draw);
onClick("all", () => choose({}));
onClick("more", () => { listLength += 200; drawClips() });
onClick("theme", () => { dark = !dark; draw() });
onClick("show-keys", showKeys);
onClick("close-keys", () => $("keys").close());
onClick("welcome-done", closeWelcome);
onClick("start-naming", startNaming);
onClick("stop-naming", stopNaming);
onClick("hear-again", hearAgain);
onClick("take-back", () => answer(undefined));
for (const [id, key] of [["skip", "."], ["unsure", "?"], ["several", "+"], ["no-interest", "-"], ["step-back", "Backspace"]]) onClick(id, BOX_KEYS[key]);
$("answer").addEventListener("input", () => { marked = -1; drawOffered() });
$("question").addEventListener("submit", event => { event.preventDefault(); answerTyped() });
$("heard-list").addEventListener("toggle", drawHeard);
$("edits").addEventListener("toggle", () => { if ($("edits").open) $("edits").scrollIntoView() });
onClick("play", togglePlay);
onClick("previous", () => step(-1));
onClick("next", () => step(1));

// moves
onClick("like", showLike);
onClick("undo", undo);
onClick("redo", redo);
onClick("split-by-two", splitByTwo);
onClick("select-none", () => { selected.clear(); drawSelected() });
$("move-to").addEventListener("change", () => {
  const to = $("move-to").value;
  if (to !== "") moveClips([...selected], to === "new" ? newGroup() : Number(to));
});

// edits
onClick("download", () => {
  const text = showEdits(), href = URL.createObjectURL(new Blob([text], {type: "application/json"}));
  element("a", {href, download: editsFileName(text)}).click();
  keepDownload();
});
onClick("copy", () => {
  const done = () => {
    $("copy").textContent = "Copied";
    keepDownload();
  };
  const copySelection = () => {
    getSelection().selectAllChildren($("edits-text"));
    document.execCommand("copy");
    done();
  };
  if (navigator.clipboard) navigator.clipboard.writeText(showEdits()).then(done, copySelection);
  else copySelection();
});
onClick("forget", () => {
  if (confirm("Forget everything that was edited in this page?")) forgetEdits();
});

// keys
function isForPage(event) { // and not for the browser, or for a control that takes keys itself
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  return !$("keys").open && !event.target.closest("input, select, textarea, summary, audio");
}

function undoKey(event, alsoInBox = false) { // Ctrl-Z, and Ctrl-Shift-Z or Ctrl-Y
  if (!(event.ctrlKey || event.metaKey) || (event.target.closest("input, textarea") && !alsoInBox)) return null;
  const key = event.key.toLowerCase();
  if (key === "z") return event.shiftKey ? redo : undo;
  return key === "y" ? redo : null;
}

const KEYS = { // of a clip that plays
  x: () => { if (canMove && playing >= 0) selectClip(playing, false) },
  m: () => { if (!$("move-bar").hidden) $("move-to").focus() },
  n: startNaming,
  s: showLike,
  h: switchHearing,
  "/": () => $("search").focus(),
  "?": showKeys,
  Escape: () => { selected.clear(); choose({}) },
};

document.addEventListener("keydown", event => {
  if (naming) return onKeyWhileNaming(event);
  const back = undoKey(event);
  if (back) { event.preventDefault(); return back() }
  if (!isForPage(event)) return;
  const button = event.target.closest("button");
  const spacePlays = !button || Number(button.dataset.row) === playing;
  let action = null;
  if (event.key === " " && spacePlays) action = togglePlay;
  if (["ArrowRight", "ArrowDown"].includes(event.key)) action = () => step(1);
  if (["ArrowLeft", "ArrowUp"].includes(event.key)) action = () => step(-1);
  action ??= KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
document.addEventListener("keyup", event => { // space on the clip that plays is no click
  const button = event.target.closest?.("button.clip");
  if (event.key === " " && button && Number(button.dataset.row) === playing) event.preventDefault();
});

if (data.views.length > 1) {
  $("view-choice").hidden = false;
  $("view").append(...data.views.map(({by}, index) => element("option", {value: index, textContent: `by ${by}`})));
  $("view").addEventListener("change", () => {
    stopNaming();
    viewIndex = Number($("view").value);
    opened.clear();
    openedParts.clear();
    chosenCluster = chosenGroup = chosenPart = likeRow = sampleRows = null;
    selected.clear();
    draw();
  });
}
// the map
points.addEventListener("pointerdown", event => {
  points.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, pixelsOf(event));
  dragged = 0;
  $("tip").hidden = true;
  if (tool !== "pan") outline = [pixelsOf(event)];
});
points.addEventListener("pointermove", event => {
  if (!pointers.has(event.pointerId)) return showTip(event);
  const before = new Map(pointers);
  pointers.set(event.pointerId, pixelsOf(event));
  if (pointers.size === 1) drag(before.get(event.pointerId), pixelsOf(event));
  else if (pointers.size === 2) pinch(before);
});
points.addEventListener("pointerup", event => {
  if (outline.length > 2) selectInside(outline);
  else if (dragged < 4 && pointers.size === 1) clickMap(event);
});
for (const type of ["pointerup", "pointercancel"]) points.addEventListener(type, event => {
  pointers.delete(event.pointerId);
  outline = [];
  drawFrame();
});
points.addEventListener("pointerleave", () => { $("tip").hidden = true; hear(undefined) });
points.addEventListener("dblclick", showWholeMap);
points.addEventListener("wheel", event => {
  event.preventDefault();
  const pixels = event.deltaY * (event.deltaMode ? 30 : 1); // else it counts lines
  zoom(1.002 ** -pixels, pixelsOf(event));
}, {passive: false});
points.addEventListener("webglcontextlost", event => event.preventDefault());
points.addEventListener("webglcontextrestored", () => {
  paint = painter();
  placesOf = null;
  drawMap();
});
onClick("zoom-in", () => zoom(1.5));
onClick("zoom-out", () => zoom(1 / 1.5));
onClick("whole-map", showWholeMap);
onClick("hear", switchHearing);
for (const button of $("map-tools").querySelectorAll("[data-tool]")) {
  button.hidden = !canMove;
  button.addEventListener("click", () => useTool(button.dataset.tool));
}

function clickMap(event) {
  const row = clipAt(pixelsOf(event));
  if (row === undefined) return;
  if (canMove && (event.shiftKey || event.ctrlKey || event.metaKey)) selectClip(row, event.shiftKey);
  else play(row);
}

useTool("pan");
showWelcome();
saveEdits();
fitCanvases();
new ResizeObserver(fitCanvases).observe(map);
