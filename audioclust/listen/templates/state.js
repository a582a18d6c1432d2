"use strict";
// What the page shows now. The scripts share their names: listen.html puts them into one element, in its order.
const data = JSON.parse(document.getElementById("data").textContent);
const nClips = data.file.length;
const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g; // characters that turn the order of others round
const printable = text => text.replace(TURNING, c => "\\u" + c.charCodeAt().toString(16).padStart(4, "0"));
data.files = data.files.map(printable);
const $ = id => document.getElementById(id);

let viewIndex = 0; // which grouping
let chosenCluster = null;
let chosenGroup = null; // a cluster whose coarse group is chosen: the group may change its number, the cluster stays
let shownRows = []; // rows of the clips in the list, in its order
let listLength = 60; // clips listed at first; "Show more clips" adds some
let playing = -1; // row of the clip that plays or was played last
let dark = matchMedia("(prefers-color-scheme: dark)").matches;

const grouping = () => data.views[viewIndex];
const clusterIds = () => Object.keys(grouping().clusters).map(Number).sort((a, b) => (a < 0) - (b < 0) || a - b);
const sizeOf = clusters => clusters.reduce((n, c) => n + grouping().clusters[c].size, 0);

function element(tag, properties = {}, ...children) {
  const el = Object.assign(document.createElement(tag), properties);
  el.append(...children);
  return el;
}
