"use strict";
const data = JSON.parse(document.getElementById("data").textContent), $ = id => document.getElementById(id);
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"];
const SHAPES = [["circle", "●"], ["triangle-up", "▲"], ["square", "■"], ["diamond", "◆"], ["triangle-down", "▼"], ["triangle-left", "◀"], ["triangle-right", "▶"], ["pentagon", "⬟"], ["cross", "✚"], ["star", "★"], ["x", "✖"]];
const MARKS = {good: "✔ good", check: "? look again", junk: "✘ junk"};
const N = data.file.length, key = "audioclust " + data.run;
let view = 0, chosen = null, shown = [], limit = 60, now = -1, dark = matchMedia("(prefers-color-scheme: dark)").matches;
const wanted = data.views.map(() => null), opened = new Set(); // coarse groups wanted of each view (null is none), and clusters whose group is open
let within = null, groups = new Map(), own = new Map(), middles = new Map(); // a cluster whose group is chosen; cluster → group; group → its clusters, and the one in its middle
let edits = {};
try { edits = JSON.parse(localStorage.getItem(key)) || {} } catch { /* no storage here */ }

// names, merges and marks
const V = () => data.views[view];
const mine = () => edits[V().by] ??= structuredClone(V().edits);
const part = () => edits[V().by] || V().edits;
const target = c => { const m = part().merged; for (let i = 0; i < 99 && m[c] !== undefined; i++) c = m[c]; return Number(c) };
const called = c => { const t = target(c); return part().names[t] || (t < 0 ? "noise" : "cluster " + t) };
const ids = () => Object.keys(V().clusters).map(Number).sort((a, b) => (a < 0) - (b < 0) || a - b);
const colour = c => c < 0 ? (dark ? "#777" : "#aaa") : (dark && c % 8 === 6 ? "#fff" : COLOURS[c % 8]);
const shape = c => c < 0 ? ["circle-open", "○"] : SHAPES[c % SHAPES.length];

// few groups of many clusters
function cut({leaves, joins}, n) { // cluster → group, numbered along the tree, as `coarse` does
  const K = leaves.length, high = n >= K ? -1 : joins.map(j => j[2]).sort((a, b) => a - b)[K - n - 1], out = new Map(), todo = [[2 * K - 2, -1]];
  for (let next = 0; todo.length;) {
    let [node, g] = todo.pop();
    if (g < 0 && (node < K || joins[node - K][2] <= high)) g = next++;
    if (node < K) out.set(leaves[node], g); else todo.push([joins[node - K][1], g], [joins[node - K][0], g]);
  }
  return out;
}
const group = c => groups.get(target(c)) ?? -1;
const coloured = () => groups.size > 0 && $("by-group").checked;
const picked = c => within !== null ? group(c) === group(within) : chosen === null || target(c) === chosen;
const whole = c => c >= 0 && groups.size ? `${called(c)}, group ${group(c)}` : called(c);
function regroup() {
  const tree = V().tree, K = tree ? tree.leaves.length : 0, n = wanted[view];
  groups = n === null ? new Map() : cut(tree, n);
  own = new Map(); middles = new Map();
  if (!groups.size) within = null;
  else {
    for (const c of ids()) if (c >= 0) own.set(group(c), [...own.get(group(c)) ?? [], c]);
    for (const [g, cs] of own) middles.set(g, target(cs[0]));
    const at = tree.leaves.map(c => groups.get(c)); // of a leaf or a join: the group that it lies in
    for (const [a, b, , m] of tree.joins) { const g = at[a] === at[b] ? at[a] : -1; at.push(g); if (g >= 0 && group(m) === g) middles.set(g, target(m)) }
  }
  $("groups-bar").hidden = K < 3; $("by-group-choice").hidden = !groups.size;
  $("groups").max = K; $("groups").value = n ?? K;
  const said = groups.size ? `${own.size} of ${K} clusters` : `all ${K} clusters`;
  $("groups-said").textContent = said; $("groups").setAttribute("aria-valuetext", said);
}

function edited() {
  try { localStorage.setItem(key, JSON.stringify(edits)) } catch { /* no storage here */ }
  draw(); showEdits();
}
function showEdits() {
  const text = JSON.stringify({schema: 1, run: data.run, edits}, null, 1);
  $("edits-text").textContent = text;
  const n = Object.values(edits).reduce((n, e) => n + ["names", "merged", "marks"].reduce((m, k) => m + Object.keys(e[k]).length, 0), 0);
  $("n-edits").textContent = n ? `(${n})` : "(none)";
  return text;
}

// pictures of clips, many to a sheet
const sheets = data.thumbs.sheets.map(text => URL.createObjectURL(new Blob([Uint8Array.from(atob(text), c => c.charCodeAt(0))], {type: "image/webp"})));
function thumb(i) {
  const t = data.thumbs, el = document.createElement("span"), at = i % t.per;
  el.className = "thumb";
  el.style.cssText = `width:${t.width}px;height:${t.height}px`;
  if (sheets.length) { el.style.backgroundImage = `url(${sheets[Math.floor(i / t.per)]})`; el.style.backgroundPosition = `-${at % t.columns * t.width}px -${Math.floor(at / t.columns) * t.height}px` }
  return el;
}
const file = i => data.files[data.file[i]];
const time = s => s.toFixed(s < 10 ? 2 : 1) + " s";
const name = i => data.parts[i] ? `${file(i)} [${time(data.start[i])} to ${time(data.end[i])}]` : file(i);
const sure = i => V().confidence[i] === null ? "" : V().confidence[i].toFixed(2);
function clip(i, tail) {
  const b = document.createElement("button"), text = document.createElement("span");
  b.type = "button"; b.className = "clip" + (i === now ? " now" : ""); b.dataset.row = i;
  b.setAttribute("aria-label", `Play ${name(i)}, ${called(V().labels[i])}, confidence ${sure(i)}`);
  b.title = name(i); text.textContent = name(i);
  b.append(thumb(i), text);
  if (tail) { const d = document.createElement("span"); d.className = "dim"; d.textContent = `${called(V().labels[i])} ${sure(i)}`; b.append(d) }
  return b;
}

// sound
const player = $("player");
const partly = i => data.parts[i] && !(data.audio[i] || "").startsWith("data:") && !(data.audio[i] || "").endsWith("#copy"); // of a recording
function play(i) {
  now = i;
  $("now").textContent = `${name(i)} · ${whole(V().labels[i])} · confidence ${sure(i)}`;
  $("now-thumb").replaceChildren(thumb(i));
  for (const b of document.querySelectorAll(".clip")) b.classList.toggle("now", Number(b.dataset.row) === i);
  ring();
  const src = data.audio[i] || "";
  if (!src) { $("now").textContent += " · its sound is not on this page"; player.removeAttribute("src"); return }
  player.src = partly(i) ? `${src}#t=${data.start[i]},${data.end[i]}` : src;
  player.play().catch(e => { if (e.name !== "AbortError") $("now").textContent = `${name(i)}: cannot be played (${e.message}). If the page was moved, keep it beside the recordings, or make it with --embed.` });
}
function watch() { // a part of a recording ends where it ends
  if (now >= 0 && partly(now) && !player.paused && player.currentTime >= data.end[now]) player.pause();
  if (!player.paused) requestAnimationFrame(watch);
}
player.addEventListener("play", () => {
  if (now >= 0 && partly(now) && player.currentTime >= data.end[now] - .01) player.currentTime = data.start[now];
  $("play").textContent = "❚❚"; requestAnimationFrame(watch);
});
player.addEventListener("pause", () => { $("play").textContent = "▶" });
const toggle = () => now < 0 ? step(1) : player.paused ? player.play() : player.pause();
function step(by) {
  if (!shown.length) return;
  const at = shown.indexOf(now), i = shown[at < 0 ? 0 : (at + by + shown.length) % shown.length];
  play(i);
  document.querySelector(`#clips [data-row="${i}"]`)?.scrollIntoView({block: "nearest"});
}

// map
const gl = (() => { try { return !!document.createElement("canvas").getContext("webgl") } catch { return false } })();
const map = $("map"), kind = gl ? "scattergl" : "scatter";
function layout() {
  const plain = {visible: false, showgrid: false, zeroline: false}, text = getComputedStyle(document.documentElement).getPropertyValue("--front"), back = getComputedStyle(document.documentElement).getPropertyValue("--back");
  return {paper_bgcolor: back, plot_bgcolor: back, margin: {l: 5, r: 5, t: 5, b: 5}, xaxis: plain, yaxis: {...plain, scaleanchor: "x"}, showlegend: false, dragmode: "pan", hovermode: "closest", uirevision: view,
    annotations: words().map(([c, word]) => ({x: V().clusters[c].at[0], y: V().clusters[c].at[1], text: word.replace(/[&<>]/g, m => ({"&": "&amp;", "<": "&lt;", ">": "&gt;"})[m]), showarrow: false, font: {size: 14, color: text, weight: 700}, bgcolor: back + "cc", borderpad: 2, captureevents: false}))};
}
function words() { // what stands on the map, and at which cluster
  if (coloured() && chosen === null && within === null) return [...own.keys()].map(g => [middles.get(g), `group ${g}`]);
  const some = ids().filter(c => c >= 0 && picked(c));
  return some.length > 80 ? [] : some.map(c => [c, called(c).replace("cluster ", "")]);
}
function traces() {
  const l = V().labels, keep = new Set(shown), all = shown.length === N, of = coloured() ? group : target, look = Object.fromEntries(ids().map(c => [c, [colour(of(c)), shape(of(c))[0]]]));
  return [{type: kind, mode: "markers", x: V().x, y: V().y, hoverinfo: "none", marker: {size: N > 5000 ? 5 : 7, line: {width: 0}, color: l.map(c => look[c][0]), symbol: l.map(c => look[c][1]), opacity: l.map((_, i) => all || keep.has(i) ? .85 : .06)}},
    {type: "scatter", mode: "markers", x: now < 0 ? [] : [V().x[now]], y: now < 0 ? [] : [V().y[now]], hoverinfo: "skip", marker: {size: 18, symbol: "circle-open", color: dark ? "#fff" : "#000", line: {width: 3}}}];
}
const drawMap = () => Plotly.react(map, traces(), layout(), {responsive: true, displaylogo: false, scrollZoom: true, modeBarButtons: [["zoomIn2d", "zoomOut2d", "resetScale2d", "pan2d", "zoom2d"]]});
const ring = () => Plotly.restyle(map, {x: [now < 0 ? [] : [V().x[now]]], y: [now < 0 ? [] : [V().y[now]]]}, [1]);

// lists
const stable = c => V().clusters[c].stability;
function draw() {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  const l = V().labels, conf = V().confidence, q = $("search").value.trim().toLowerCase(), by = $("sort").value;
  regroup();
  const ours = new Set(ids().filter(picked));
  shown = [];
  for (let i = 0; i < N; i++) if (ours.has(l[i]) && (!q || name(i).toLowerCase().includes(q) || called(l[i]).toLowerCase().includes(q))) shown.push(i);
  if (by === "name") shown.sort((a, b) => name(a).localeCompare(name(b), undefined, {numeric: true}));
  else shown.sort((a, b) => ((conf[b] ?? -9) - (conf[a] ?? -9)) * (by === "sure" ? 1 : -1));
  drawClusters(); drawOne(); drawClips(); drawMap(); drawCross();
}
const mean = (cs, of) => { const some = cs.filter(c => of(c) != null), n = some.reduce((n, c) => n + V().clusters[c].size, 0); return n ? some.reduce((sum, c) => sum + of(c) * V().clusters[c].size, 0) / n : null };
function drawClusters() {
  const sizes = cs => cs.reduce((n, c) => n + V().clusters[c].size, 0), value = {id: cs => cs[0], size: cs => -sizes(cs), confidence: cs => -(mean(cs, c => V().clusters[c].confidence) ?? -9), stability: cs => -(mean(cs, stable) ?? -9)}, by = $("sort-clusters").value;
  const order = by === "name" ? ids().sort((a, b) => called(a).localeCompare(called(b), undefined, {numeric: true})) : ids().sort((a, b) => (a < 0) - (b < 0) || value[by]([a]) - value[by]([b]));
  const any = ids().some(c => stable(c) != null), was = document.activeElement?.dataset ?? {}, scrolled = $("clusters-box").scrollTop, parts = new Map();
  for (const c of order) { const g = groups.size && c >= 0 ? group(c) : -1; parts.set(g, [...parts.get(g) ?? [], c]) }
  const bodies = [...parts].sort(([g, a], [h, b]) => (g < 0) - (h < 0) || (by === "name" ? 0 : by === "id" ? g - h : value[by](a) - value[by](b)));
  $("has-stability").hidden = !any;
  for (const body of [...$("clusters").tBodies]) body.remove();
  for (const [g, cs] of bodies) {
    const body = $("clusters").createTBody();
    if (g >= 0) body.append(heading(g, cs, any));
    if (g < 0 || cs.some(c => opened.has(c))) body.append(...cs.map(c => line(c, any)));
  }
  $("clusters-box").scrollTop = scrolled;
  for (const what of ["cluster", "group", "fold"]) if (was[what] !== undefined) document.querySelector(`#clusters [data-${what}="${was[what]}"]`)?.focus({preventScroll: true});
}
function sign(c) { const m = document.createElement("span"); m.className = "mark"; m.textContent = shape(c)[1]; m.style.color = colour(c); return m }
function line(c, any) { // a cluster in the list
  const tr = document.createElement("tr"), info = V().clusters[c], b = document.createElement("button");
  tr.className = (chosen === target(c) ? "chosen" : "") + (groups.size && c >= 0 ? " inside" : "");
  b.type = "button"; b.dataset.cluster = c; b.setAttribute("aria-pressed", chosen === target(c));
  b.append(sign((coloured() ? group : target)(c)), " ", called(c) + (target(c) !== c ? ` (was ${c})` : part().names[c] ? ` (${c})` : ""));
  b.addEventListener("click", () => { chosen = chosen === target(c) ? null : target(c); within = null; limit = 60; draw() });
  tr.append(cell(b));
  tr.append(cell(info.size.toLocaleString(), "n"), cell(info.confidence == null ? "–" : info.confidence.toFixed(2), "n"));
  if (any) tr.append(cell(stable(c) == null ? "–" : stable(c).toFixed(2) + (stable(c) < .6 ? " not stable" : ""), "n" + (stable(c) != null && stable(c) < .6 ? " weak" : "")));
  tr.append(cell(MARKS[part().marks[c]] || ""));
  return tr;
}
const many = (n, what) => `${n.toLocaleString()} ${what}${n === 1 ? "" : "s"}`;
const holds = cs => `${many(new Set(cs.map(target)).size, "cluster")}, ${many(cs.reduce((n, c) => n + V().clusters[c].size, 0), "clip")}`;
function heading(g, cs, any) { // a coarse group in the list
  const tr = document.createElement("tr"), th = document.createElement("th"), box = document.createElement("div"), fold = document.createElement("button"), b = document.createElement("button"), about = document.createElement("small");
  const m = middles.get(g), open = cs.some(c => opened.has(c)), first = V().clusters[m].typical[0], on = within !== null && group(within) === g;
  tr.className = "group" + (on ? " chosen" : ""); th.scope = "rowgroup"; th.colSpan = any ? 5 : 4;
  fold.type = b.type = "button"; fold.className = "fold"; fold.dataset.fold = m; b.className = "whole"; b.dataset.group = m;
  fold.textContent = open ? "▾" : "▸"; fold.setAttribute("aria-expanded", open); fold.setAttribute("aria-label", `Clusters of group ${g}`);
  fold.addEventListener("click", () => { if (open) for (const c of cs) opened.delete(c); else opened.add(m); drawClusters() });
  about.textContent = `${holds(cs)}: ${[...new Set(cs.map(called))].map(n => n.replace("cluster ", "")).join(", ")}`;
  b.setAttribute("aria-pressed", on); b.append(...(coloured() ? [sign(g), " "] : []), `group ${g}`, about);
  b.addEventListener("click", () => { within = on ? null : m; chosen = null; limit = 60; draw() });
  box.append(fold, b, clip(first)); th.append(box); tr.append(th);
  return tr;
}
function cell(what, cls = "") { const td = document.createElement("td"); td.className = cls; td.append(what); return td }
function labelled(text, el) { const l = document.createElement("label"); l.append(text, el); return l }
function choice(options, value, change) {
  const s = document.createElement("select");
  for (const [v, t] of options) { const o = document.createElement("option"); o.value = v; o.textContent = t; s.append(o) }
  s.value = value; s.addEventListener("change", () => change(s.value));
  return s;
}
function drawGroup() {
  const g = group(within), cs = own.get(g).filter(c => target(c) === c), m = middles.get(g), title = document.createElement("h2"), h = document.createElement("h3"), box = document.createElement("div");
  title.textContent = `group ${g}: ${holds(own.get(g))}`;
  h.textContent = "The typical clip of each cluster" + (cs.length > 1 ? "; the first is the one in the middle" : "") + (cs.length > 40 ? `; 40 of ${cs.length}` : "");
  box.className = "thumbs";
  box.append(...[m, ...cs.filter(c => c !== m)].slice(0, 40).map(c => { const b = clip(V().clusters[c].typical[0]); b.lastChild.textContent = called(c); return b }));
  $("one").replaceChildren(title, h, box);
}
function drawOne() {
  if (within !== null) return drawGroup();
  if (chosen === null) return $("one").replaceChildren();
  const c = chosen, info = V().clusters[c], title = document.createElement("h2"), row = document.createElement("div"), input = document.createElement("input");
  title.textContent = called(c) + (c < 0 ? ": clips that no cluster took" : "");
  row.className = "row";
  input.value = part().names[c] || ""; input.placeholder = "a name"; input.id = "name"; input.maxLength = 200;
  input.addEventListener("change", () => { const v = input.value.trim(); if (v) mine().names[c] = v; else delete mine().names[c]; edited() });
  const merge = choice([["", "nothing"], ...ids().filter(o => o >= 0 && o !== c && target(o) === o).map(o => [o, called(o)])], "", v => { if (v !== "") { mine().merged[c] = Number(v); chosen = Number(v); edited() } });
  const apart = Object.keys(part().merged).filter(o => target(o) === c);
  merge.id = "merge";
  const mark = choice([["", "none"], ...Object.entries(MARKS)], part().marks[c] || "", v => { if (v) mine().marks[c] = v; else delete mine().marks[c]; edited() });
  mark.id = "mark";
  if (c >= 0) row.append(labelled("Name", input), labelled("Merge into", merge), labelled("Mark", mark));
  for (const o of apart) { const b = document.createElement("button"); b.type = "button"; b.textContent = `Take ${o} out again`; b.addEventListener("click", () => { delete mine().merged[o]; edited() }); row.append(b) }
  const parts = [title, row];
  for (const [text, rows] of [[`Most typical; the first stands for the cluster`, info.typical], ["Most doubtful", info.doubtful]]) if (rows.length && c >= 0) {
    const h = document.createElement("h3"), box = document.createElement("div");
    h.textContent = text; box.className = "thumbs"; box.append(...rows.map(i => clip(i))); parts.push(h, box);
  }
  $("one").replaceChildren(...parts);
}
function drawClips() {
  $("clips-title").textContent = `${shown.length.toLocaleString()} of ${N.toLocaleString()} clips`;
  $("clips").replaceChildren(...shown.slice(0, limit).map(i => { const li = document.createElement("li"); li.append(clip(i, true)); return li }));
  $("more").hidden = shown.length <= limit;
}
function drawCross() {
  $("cross").hidden = data.views.length < 2;
  if (data.views.length < 2) return;
  const [a, b] = data.views, table = document.createElement("table"), rows = Object.keys(a.clusters).map(Number), columns = Object.keys(b.clusters).map(Number), n = {};
  for (let i = 0; i < N; i++) { const k = a.labels[i] + "," + b.labels[i]; n[k] = (n[k] || 0) + 1 }
  const head = table.createTHead().insertRow(), th = (text, scope) => { const h = document.createElement("th"); h.scope = scope; h.textContent = text; return h };
  head.append(th(`by ${a.by} \\ by ${b.by}`, "col"), ...columns.map(c => th(c, "col")));
  const body = table.createTBody();
  for (const r of rows) { const tr = body.insertRow(); tr.append(th(r, "row"), ...columns.map(c => cell(n[r + "," + c] || "·", "n"))) }
  $("cross").querySelector("div").replaceChildren(table);
}

// what a person does
document.addEventListener("click", e => { const b = e.target.closest?.(".clip"); if (b) play(Number(b.dataset.row)) });
let waiting;
$("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => { limit = 60; draw() }, 120) });
$("groups").addEventListener("input", () => {
  const n = Number($("groups").value), from = groups;
  wanted[view] = n < V().tree.leaves.length ? n : null;
  if (chosen !== null && !from.size) opened.add(chosen); // stays in sight
  regroup(); clearTimeout(waiting); waiting = setTimeout(() => { limit = 60; draw() }, 60);
});
$("by-group").addEventListener("change", draw);
for (const id of ["sort", "sort-clusters"]) $(id).addEventListener("change", draw);
$("all").addEventListener("click", () => { chosen = within = null; $("search").value = ""; limit = 60; draw() });
$("more").addEventListener("click", () => { limit += 200; drawClips() });
$("theme").addEventListener("click", () => { dark = !dark; draw() });
$("play").addEventListener("click", toggle);
$("previous").addEventListener("click", () => step(-1));
$("next").addEventListener("click", () => step(1));
$("download").addEventListener("click", () => { const a = document.createElement("a"); a.href = URL.createObjectURL(new Blob([showEdits()], {type: "application/json"})); a.download = "edits.json"; a.click() });
$("copy").addEventListener("click", () => { const done = () => { $("copy").textContent = "Copied" }, by_hand = () => { getSelection().selectAllChildren($("edits-text")); document.execCommand("copy"); done() }; navigator.clipboard ? navigator.clipboard.writeText(showEdits()).then(done, by_hand) : by_hand() });
$("forget").addEventListener("click", () => { if (confirm("Forget all names, merges and marks made in this page?")) { edits = {}; edited() } });
function key_for_us(e) { return !e.ctrlKey && !e.metaKey && !e.altKey && !e.target.closest("input, select, textarea, summary, audio") }
document.addEventListener("keydown", e => {
  if (!key_for_us(e)) return;
  const b = e.target.closest("button");
  if (e.key === " " && (!b || Number(b.dataset.row) === now)) { e.preventDefault(); toggle() }
  else if (["ArrowRight", "ArrowDown"].includes(e.key)) { e.preventDefault(); step(1) }
  else if (["ArrowLeft", "ArrowUp"].includes(e.key)) { e.preventDefault(); step(-1) }
});
document.addEventListener("keyup", e => { const b = e.target.closest?.("button.clip"); if (e.key === " " && b && Number(b.dataset.row) === now) e.preventDefault() });

if (data.views.length > 1) {
  $("view-choice").hidden = false;
  $("view").append(...data.views.map((v, i) => { const o = document.createElement("option"); o.value = i; o.textContent = `by ${v.by}`; return o }));
  $("view").addEventListener("change", () => { view = Number($("view").value); chosen = within = null; opened.clear(); draw() });
}
draw(); showEdits();
map.on("plotly_hover", e => {
  const p = e.points.find(p => p.curveNumber === 0);
  if (!p) return;
  const tip = $("tip"), i = p.pointNumber, text = document.createElement("div");
  text.textContent = `${name(i)} · ${whole(V().labels[i])} ${sure(i)}`;
  tip.replaceChildren(thumb(i), text); tip.hidden = false;
  tip.style.left = Math.min(e.event.clientX + 14, innerWidth - 270) + "px"; tip.style.top = Math.min(e.event.clientY + 14, innerHeight - 190) + "px";
});
map.on("plotly_unhover", () => { $("tip").hidden = true });
map.on("plotly_click", e => { const p = e.points.find(p => p.curveNumber === 0); if (p) play(p.pointNumber) });
