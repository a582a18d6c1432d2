// the clip that plays: where in it the player is, and a large spectrogram of it
const largeAt = new Map(data.large.rows.map((row, at) => [row, at]));
const largeUrls = data.large.sheets.map(sheet => "data:image/webp;base64," + sheet);

const offsetOf = row => isPartOfFile(row) ? data.start[row] : 0; // where in its file the clip begins
const lengthOf = row => Math.max(data.end[row] - data.start[row], .001);
const secondsShown = row => largeAt.has(row) ? data.large.seconds[largeAt.get(row)] : data.thumbs.seconds;

function pictureOf(row) { // sheet, column, line, and the pictures that a sheet has in each direction
  const large = largeAt.has(row), from = large ? data.large : data.thumbs;
  const number = large ? largeAt.get(row) : row, at = number % from.per;
  const nAll = large ? data.large.rows.length : nClips, sheet = Math.floor(number / from.per);
  const nHere = Math.min(from.per, nAll - sheet * from.per);
  const lines = Math.ceil(nHere / from.columns);
  return {url: (large ? largeUrls : sheetUrls)[sheet], x: at % from.columns, y: Math.floor(at / from.columns),
    columns: from.columns, lines, large};
}

function niceStep(span, n) { // a round step that divides a span into about n parts
  const rough = span / n, power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].find(m => m * power >= rough) * power;
}

function axis(id, ticks, side) {
  $(id).replaceChildren(...ticks.map(([at, text]) => {
    const label = element("span", {textContent: text});
    label.style[side] = `${100 * at}%`;
    return label;
  }));
}

function showScope(row) {
  const {url, x, y, columns, lines, large} = pictureOf(row), picture = $("scope-image"), shown = secondsShown(row);
  $("scope").hidden = !url;
  if (!url) return;
  const share = (i, n) => n > 1 ? 100 * i / (n - 1) : 0;
  picture.style.backgroundImage = `url(${url})`;
  picture.style.backgroundSize = `${100 * columns}% ${100 * lines}%`;
  picture.style.backgroundPosition = `${share(x, columns)}% ${share(y, lines)}%`;
  const step = niceStep(shown, 8), digits = Math.max(0, -Math.floor(Math.log10(step)));
  const times = Array.from({length: Math.floor(shown / step + 1e-9) + 1}, (_, i) => [i * step / shown, (i * step).toFixed(digits)]);
  axis("scope-seconds", times, "left");
  axis("scope-hertz", data.large.ticks.map(([at, hz]) => [at, String(hz / 1000)]), "bottom");
  const blurred = large ? "" : " Only its thumbnail is on this page.";
  const cut = lengthOf(row) > shown + .01 ? ` The first ${seconds(shown)} of ${seconds(lengthOf(row))}.` : "";
  $("scope-note").textContent = `time (s), frequency (kHz).${cut}${blurred}`;
  $("scope-picture").setAttribute("aria-label", `Spectrogram of ${clipName(row)}: ${shown.toFixed(2)} s`);
}

function showPosition() {
  if (playing < 0) return;
  const length = lengthOf(playing), at = Math.min(length, Math.max(0, player.currentTime - offsetOf(playing)));
  $("position").max = length;
  if (document.activeElement !== $("position") || !player.paused) $("position").value = at;
  $("position").setAttribute("aria-valuetext", `${at.toFixed(2)} of ${length.toFixed(2)} seconds`);
  $("time").textContent = `${at.toFixed(2)} / ${length.toFixed(2)} s`;
  const share = at / secondsShown(playing);
  $("scope-cursor").hidden = share > 1;
  $("scope-cursor").style.left = `${100 * Math.min(1, share)}%`;
}

function seek(at) { // seconds from the start of the clip
  if (playing < 0 || !data.audio[playing]) return;
  player.currentTime = offsetOf(playing) + Math.min(Math.max(at, 0), lengthOf(playing) - .01);
}

$("position").addEventListener("input", () => seek(Number($("position").value)));
$("scope-picture").addEventListener("click", event => {
  const box = $("scope-picture").getBoundingClientRect();
  seek((event.clientX - box.left) / box.width * secondsShown(playing));
  if (player.paused) startPlayer(clipName(playing));
});
$("volume").addEventListener("input", () => { player.volume = Number($("volume").value) });
player.addEventListener("seeked", showPosition);
player.addEventListener("loadedmetadata", showPosition);
