// When the clips of a group were recorded, by the hour, where the names of the files say it.
function hoursChart(rows) {
  const counts = new Array(24).fill(0);
  for (const row of rows) if (data.hour[row] !== null) counts[data.hour[row]]++;
  const most = Math.max(...counts);
  if (!most) return [];
  const bars = counts.map((n, hour) => {
    const bar = element("span", {title: `${hour}:00 to ${hour + 1}:00: ${count(n, "clip")}`});
    bar.style.height = `${100 * n / most}%`;
    return bar;
  });
  const busiest = counts.indexOf(most);
  const chart = element("div", {className: "hours", role: "img"}, ...bars);
  chart.setAttribute("aria-label", `Clips by the hour of the day; most, ${most}, from ${busiest}:00 to ${busiest + 1}:00`);
  const scale = element("div", {className: "hours-scale"}, ...["0", "6", "12", "18", "24 h"].map(text => element("span", {}, text)));
  return [element("h3", {}, `When: by the hour of the day (most: ${count(most, "clip")} from ${busiest}:00)`), chart, scale];
}

const rowsOf = clusters => grouping().labels.flatMap((label, row) => clusters.includes(target(label)) ? [row] : []);
