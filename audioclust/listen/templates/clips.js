// A clip as a button with its thumbnail, and its sound.
const sheetUrls = data.thumbs.sheets.map(base64 => {
  const bytes = Uint8Array.from(atob(base64), character => character.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], {type: "image/webp"}));
});

function thumbnail(row) { // all have one scale of time: short clips end before the picture does, long ones go on
  const {width, height, columns, per} = data.thumbs, at = row % per, share = lengthOf(row) / data.thumbs.seconds;
  const picture = element("span", {className: "picture"}), el = element("span", {className: "thumb"}, picture);
  el.style.cssText = `width:${width}px;height:${height}px`;
  if (!sheetUrls.length) return el;
  picture.style.backgroundImage = `url(${sheetUrls[Math.floor(row / per)]})`;
  picture.style.backgroundPosition = `-${at % columns * width}px -${Math.floor(at / columns) * height}px`;
  if (share < .98) picture.style.width = `${100 * share}%`;
  el.classList.toggle("goes-on", share > 1.02);
  return el;
}

const seconds = s => s.toFixed(s < 10 ? 2 : 1) + " s";
const fileOf = row => data.files[data.file[row]];
const clipName = row => fileOf(row) + (data.parts[row] ? ` [${seconds(data.start[row])} to ${seconds(data.end[row])}]` : "");
function pictureName(row) { // below a picture there is little room: the end of the path says most
  const file = fileOf(row), end = file.length > 24 ? "…" + file.slice(-23) : file;
  return data.parts[row] ? `${end} at ${seconds(data.start[row])}` : end;
}
function confidenceText(row) {
  const value = nameChance(row) ?? grouping().confidence[row];
  return value === null ? "" : value.toFixed(2) + (isGuess(row) ? ", a guess" : "");
}

function noteText(row) { // such as " A4" for 69; "" where it has no steady note
  const note = Math.round(grouping().notes?.[row] ?? -1);
  return note < 0 ? "" : ` ${["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"][note % 12]}${Math.floor(note / 12) - 1}`;
}

function clipButton(row, withCluster) {
  const name = clipName(row), cluster = clusterName(grouping().labels[row]), confidence = confidenceText(row);
  const className = "clip" + (row === playing ? " now" : "") + (selected.has(row) ? " selected" : "");
  const title = element("span", {className: "name"}, withCluster ? name : pictureName(row));
  const button = element("button", {type: "button", className, title: name}, thumbnail(row));
  button.dataset.row = row;
  const speech = data.speech[row] ? " speech" : "";
  const label = labelText(row);
  const shown = withCluster ? `${cluster}${label} ${seconds(lengthOf(row))} ${name}${speech}` : `${pictureName(row)}${speech}${label}, ${cluster}`;
  button.setAttribute("aria-label", `Play ${shown}, confidence ${confidence}`);
  if (speech) title.append(" ", element("span", {className: "speech", title: "People may be speaking here"}, "speech"));
  if (!withCluster) title.append(...labelElement(row));
  button.append(withCluster ? clipLine(row, cluster, title) : title);
  return button;
}

function clipLine(row, cluster, label) { // its cluster, how long it is, how clearly it belongs there, and last the name of its file
  const confidence = nameChance(row) ?? grouping().confidence[row], about = element("span", {className: "clip-about"});
  about.append(markerOf(styleOf(grouping().labels[row])), element("span", {className: "cut"}, cluster + (isGuess(row) ? " ?" : "")), ...labelElement(row), " ");
  about.append(element("span", {className: "dim"}, seconds(lengthOf(row)) + noteText(row)), " ");
  if (confidence !== null) about.append(bar(confidence));
  return element("span", {className: "clip-line"}, about, " ", label);
}

// sound
const player = $("player");
function isPartOfFile(row) { // does its file hold more than the clip?
  const url = data.audio[row] || "";
  return data.parts[row] && !url.startsWith("data:") && !url.endsWith("#copy");
}

function play(row, withoutScope = false) {
  playing = row;
  $("like").hidden = !hasPoints();
  $("now").textContent = clipName(row) + (naming ? "" : ` · ${fullName(grouping().labels[row])}${labelText(row)} · confidence ${confidenceText(row)}`);
  $("now-thumb").replaceChildren(thumbnail(row));
  for (const button of document.querySelectorAll(".clip")) {
    button.classList.toggle("now", Number(button.dataset.row) === row);
  }
  moveRing();
  if (!withoutScope) showScope(row);
  showPosition();
  const url = data.audio[row];
  if (!url) {
    $("now").textContent += " · its sound is not on this page";
    player.removeAttribute("src");
    return;
  }
  player.src = isPartOfFile(row) ? `${url}#t=${data.start[row]},${data.end[row]}` : url;
  startPlayer(clipName(row));
}

function startPlayer(name) {
  const advice = "If the page was moved, keep it beside the recordings, or make it with --embed.";
  player.play().catch(error => { if (error.name !== "AbortError") $("now").textContent = `${name}: cannot be played (${error.message}). ${advice}` });
}

function stopAtEnd() { // a part of a recording ends where the clip ends
  showPosition();
  if (player.paused) return;
  if (playing >= 0 && isPartOfFile(playing) && player.currentTime >= data.end[playing]) player.pause();
  if (!player.paused) requestAnimationFrame(stopAtEnd);
}

player.addEventListener("play", () => {
  const atEnd = playing >= 0 && isPartOfFile(playing) && player.currentTime >= data.end[playing] - .01;
  if (atEnd) player.currentTime = data.start[playing];
  $("play").textContent = "❚❚";
  requestAnimationFrame(stopAtEnd);
});
player.addEventListener("pause", () => {
  $("play").textContent = "▶";
  showPosition();
});

function togglePlay() {
  if (playing < 0) step(1);
  else if (player.paused) startPlayer(clipName(playing));
  else player.pause();
}

function step(by) { // to the next or the previous clip of the list
  if (!shownRows.length) return;
  const at = shownRows.indexOf(playing);
  const row = shownRows[at < 0 ? 0 : (at + by + shownRows.length) % shownRows.length];
  play(row);
  document.querySelector(`#clips [data-row="${row}"]`)?.scrollIntoView({block: "nearest"});
}
