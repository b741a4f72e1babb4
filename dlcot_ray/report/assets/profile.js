// The first page of a profile: what the traces are like, by source and teacher, before any edit.

const PROFILE = DATA.profile;
const figureOf = (measure, value) => (value === null || value === undefined ? "\u2013" : measure.is_share ? percent(value) : value >= 100 ? whole(value) : value.toFixed(2).replace(/\.?0+$/, ""));

function profilePage() {
  forgetDrawings();
  const { all } = PROFILE.figures;
  const page = el("main.overview", { id: "main" },
    el("section.lead", {}, el("h1", {}, `${plural(PROFILE.traces, "trace")} as they are`), el("p.dim", {}, visible(DATA.output)),
      PROFILE.unreadable.length ? el("p.warning", {}, `${plural(PROFILE.unreadable.length, "file")} could not be read; see below.`) : null),
    all ? [profileTiles(all), el("section.grid", {}, ...profileFigures(all)), measureSection(all), PROFILE.groups.map(groupSection)] : el("p.warning", {}, "No trace could be judged."),
    faultSection());
  requestAnimationFrame(drawAll);
  return page;
}

function profileTiles(all) {
  const tile = (value, name, note) => el("div.tile", {}, el("b", {}, value), el("span", {}, name), el("small", {}, note));
  const ends = (word) => (all.ends[word] || 0) / all.traces, mean = (name) => all.measures[name].mean;
  const [policy] = PROFILE.policies;
  return el("section.tiles", {},
    tile(short(all.measures.tokens.median ?? 0), "tokens", `median; 9 of 10 below ${short(all.measures.tokens.p90 ?? 0)}`),
    tile(percent(ends("right"), 0), "end on the reference", `${percent(ends("unknown"), 0)} have none`),
    tile(mean("behind_answer") === null ? "\u2013" : percent(mean("behind_answer"), 0), "behind the answer", "mean share of the text"),
    tile(whole(all.copies.exact + all.copies.near), "copies", `${whole(all.copies.exact)} the same, ${whole(all.copies.near)} nearly`),
    tile(percent(all.cut[policy] ?? 0), "would be cut", `by ${policy}`));
}

function profileFigures(all) {
  const sections = Object.entries(all.sections).sort((a, b) => b[1] - a[1]);
  const policies = Object.entries(all.chosen).map(([name, share]) => [name, share, all.cut[name] === undefined ? "" : `behind its gates: ${percent(all.cut[name])}, ${plural(all.changed[name] || 0, "trace")} changed`]);
  const shares = (title, note, entries) => figure(title, note, bars(entries, { note: (name, share) => percent(share) }));
  const counts = (title, counted) => figure(title, null, bars(Object.entries(counted), { total: all.traces }));
  return [
    shares("Text by section", "mean share of the characters", sections), counts("How they end", all.ends),
    counts("Languages", all.languages), counts("What answers are compared with", all.references),
    shares("What each policy would choose", "share of the characters before its gates; behind them less is cut", policies.sort((a, b) => b[1] - a[1])),
    ...PROFILE.definitions.map(measureFigure),
  ];
}

// The sampled traces by one measure, in at most 20 bins; a bar opens its traces.
function measureFigure(measure) {
  const name = `p_${measure.name}`, known = ROWS.filter((row) => row[name] !== null);
  const most = Math.max(0, ...known.map((row) => row[name]));
  if (!known.length || most === 0 || new Set(known.map((row) => row[name])).size < 3) return null;
  const scale = measure.is_share ? 100 : 1, unit = measure.is_share ? " %" : "";
  const top = measure.is_share ? 100 : most, whole_ = !measure.is_share && known.every((row) => Number.isInteger(row[name]));
  const width = whole_ ? Math.max(1, Math.ceil((top + 1) / 20)) : top / 20;
  const text = (value) => (whole_ || measure.is_share ? whole(value) : value.toFixed(2));
  return figure(measure.title, `${measure.help}; ${sampled()}`, spread(known, (row) => scale * row[name], name, width, 0, whole_ ? width * Math.ceil((top + 1) / width) : top, (a, b) => (whole_ && width === 1 ? text(a) : `${text(a)} to ${text(whole_ ? b - 1 : b)}${unit}`)));
}

function measureSection(all) {
  return el("section.card", {}, el("h2", {}, "All figures"), el("p.dim", {}, `of ${plural(all.traces, "trace")}; defined for n of them`),
    el("div.scroll", {}, el("table", {}, el("thead", {}, row("th", "figure", "mean", "10 % below", "median", "90 % below", "n", "what it says")), el("tbody", {}, PROFILE.definitions.map((measure) => {
      const found = all.measures[measure.name], cell = (key) => figureOf(measure, found[key]);
      return row("td", measure.title, cell("mean"), cell("p10"), cell("median"), cell("p90"), whole(found.n), measure.help);
    })))));
}

function groupSection(name) {
  const groups = Object.entries(PROFILE.figures[name] || {}), at = DATA.groups.indexOf(name);
  if (groups.length < 2) return null;
  const shown = PROFILE.definitions, [policy] = PROFILE.policies;
  return el("section.card", {}, el("h2", {}, "By ", visible(name)), el("p.dim", {}, "means"),
    el("div.scroll", {}, el("table", {}, el("thead", {}, row("th", visible(name), "traces", "end right", ...shown.map((measure) => measure.title), "copies", "would be cut")), groupRows(groups.map(([value, found]) =>
      row("td", el("a", { href: link({ view: "traces", [`by${at}`]: value }) }, visible(value)), whole(found.traces), percent((found.ends.right || 0) / found.traces, 0), ...shown.map((measure) => figureOf(measure, found.measures[measure.name].mean)),
        whole(found.copies.exact + found.copies.near), percent(found.cut[policy] ?? 0)))))));
}

function faultSection() {
  const causes = Object.entries(PROFILE.rejected), reasons = Object.entries(PROFILE.not_judged);
  return el("section.card", {}, el("h2", {}, "What was looked at"),
    el("p.dim", {}, `${whole(PROFILE.rows)} of ${whole(PROFILE.of_rows)} rows${PROFILE.rows < PROFILE.of_rows ? ` (seed ${PROFILE.seed}); copies of rows outside the sample are not seen` : ""}, in ${PROFILE.seconds.toFixed(0)} s. dlcot ${DATA.version}, judge ${PROFILE.judge}. Nothing was changed.`),
    causes.length ? [el("h3", {}, "rows that a job would reject"), el("ul", {}, causes.map(([cause, found]) => el("li", {}, visible(`${cause}: ${whole(found.count)}, such as ${found.example}`))))] : null,
    reasons.length ? [el("h3", {}, "traces that were not judged"), bars(reasons, {})] : null,
    PROFILE.unreadable.length ? [el("h3", {}, "what could not be read"), el("ul", {}, PROFILE.unreadable.map((text) => el("li", {}, visible(text))))] : null);
}
