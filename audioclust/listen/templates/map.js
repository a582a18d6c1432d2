// The map of all clips, drawn by Plotly: one trace holds the clips, the other a ring around the clip that plays.
const map = $("map");
function hasWebgl() { try { return !!document.createElement("canvas").getContext("webgl") } catch { return false } }
const traceType = hasWebgl() ? "scattergl" : "scatter";
const modeBar = [["zoomIn2d", "zoomOut2d", "resetScale2d", "pan2d", "zoom2d", ...(canMove ? ["lasso2d", "select2d"] : [])]];
const plotlyConfig = {responsive: true, displaylogo: false, scrollZoom: true, modeBarButtons: modeBar};
const ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"};

function drawMap() { Plotly.react(map, [clipTrace(), ringTrace()], mapLayout(), plotlyConfig) }
function moveRing() { Plotly.restyle(map, {x: [ringPosition("x")], y: [ringPosition("y")]}, [1]) }
function ringPosition(axis) { return playing < 0 ? [] : [grouping()[axis][playing]] }

function clipTrace() {
  const {x, y, labels} = grouping();
  const styleFor = c => ({color: colour(styleOf(c)), symbol: shape(styleOf(c))[0]});
  const styles = Object.fromEntries(clusterIds().map(c => [c, styleFor(c)]));
  const shown = new Set(shownRows), allShown = shownRows.length === nClips;
  const marker = {
    size: nClips > 5000 ? 5 : 7,
    line: {width: 0},
    color: labels.map(c => styles[c].color),
    symbol: labels.map(c => styles[c].symbol),
    opacity: labels.map((_, row) => allShown || shown.has(row) ? .85 : .06),
  };
  return {type: traceType, mode: "markers", x, y, hoverinfo: "none", marker};
}

function ringTrace() {
  const marker = {size: 18, symbol: "circle-open", color: dark ? "#fff" : "#000", line: {width: 3}};
  return {type: "scatter", mode: "markers", x: ringPosition("x"), y: ringPosition("y"), hoverinfo: "skip", marker};
}

function mapLayout() {
  const style = getComputedStyle(document.documentElement);
  const front = style.getPropertyValue("--front"), back = style.getPropertyValue("--back");
  const axis = {visible: false, showgrid: false, zeroline: false};
  const annotation = ([cluster, text]) => ({
    x: grouping().clusters[cluster].at[0],
    y: grouping().clusters[cluster].at[1],
    text: text.replace(/[&<>]/g, character => ENTITIES[character]),
    showarrow: false,
    font: {size: 14, color: front, weight: 700},
    bgcolor: back + "cc",
    borderpad: 2,
    captureevents: false,
  });
  return {
    paper_bgcolor: back,
    plot_bgcolor: back,
    margin: {l: 5, r: 5, t: 5, b: 5},
    xaxis: axis,
    yaxis: {...axis, scaleanchor: "x"},
    showlegend: false,
    dragmode: "pan",
    hovermode: "closest",
    uirevision: viewIndex,
    annotations: mapTexts().map(annotation),
  };
}

function mapTexts() { // pairs (cluster where a text stands, text)
  const nothingChosen = chosenCluster === null && chosenGroup === null;
  if (colouredByGroup() && nothingChosen) return [...middles].map(([group, middle]) => [middle, `group ${group}`]);
  const clusters = clusterIds().filter(c => c >= 0 && isChosen(c));
  return clusters.length > 80 ? [] : clusters.map(c => [c, clusterName(c).replace("cluster ", "")]);
}

function clipUnder(event) { return event.points.find(point => point.curveNumber === 0)?.pointNumber }

function showTip(event) {
  const row = clipUnder(event);
  if (row === undefined) return;
  const tip = $("tip");
  const text = `${clipName(row)} · ${fullName(grouping().labels[row])} ${confidenceText(row)}`;
  tip.replaceChildren(thumbnail(row), element("div", {}, text));
  tip.hidden = false;
  tip.style.left = Math.min(event.event.clientX + 14, innerWidth - 270) + "px";
  tip.style.top = Math.min(event.event.clientY + 14, innerHeight - 190) + "px";
}
