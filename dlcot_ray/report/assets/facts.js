// The sampled rows as objects, and the filters that the address names.

function rowsOf(f) {
  const words = f.words;
  return f.id.map((id, i) => ({
    i, id, unit: words[f.unit[i]], row: f.row[i], status: words[f.status[i]], reason: words[f.reason[i]],
    groups: f.groups[i].map((w) => words[w]), before: f.before[i], after: f.after[i],
    cut: f.before[i] ? 1 - f.after[i] / f.before[i] : 0, stopped: f.stopped[i].map((w) => words[w]),
    cuts: f.cuts[i].map(([w, size]) => [words[w], size]), approaches: f.approaches[i], checks: f.checks[i],
    arrival: f.arrival[i], confidence: f.confidence[i], text: f.text[i],
    ...Object.fromEntries(MEASURED.map(({ name }) => [`p_${name}`, DATA.profile.values[name][i]])),
  }));
}

// A profile has more numbers of each row.
const MEASURED = DATA.profile ? DATA.profile.definitions : [];
const ROWS = rowsOf(DATA.facts);

const RANGES = {
  tokens: ["tokens before", (row) => row.before],
  after: ["tokens after", (row) => row.after],
  cut: ["share cut (%)", (row) => 100 * row.cut],
  confidence: ["confidence (%)", (row) => 100 * row.confidence],
  approaches: ["approaches", (row) => row.approaches],
  checks: ["checks", (row) => row.checks],
  arrival: ["first right answer (% of the text)", (row) => 100 * row.arrival],
  ...Object.fromEntries(MEASURED.map(({ name, title, is_share }) => [`p_${name}`, [title + (is_share ? " (%)" : ""), (row) => (row[`p_${name}`] === null ? NaN : (is_share ? 100 : 1) * row[`p_${name}`])]])),
};
const CHOICES = {
  status: ["status", (row) => [row.status]],
  reason: ["reason", (row) => [row.reason]],
  gate: ["gate that stopped a cut", (row) => row.stopped],
  rule: ["rule that cut", (row) => row.cuts.map(([rule]) => rule)],
  ...Object.fromEntries(DATA.groups.map((name, at) => [`by${at}`, [name, (row) => [row.groups[at]]]])),
};
const FILTERS = [...Object.keys(CHOICES), ...Object.keys(RANGES), "q", "text"];

const NONE = "(none)";

function bounds(range) {
  const [low, high] = String(range).split("..");
  return [low === "" ? -Infinity : Number(low), high === "" || high === undefined ? Infinity : Number(high)];
}

function matches(row, where) {
  for (const [name, [, values]] of Object.entries(CHOICES)) {
    if (where[name] !== undefined && !values(row).some((value) => (value || NONE) === where[name])) return false;
  }
  for (const [name, [, value]] of Object.entries(RANGES)) {
    if (where[name] === undefined) continue;
    const [low, high] = bounds(where[name]);
    const number = value(row);
    if (!(number >= low && number <= high)) return false;
  }
  if (where.text === "yes" && row.text < 0) return false;
  return !where.q || found(row, where.q.toLowerCase());
}

// Words are looked for in ids, reasons and groups, and in the texts that are at hand.
function found(row, words) {
  const head = [row.id, row.reason, ...row.groups].join("\n").toLowerCase();
  return head.includes(words) || (row.text >= 0 && searchable(row.text).includes(words));
}

const texts = new Map();
function searchable(number) {
  if (!texts.has(number)) {
    const detail = embedded(number);
    texts.set(number, [detail.problem, detail.truth || "", ...detail.segments].join("").toLowerCase());
  }
  return texts.get(number);
}

function embedded(number) {
  return JSON.parse(document.getElementById(`t${number}`).textContent);
}

function filtered(where = address()) {
  return ROWS.filter((row) => matches(row, where));
}

// How often each value of a choice occurs in the sample, most frequent first.
function tally(name, rows = ROWS) {
  const counts = new Map();
  for (const row of rows) for (const value of CHOICES[name][1](row)) counts.set(value || NONE, (counts.get(value || NONE) || 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

function traceLink(row, segment) {
  const kept = Object.fromEntries(Object.entries(address()).filter(([name]) => FILTERS.includes(name)));
  return { ...kept, trace: row.id, ...(isUnique(row) ? {} : { unit: row.unit, row: row.row }), ...(segment === undefined ? {} : { segment }) };
}

const idCounts = new Map();
for (const row of ROWS) idCounts.set(row.id, (idCounts.get(row.id) || 0) + 1);
function isUnique(row) {
  return !SERVER && idCounts.get(row.id) === 1;
}
