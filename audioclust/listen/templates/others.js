// Clips that are not on this page: their names can be searched, and their sounds played where they are linked.
let others = null; // of each clip: name, channel, start, end, and its cluster in each grouping, its label; null until they are unpacked
let otherNames = []; // and labels, in lower case
let unpacking = null; // the promise of these
const MOST_OTHERS = 100; // found clips that are listed

async function unpackOthers() {
  const bytes = Uint8Array.from(atob(data.others.lines), character => character.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  others = (await new Response(unpacked).text()).split("\n");
  otherNames = others.map(line => [line.slice(0, line.indexOf("\t")), line.slice(line.lastIndexOf("\t"))].join("").toLowerCase());
}

function drawOthers() {
  const query = searched();
  $("others").hidden = !data.others || !query || onlyDiffering() || likeRow !== null || sampleRows !== null;
  if ($("others").hidden) return;
  if (!others) {
    unpacking ??= unpackOthers().then(drawOthers, () => {
      $("others-title").textContent = "This browser cannot search the clips that are not on this page: it is too old.";
    });
    return;
  }
  const chosen = new Set(clusterIds().filter(isChosen)), found = [];
  otherNames.forEach((name, i) => {
    if (name.includes(query) && chosen.has(Number(others[i].split("\t")[4 + viewIndex]))) found.push(others[i]);
  });
  const listed = found.length > MOST_OTHERS ? `; the first ${MOST_OTHERS} are listed` : "";
  $("others-title").textContent = `${count(found.length, "clip")} of the ${data.others.n.toLocaleString()} that are not on this page${listed}`;
  $("others-list").replaceChildren(...found.slice(0, MOST_OTHERS).map(line => element("li", {}, otherButton(line))));
}

function otherButton(line) {
  const [path, channel, start, end, ...labels] = line.split("\t");
  const part = Number(start) > 0 ? ` [${seconds(Number(start))} to ${seconds(Number(end))}]` : "";
  const name = printable(path) + (channel === "0" ? "" : ` (channel ${channel})`) + part;
  const cluster = clusterName(Number(labels[viewIndex]));
  const label = labels.at(-1) && ` = ${printable(labels.at(-1))}`;
  const button = element("button", {type: "button", className: "other"}, name, element("span", {className: "dim cut"}, cluster, label));
  button.disabled = data.others.link === null;
  button.addEventListener("click", () => playOther(name, path, start, end));
  return button;
}

function playOther(name, path, start, end) {
  playing = -1;
  moveRing();
  const url = [data.others.link, ...path.split("/").map(encodeURIComponent)].join("/");
  $("now").textContent = `${name} · not on this page`;
  $("now-thumb").replaceChildren();
  $("like").hidden = $("scope").hidden = true;
  player.src = `${url}#t=${start},${end}`;
  startPlayer(name);
}
