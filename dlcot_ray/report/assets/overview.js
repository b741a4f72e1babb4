// The first page: what became of the rows, how much shorter they are, why, and for whom.

function overview() {
  if (DATA.profile) return profilePage();
  forgetDrawings();
  const totals = DATA.totals, traces = totals.enhanced + totals.unchanged + totals.rejected;
  const cut = totals.tokens_before ? 1 - totals.tokens_after / totals.tokens_before : 0;
  const page = el("main.overview", { id: "main" },
    el("section.lead", {},
      el("h1", {}, headline(traces, cut)),
      el("p.dim", {}, visible(DATA.output)), DATA.unitsCounted ? el("p.warning", {}, `The job has not finished. Counts are of ${whole(DATA.unitsCounted[0])} of ${whole(DATA.unitsCounted[1])} complete units.`) : null,
      DATA.about.faults.length ? el("p.warning", {}, `${plural(DATA.about.faults.length, "input or unit")} could not be used; see below.`) : null),
    tiles(totals, traces, cut),
    el("section.grid", {}, flow(totals, traces), lengthFigure(), cutFigure(), pointFigure(), ruleFigure(totals), ...structureFigures()),
    gateSection(totals), groupSections(), changeSection(), rejectedSection(), aboutSection());
  requestAnimationFrame(drawAll);
  return page;
}

function headline(traces, cut) {
  const share = traces ? DATA.totals.enhanced / traces : 0;
  return `${plural(traces, "trace")}: ${percent(share, 0)} changed, ${percent(cut)} of the tokens cut`;
}

function tiles(totals, traces, cut) {
  const tile = (figure, name, note, where) => {
    const inner = [el("b", {}, figure), el("span", {}, name), el("small", {}, note)];
    return where ? el("a.tile", { href: link({ view: "traces", ...where }) }, inner) : el("div.tile", {}, inner);
  };
  const stopped = Object.values(totals.by_gate).reduce((a, b) => a + b, 0);
  return el("section.tiles", {},
    tile(whole(totals.enhanced), "changed", `of ${whole(traces)} traces`, { status: "enhanced" }),
    tile(whole(totals.unchanged), "unchanged", "each with its reason", { status: "unchanged" }),
    tile(whole(totals.rejected), "rejected", "rows that could not be used", totals.rejected ? { view: "rejected" } : null),
    tile(`${short(totals.tokens_before)} \u2192 ${short(totals.tokens_after)}`, "tokens", `${percent(cut)} cut`),
    tile(whole(stopped), "cuts stopped", "by a gate, so less is cut or nothing"));
}

function flow(totals, traces) {
  const part = (name, count, tone, where) => !count ? null : el("a.part", {
    class: `part ${tone}`, href: link({ view: "traces", ...where }), style: { flexGrow: count }, title: `${name}: ${whole(count)}`,
  }, el("span", {}, `${name} ${percent(count / traces, 0)}`));
  const reasons = DATA.reasons.map(([word, count, help]) => [word, count, help]);
  return figure("Where the traces went", `${whole(totals.rows)} input rows, ${plural(totals.files || 0, "file")}`,
    el("div.flow", {}, part("changed", totals.enhanced, "enhanced", { status: "enhanced" }), part("unchanged", totals.unchanged, "unchanged", { status: "unchanged" }), part("rejected", totals.rejected, "rejected", { view: "rejected" })),
    reasons.length ? [el("h3", {}, "why unchanged, or cut less"), bars(reasons, { total: traces, open: (reason) => ({ reason }) })] : null,
    DATA.causes.length ? [el("h3", {}, "why rejected"), bars(DATA.causes, { total: traces, open: (cause) => ({ view: "rejected", cause }), tone: ".bad" })] : null,
    DATA.passed.length ? [el("h3", {}, "not chosen"), bars(DATA.passed, {})] : null);
}

function lengthFigure() {
  if (!DATA.lengths.length) return null;
  const bins = DATA.lengths.map(([least, most, before, after]) => ({
    label: `${whole(least)} to ${whole(most)} tokens`, tick: `\u2264${short(most)}`, range: `${least}..${most}`, counts: [before, after],
  }));
  const series = [{ name: "before", color: "--quiet" }, { name: "after", color: "--keep" }];
  return figure("Length of the traces", "tokens, all rows; a bar opens the traces of that length before", histogram(bins, series, "tokens"));
}

// Equal bins of one number of the sampled rows.
function spread(rows, value, field, width, least, most, label) {
  const bins = [];
  for (let low = least; low < most; low += width) bins.push({ label: label(low, low + width), tick: String(Math.round(low)), range: `${low}..${low + width - 0.001}`, counts: [0] });
  bins[bins.length - 1].range = `${most - width}..${most}`;
  for (const row of rows) {
    const at = Math.min(bins.length - 1, Math.floor((value(row) - least) / width));
    if (at >= 0) bins[at].counts[0] += 1;
  }
  return histogram(bins, [{ name: "traces", color: "--cut" }], field);
}

const sampled = () => (ROWS.length < DATA.sample.of ? `sample of ${whole(ROWS.length)}` : "all traces");

function cutFigure() {
  const rows = ROWS.filter((row) => row.status === "enhanced");
  if (!rows.length) return null;
  return figure("Share that is cut", `changed traces, ${sampled()}`, spread(rows, (row) => 100 * row.cut, "cut", 5, 0, 100, (a, b) => `${a} to ${b} %`));
}

function pointFigure() {
  if (!ROWS.length) return null;
  return figure("Every trace", `tokens before against the share cut, ${sampled()}; a point opens its trace`, points(ROWS));
}

function ruleFigure(totals) {
  const sizes = new Map();
  for (const row of ROWS) for (const [rule, size] of row.cuts) sizes.set(rule, (sizes.get(rule) || 0) + size);
  if (!sizes.size) return null;
  const all = [...sizes.values()].reduce((a, b) => a + b, 0);
  const entries = [...sizes].sort((a, b) => b[1] - a[1]).slice(0, 14);
  return figure("What was cut", `characters by rule, ${sampled()}`, bars(entries, { open: (rule) => ({ rule }), note: (rule, size) => `${percent(size / all)}` }));
}

function structureFigures() {
  const judged = ROWS.filter((row) => row.approaches >= 0);
  if (!judged.length) return [];
  const counted = (field, value, title, note) => {
    const most = Math.min(12, Math.max(...judged.map(value)));
    const bins = Array.from({ length: most + 1 }, (_, n) => ({ label: plural(n, field.slice(0, -2) === "approach" ? "approach" : "check").replace("approachs", "approaches"), tick: n === 12 ? "12+" : String(n), range: n === 12 ? "12.." : `${n}..${n}`, counts: [judged.filter((row) => (n === 12 ? value(row) >= 12 : value(row) === n)).length] }));
    return figure(title, note, histogram(bins, [{ name: "traces", color: "--keep" }], field));
  };
  const arrived = judged.filter((row) => row.arrival >= 0);
  return [
    counted("approaches", (row) => row.approaches, "Approaches per trace", `as the judge found them, ${sampled()}`),
    arrived.length ? figure("Where the right answer first stands", `percent of the text; the rest is behind it, ${sampled()}`, spread(arrived, (row) => 100 * row.arrival, "arrival", 5, 0, 100, (a, b) => `${a} to ${b} %`)) : null,
    figure("Confidence in the labels", `of the judge, ${sampled()}`, spread(judged, (row) => 100 * row.confidence, "confidence", 5, 0, 100, (a, b) => `${a} to ${b} %`)),
  ];
}

function gateSection() {
  if (!DATA.gates.length) return null;
  return el("section.card", {}, el("h2", {}, "Gates"), el("p.dim", {}, "Each gate asks one question of a cut. Where it says no, less is cut, or nothing."),
    el("div.scroll", {}, el("table", {}, el("thead", {}, row("th", "gate", "stopped", "passed", "what it asks", "for example")), el("tbody", {}, DATA.gates.map(([name, stopped, passed, help, examples]) =>
      row("td", stopped ? el("a", { href: link({ view: "traces", gate: name }) }, visible(name)) : visible(name), whole(stopped), whole(passed), help,
        examples.map(([id, detail]) => el("div", {}, el("a", { href: link({ view: "traces", trace: id }) }, visible(id)), detail ? [": ", visible(detail)] : null))))))));
}

function row(tag, ...cells) {
  return el("tr", {}, cells.map((cell) => el(tag, { class: typeof cell === "string" && /^[\d,.]+( %)?$/.test(cell) ? "number" : null }, cell)));
}

function groupSections() {
  return DATA.groups.map((name, at) => {
    const groups = new Map();
    for (const item of ROWS) {
      const value = item.groups[at] || NONE;
      if (!groups.has(value)) groups.set(value, []);
      groups.get(value).push(item);
    }
    const ranked = [...groups].sort((a, b) => b[1].length - a[1].length);
    const mean = (rows, value) => (rows.length ? rows.reduce((sum, item) => sum + value(item), 0) / rows.length : 0);
    const judged = (rows) => rows.filter((item) => item.approaches >= 0);
    return el("section.card", {}, el("h2", {}, "By ", visible(name)), el("p.dim", {}, sampled()),
      el("div.scroll", {}, el("table", {}, el("thead", {}, row("th", visible(name), "traces", "changed", "tokens cut", "mean tokens before", "after", "approaches", "checks", "a gate stopped")),
        groupRows(ranked.map(([value, rows]) => {
          const before = mean(rows, (item) => item.before), after = mean(rows, (item) => item.after);
          return row("td", el("a", { href: link({ view: "traces", [`by${at}`]: value }) }, visible(value)), whole(rows.length), percent(mean(rows, (item) => (item.status === "enhanced" ? 1 : 0)), 0), percent(before ? 1 - after / before : 0), whole(before), whole(after),
            mean(judged(rows), (item) => item.approaches).toFixed(1), mean(judged(rows), (item) => item.checks).toFixed(1), percent(mean(rows, (item) => (item.stopped.length ? 1 : 0)), 0));
        })))));
  });
}

// The first rows of a table; a button shows the others.
function groupRows(rows, few = 12) {
  const body = el("tbody", {}, rows.slice(0, few));
  if (rows.length > few) {
    const more = el("tr", {}, el("td", { colspan: 9 }, el("button.more", { type: "button", onclick: () => { more.remove(); append(body, rows.slice(few)); } }, `show ${whole(rows.length - few)} more`)));
    body.append(more);
  }
  return body;
}

function changeSection() {
  const changes = DATA.changes;
  if (!changes) return null;
  const { total } = changes, number = (value) => (Number.isInteger(value) ? whole(value) : percent(value));
  const figures = Object.entries(total).filter(([name, value]) => typeof value === "number" && !name.endsWith("_before"))
    .map(([name, value]) => [name, number(value) + (typeof total[`${name}_before`] === "number" ? ` (before: ${number(total[`${name}_before`])})` : "")]);
  return el("section.card", {}, el("h2", {}, "What changed since the last snapshot"), el("p.dim", {}, visible(`${changes.snapshot} against ${changes.previous || "nothing: it is the first"}`)),
    el("dl.figures", {}, figures.map(([name, value]) => el("div", {}, el("dt", {}, name.replaceAll("_", " ")), el("dd", {}, value)))));
}

function rejectedSection() {
  if (!DATA.rejected.length) return null;
  const causes = new Map();
  for (const item of DATA.rejected) causes.set(item[4], (causes.get(item[4]) || 0) + 1);
  return el("section.card", {}, el("h2", {}, "Rejected rows"), el("p.dim", {}, el("a", { href: link({ view: "rejected" }) }, `look at ${whole(DATA.rejected.length)} of ${whole(DATA.totals.rejected)}`), ", with the cause and what to do"));
}

function rejectedPage() {
  const { cause } = address();
  const shown = DATA.rejected.filter((item) => !cause || item[4] === cause);
  return el("main.overview", { id: "main" }, el("section.card", {}, el("h2", {}, "Rejected rows"),
    el("p.dim", {}, cause ? ["cause ", el("b", {}, visible(cause)), ", ", el("a", { href: link({ view: "rejected" }) }, "show all"), ". "] : null, `${plural(shown.length, "row")} here; rejected/ has all ${whole(DATA.totals.rejected)}.`),
    el("div.scroll", {}, el("table", {}, el("thead", {}, row("th", "trace", "input", "cause", "what is wrong", "what to do")), el("tbody", {}, shown.map(([id, file, at, stage, why, message, remedy]) =>
      row("td", visible(id ?? "(no id)"), visible(`${file}, row ${at}`), [visible(why), el("small.dim", {}, ` ${stage}`)], visible(message), visible(remedy))))))));
}

function aboutSection() {
  const { settings, files, faults, run, versions } = DATA.about;
  const pairs = (object) => el("dl.figures", {}, Object.entries(object).filter(([, value]) => value !== null).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, visible(typeof value === "object" ? JSON.stringify(value) : value)))));
  return el("section.card", {}, el("h2", {}, "How it was made"), pairs(settings),
    faults.length ? [el("h3", {}, "what could not be used"), el("ul", {}, faults.map(([file, message]) => el("li", {}, visible(`${file}: ${message}`))))] : null,
    files.length ? el("details", {}, el("summary", {}, `inputs (${plural(files.length, "file")} shown)`), el("div.scroll", {}, el("table", {}, el("thead", {}, row("th", "file", "layout", "rows", "changed", "unchanged", "rejected")), el("tbody", {}, files.map((file) => row("td", ...file.map((cell) => (typeof cell === "number" ? whole(cell) : visible(cell))))))))) : null,
    el("details", {}, el("summary", {}, "the last run and versions"), pairs(run), pairs(versions)),
    el("p.dim", {}, `dlcot ${DATA.version}. Counts are of all rows. Figures marked as a sample are of ${whole(ROWS.length)} of ${whole(DATA.sample.of)} traces (seed ${DATA.sample.seed}).`));
}
