// Pictures: bars as buttons, histograms and points by uPlot. Each bar and point opens the traces behind it.

const FEW = 8;

function bars(entries, options = {}) {
  if (entries.length <= FEW + 2) return barList(entries, options);
  const rest = entries.slice(FEW), most = Math.max(...entries.map(([, count]) => count));
  return [barList(entries.slice(0, FEW), options), el("details.table", {}, el("summary", {}, `${whole(rest.length)} more`), barList(rest, { ...options, most }))];
}

function barList(entries, { total, open, tone = "", note, most = Math.max(1, ...entries.map(([, count]) => count)) } = {}) {
  return el("div.bars", {}, entries.map(([word, count, help, target]) => {
    const share = total ? ` (${percent(count / total)})` : "";
    const inner = [
      el("span.name", {}, visible(word)), el("span.track", {}, el(`span.fill${tone}`, { style: { width: `${(100 * count) / most}%` } })),
      el("span.count", {}, note ? note(word, count) : `${whole(count)}${share}`), help ? el("span.help", {}, help) : null,
    ];
    const where = target === undefined ? open && open(word) : target;
    return where ? el("a.bar", { href: link({ view: "traces", ...where }), title: "show these traces" }, inner) : el("div.bar", {}, inner);
  }));
}

function figure(title, note, ...content) {
  return el("figure.card", {}, el("figcaption", {}, el("b", {}, title), note ? el("span.note", {}, note) : null), content);
}

// Bins: [{label, range, counts: [one per series]}]. A click on a bin opens its range.
function histogram(bins, series, field) {
  const holder = el("div.plot", { role: "img", "aria-label": bins.map((bin) => `${bin.label}: ${bin.counts.join(" and ")}`).join("; ").slice(0, 2000) });
  drawings.push({ holder, draw: () => drawHistogram(holder, bins, series, field) });
  const table = el("details.table", {}, el("summary", {}, "as a table"), el("div.bars", {}, bins.map((bin) =>
    el("a.bar", { href: link({ view: "traces", [bin.field || field]: bin.range }) }, el("span.name", {}, bin.label), el("span.count", {}, bin.counts.map(whole).join(" \u2192 "))))));
  return [holder, legend(series), table];
}

function legend(series) {
  return series.length < 2 ? null : el("div.legend", {}, series.map((item) => el("span", {}, el("i", { style: { background: `var(${item.color})` } }), item.name)));
}

const drawings = [];
function drawAll() {
  for (const item of drawings) if (item.holder.isConnected && item.holder.clientWidth) item.draw();
}
function forgetDrawings() {
  for (const item of drawings) item.holder.plot?.destroy();
  drawings.length = 0;
}

function drawHistogram(holder, bins, series, field) {
  holder.plot?.destroy();
  const ink = cssColor("--dim"), grid = cssColor("--line");
  const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid }, font: "11px system-ui" };
  const step = Math.ceil(bins.length / Math.max(2, holder.clientWidth / 58));
  const plot = new uPlot({
    width: holder.clientWidth, height: 190, legend: { show: false }, cursor: { y: false, points: { show: false }, drag: { setScale: false } },
    scales: { x: { time: false, range: () => [-0.6, bins.length - 0.4] }, y: { range: (u, low, high) => [0, Math.max(1, high * 1.05)] } },
    axes: [
      { ...axis, grid: { show: false }, splits: () => bins.map((_, i) => i).filter((i) => i % step === 0), values: (u, at) => at.map((i) => bins[i]?.tick ?? bins[i]?.label ?? "") },
      { ...axis, size: 44, values: (u, at) => at.map((v) => (Number.isInteger(v) ? short(v) : "")) },
    ],
    series: [{}, ...series.map((item, s) => ({
      label: item.name, stroke: cssColor(item.color), width: 1, points: { show: false },
      fill: cssColor(item.color) + (s ? "aa" : "66"), paths: uPlot.paths.bars({ size: [s ? 0.55 : 0.9, 80] }),
    }))],
  }, [bins.map((_, i) => i), ...series.map((_, s) => bins.map((bin) => bin.counts[s]))], holder);
  holder.plot = plot;
  const tip = tooltip(plot.over);
  plot.over.addEventListener("mousemove", () => tip(bins[plot.cursor.idx] && `${bins[plot.cursor.idx].label}: ${bins[plot.cursor.idx].counts.map(whole).join(" \u2192 ")}`, plot.cursor.left, plot.cursor.top));
  plot.over.addEventListener("mouseleave", () => tip(null));
  plot.over.addEventListener("click", () => {
    const bin = bins[plot.cursor.idx];
    if (bin) go({ view: "traces", [bin.field || field]: bin.range }, { only: true });
  });
}

function tooltip(over) {
  const node = el("div.tip", { hidden: true });
  over.append(node);
  return (text, left, top) => {
    node.hidden = !text;
    if (!text) return;
    replace(node, visible(text));
    node.style.transform = `translate(${Math.min(left + 12, over.clientWidth - node.offsetWidth - 4)}px, ${Math.max(0, top - 30)}px)`;
  };
}

const TONES = { enhanced: "--cut", unchanged: "--quiet" };

// One point per sampled trace: tokens before against the share that is cut. A click opens the trace.
function points(rows) {
  const holder = el("div.plot", { role: "img", "aria-label": `${rows.length} traces by tokens and share cut` });
  drawings.push({ holder, draw: () => drawPoints(holder, rows) });
  return [holder, legend(Object.entries(TONES).map(([name, color]) => ({ name, color })))];
}

function drawPoints(holder, rows) {
  holder.plot?.destroy();
  const sorted = rows.filter((row) => row.before > 0).sort((a, b) => a.before - b.before);
  const ink = cssColor("--dim"), grid = cssColor("--line");
  const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid }, font: "11px system-ui" };
  const states = Object.keys(TONES);
  const plot = new uPlot({
    width: holder.clientWidth, height: 240, legend: { show: false }, cursor: { points: { show: false }, drag: { setScale: false } },
    scales: { x: { time: false, distr: 3 }, y: { range: () => [-3, 103] } },
    axes: [{ ...axis, values: (u, at) => at.map((v) => (v === null ? "" : short(v))), space: 60 }, { ...axis, size: 50, values: (u, at) => at.map((v) => `${v} %`) }],
    series: [{}, ...states.map((state) => ({
      label: state, stroke: cssColor(TONES[state]), paths: () => null,
      points: { show: true, size: 6, width: 0, fill: cssColor(TONES[state]) + "99" },
    }))],
  }, [sorted.map((row) => row.before), ...states.map((state) => sorted.map((row) => (row.status === state ? 100 * row.cut : null)))], holder);
  holder.plot = plot;
  const nearest = () => {
    const { left, top } = plot.cursor;
    let best = null, distance = 14 * 14;
    for (const row of sorted) {
      const d = (plot.valToPos(row.before, "x") - left) ** 2 + (plot.valToPos(100 * row.cut, "y") - top) ** 2;
      if (d < distance) [best, distance] = [row, d];
    }
    return best;
  };
  const tip = tooltip(plot.over);
  plot.over.addEventListener("mousemove", () => {
    const row = nearest();
    plot.over.style.cursor = row ? "pointer" : "";
    tip(row && `${row.id}: ${whole(row.before)} \u2192 ${whole(row.after)} tokens`, plot.cursor.left, plot.cursor.top);
  });
  plot.over.addEventListener("mouseleave", () => tip(null));
  plot.over.addEventListener("click", () => {
    const row = nearest();
    if (row) go({ view: "traces", ...traceLink(row) }, { only: true });
  });
}
