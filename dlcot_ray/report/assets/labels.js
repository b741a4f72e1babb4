// Labels by reading: sections, ways, checks, the first right answer, what may go. Then the output, then a verdict.

const LABEL_KEYS = [
  ["click, Shift-click", "choose segments"], ["\u2193 / \u2191, with Shift", "the same by keyboard"], ["1 \u2026 5", "from here on: says the task, understands, explores, verifies, concludes"],
  ["a", "approach"], ["v", "check"], ["c", "the right answer first stands here"], ["x", "may go"], ["u", "needed"], ["w", "a second way"], ["z", "take the last mark back"], ["s", "save"],
];
const LABEL_TOO = new Set(["j / k", "/", "d", "Esc"]);
const KINDS = Object.keys(SECTIONS);
const RANGED = { drop: "may go", needed: "needed", second_methods: "second way" };
const labelled = new Set(SERVER ? SERVER.labelled : []);
const COLUMNS = { approaches: "approaches", verifications: "verifications", first: "first_correct_segment", drop: "drop" };
const drafts = new Map();
let marks = null;

function emptyMarks(count) {
  return { kinds: Array(count).fill(""), approaches: [], verifications: [], first: null, drop: [], needed: [], second_methods: [], none: {} };
}

function marksOf(labels, count) {
  const made = emptyMarks(count);
  if (!labels || labels.segments !== count) return made;
  for (const { kind, start, stop } of labels.sections || []) made.kinds.fill(kind, start, stop);
  for (const name of ["approaches", "verifications", "drop", "needed", "second_methods"]) made[name] = (labels[name] || []).map((item) => ({ ...item }));
  made.first = labels.first_correct_segment ?? null;
  for (const [name, column] of Object.entries(COLUMNS)) made.none[name] = column in labels && !(labels[column]?.length || Number.isInteger(labels[column]));
  return made;
}

// What is saved. A column without an entry is left out, so it labels nothing, unless the reader said "none".
function labelsOf({ kinds, approaches, verifications, first, drop, needed, second_methods, none }) {
  const sections = [];
  kinds.forEach((kind, at) => {
    const last = sections[sections.length - 1];
    if (last && last.kind === kind && last.stop === at) last.stop = at + 1;
    else if (kind) sections.push({ kind, start: at, stop: at + 1 });
  });
  const inOrder = (items) => [...items].sort((a, b) => a.start - b.start);
  const ordered = inOrder(approaches);
  const checks = inOrder(verifications).map((item) => ({ ...item, approach: item.approach === null || approaches[item.approach] === undefined ? null : ordered.indexOf(approaches[item.approach]) }));
  const kept = (name, value, there) => (there || none[name] ? { [COLUMNS[name]]: value } : {});
  return {
    ...(sections.length ? { sections } : {}), ...kept("approaches", ordered, ordered.length), ...kept("verifications", checks, checks.length), ...kept("first", first, first !== null), ...kept("drop", inOrder(drop), drop.length),
    ...(needed.length ? { needed: inOrder(needed) } : {}), ...(second_methods.length ? { second_methods: inOrder(second_methods) } : {}),
  };
}

function labelPage(detail) {
  if (detail.edits) return verdictPage(detail);
  const page = tracePage({ ...detail, edits: [], gates: [], found: null, tokens: null });
  const key = `${detail.unit}\n${detail.row}`;
  marks = drafts.get(key) || { ...marksOf(detail.labels, detail.segments.length), at: 0, to: 0, past: [], dirty: false };
  drafts.set(key, marks);
  const ours = view;
  view.decorate = (node, at) => decorate(node, at);
  view.pane.addEventListener("click", (event) => {
    const node = event.target.closest("[data-segment]");
    if (!node || ours !== view || event.target.closest("a, button, select")) return;
    choose(Number(node.dataset.segment), event.shiftKey);
  });
  page.querySelector(".toolbar").replaceWith(labelBar());
  view.panel = el("aside.panel", { id: "panel" });
  page.append(view.panel);
  page.classList.add("labelling");
  layOut();
  drawPanel();
  return page;
}

// What a reader sees before the first trace.
function labelWelcome() {
  const key = (name) => el("kbd", {}, name);
  return el("div.empty.welcome", { id: "welcome" },
    el("h2", {}, "You label as ", visible(SERVER.label)),
    el("ol", {},
      el("li", {}, "Choose a trace on the left; ", key("j"), " takes the next one. What the judge thinks is hidden."),
      el("li", {}, "Click the segment in which a part begins and press ", key("1"), " to ", key("5"), ": says the task again, understands, explores, verifies, concludes."),
      el("li", {}, "Choose several segments by Shift-click: ", key("a"), " is an approach to the answer, ", key("v"), " a check, ", key("x"), " may go, ", key("u"), " is needed. ", key("c"), " marks where the right answer first stands."),
      el("li", {}, "On the right, say which approaches are correct and which use the same method."),
      el("li", {}, "Save with ", key("s"), ". Then you can see the output and say TRAIN (fit to train on), HARMED (something needed is gone) or UNDERCUT (more could go).")),
    el("p.dim", {}, "You need not mark everything: what you do not mark is not compared. Labels are kept in ", el("code", {}, visible(SERVER.file)), ". ", key("?"), " shows all keys."));
}

function labelBar() {
  const key = (name, text, act) => el("button", { type: "button", onclick: act, title: name }, el("kbd", {}, name), ` ${text}`);
  return el("div.toolbar", {}, el("button.back", { type: "button", onclick: () => go({ trace: null, segment: null, unit: null, row: null }) }, "\u2190 list"),
    KINDS.map((kind, at) => key(String(at + 1), SECTIONS[kind], () => mark(String(at + 1)))), key("a", "approach", () => mark("a")), key("v", "check", () => mark("v")), key("c", "first right answer", () => mark("c")),
    key("x", "may go", () => mark("x")), key("u", "needed", () => mark("u")), key("w", "second way", () => mark("w")), key("z", "undo", () => mark("z")), key("s", "save", save));
}

function choose(at, extend) {
  const last = view.detail.segments.length - 1;
  at = Math.max(0, Math.min(last, at));
  if (extend) marks.to = at;
  else marks.at = marks.to = at;
  redecorate();
}

const chosen = () => [Math.min(marks.at, marks.to), Math.max(marks.at, marks.to) + 1];

function mark(key) {
  const [start, stop] = chosen();
  if (key === "z") {
    const before = marks.past.pop();
    if (before) Object.assign(marks, JSON.parse(before));
  } else {
    marks.past.push(JSON.stringify({ kinds: marks.kinds, approaches: marks.approaches, verifications: marks.verifications, first: marks.first, drop: marks.drop, needed: marks.needed, second_methods: marks.second_methods, none: marks.none }));
    change(key, start, stop);
  }
  marks.dirty = true;
  redecorate();
  drawPanel();
}

function change(key, start, stop) {
  const kind = KINDS[Number(key) - 1];
  // One chosen segment stands for the rest of the trace, as one reads on; several are marked alone.
  if (kind) marks.kinds.fill(kind, start, stop - start > 1 ? stop : marks.kinds.length);
  else if (key === "a") put(marks.approaches, { start, stop, label: null, method: null });
  else if (key === "v") put(marks.verifications, { start, stop, kind: "affirmation", approach: before(start) });
  else if (key === "c") marks.first = marks.first === start ? null : start;
  else toggle(marks[{ x: "drop", u: "needed", w: "second_methods" }[key]], start, stop);
}

// A new range takes the place of those of its kind that it overlaps.
function put(items, item) {
  for (let i = items.length - 1; i >= 0; i--) if (items[i].start < item.stop && item.start < items[i].stop) items.splice(i, 1);
  items.push(item);
}

function before(start) {
  let best = null;
  marks.approaches.forEach((item, at) => {
    if (item.start < start && (best === null || item.start > marks.approaches[best].start)) best = at;
  });
  return best;
}

function toggle(items, start, stop) {
  const inside = items.findIndex((item) => item.start <= start && stop <= item.stop);
  if (inside < 0) {
    const joined = items.filter((item) => item.start <= stop && start <= item.stop);
    for (const item of joined) items.splice(items.indexOf(item), 1);
    items.push({ start: Math.min(start, ...joined.map((item) => item.start)), stop: Math.max(stop, ...joined.map((item) => item.stop)) });
    return;
  }
  const [whole_] = items.splice(inside, 1);
  if (whole_.start < start) items.push({ start: whole_.start, stop: start });
  if (stop < whole_.stop) items.push({ start: stop, stop: whole_.stop });
}

function decorate(node, at) {
  if (!marks) return;
  const [start, stop] = chosen();
  const inside = (items) => items.findIndex((item) => item.start <= at && at < item.stop);
  node.classList.toggle("chosen", at >= start && at < stop);
  const tags = [];
  if (marks.kinds[at]) tags.push(el("span", { class: `chip section-${marks.kinds[at]}`, title: SECTIONS[marks.kinds[at]] }, String(KINDS.indexOf(marks.kinds[at]) + 1)));
  const way = inside(marks.approaches), check = inside(marks.verifications);
  if (way >= 0) tags.push(el("span.chip.approach", {}, "a", marks.approaches[way].start === at ? el("b", {}, " begins") : null));
  if (check >= 0) tags.push(el("span.chip", {}, "v", marks.verifications[check].start === at ? el("b", {}, " begins") : null));
  if (marks.first === at) tags.push(el("span.chip.star", {}, "\u2605 first right answer"));
  for (const [name, text] of Object.entries(RANGED)) if (inside(marks[name]) >= 0) tags.push(el("span", { class: `chip mark-${name}` }, text));
  let holder = node.querySelector(".tags");
  if (!holder) node.append((holder = el("div.tags", {})));
  replace(holder, tags);
}

function redecorate() {
  view.text.querySelectorAll("[data-segment]").forEach((node) => decorate(node, Number(node.dataset.segment)));
}

function drawPanel() {
  const { panel } = view;
  const select = (values, value, set, name) => el("select", { "aria-label": name, onchange: (event) => { set(event.target.value === "" ? null : event.target.value); marks.dirty = true; } },
    values.map(([key, text]) => el("option", { value: key === null ? "" : key, selected: String(key) === String(value) }, text)));
  const place = (item) => el("a", { href: link({ ...address(), segment: item.start }) }, `${item.start}\u2013${item.stop - 1}`);
  const remove = (items, item) => el("button", { type: "button", title: "remove", "aria-label": "remove", onclick: () => { items.splice(items.indexOf(item), 1); marks.dirty = true; redecorate(); drawPanel(); } }, "\u00d7");
  const ways = marks.approaches, methods = [[null, "method ?"], ...ways.map((_, n) => [n + 1, `method ${n + 1}`])];
  const none = (name) => el("label.check", {}, el("input", { type: "checkbox", "data-none": name, checked: marks.none[name], onchange: (event) => { marks.none[name] = event.target.checked; marks.dirty = true; } }), " there is none");
  replace(panel,
    el("p.dim", {}, "What you leave without a mark is not compared. If there is none of it, tick the box."),
    el("h2", {}, "Approaches"), ways.length ? null : none("approaches"),
    ways.map((item, at) => el("div.item", {}, `${at} `, place(item), select([[null, "label ?"], ["correct", "correct"], ["incorrect", "incorrect"], ["incomplete", "incomplete"]], item.label, (value) => (item.label = value), "label"), select(methods, item.method, (value) => (item.method = value === null ? null : Number(value)), "method"), remove(ways, item))),
    el("h2", {}, "Checks"), marks.verifications.length ? null : none("verifications"), marks.verifications.map((item) => el("div.item", {}, place(item), select([["affirmation", "affirms"], ["negation", "negates"], ["check", "leaves open"]], item.kind, (value) => (item.kind = value), "kind"), select([[null, "of ?"], ...ways.map((_, n) => [n, `of ${n}`])], item.approach, (value) => (item.approach = value === null ? null : Number(value)), "approach"), remove(marks.verifications, item))),
    el("h2", {}, "First right answer"), marks.first === null ? none("first") : el("p", {}, `segment ${marks.first}`),
    marks.drop.length ? null : [el("h2", {}, "May go"), none("drop")],
    Object.entries(RANGED).map(([name, text]) => marks[name].length ? [el("h2", {}, text[0].toUpperCase() + text.slice(1)), marks[name].map((item) => el("div.item", {}, place(item), remove(marks[name], item)))] : null),
    el("div.item.end", {}, el("button.primary", { type: "button", onclick: save }, "Save"), labelled.has(view.detail.id) ? el("button", { type: "button", id: "reveal", onclick: reveal }, "Show the output") : null),
    labelled.has(view.detail.id) ? null : el("p.dim", {}, "The judge's view and the output can be seen when your labels are saved."));
}

const whichTrace = () => ({ unit: view.detail.unit, row: view.detail.row });

async function save() {
  const answer = await ask("labels", whichTrace(), labelsOf(marks));
  if (!answer) return;
  marks.dirty = false;
  marks.past = [];
  labelled.add(view.detail.id);
  say(`saved in ${answer.file}; j takes the next trace`);
  document.querySelectorAll("#list a.row").forEach((node) => node.classList.toggle("labelled", labelled.has(node.dataset.id)));
  drawPanel();
}

async function reveal() {
  const detail = await ask("trace", { ...whichTrace(), reveal: "yes" });
  if (detail) showDetail(document.getElementById("holder"), detail);
}

function verdictPage(detail) {
  const page = tracePage(detail), { labels } = detail;
  marks = null;
  const note = el("input", { type: "text", id: "note", placeholder: "why", "aria-label": "why", value: labels.verdict_note || "" });
  const buttons = ["TRAIN", "HARMED", "UNDERCUT"].map((verdict) => el("button", { type: "button", "data-verdict": verdict, "aria-pressed": String(labels.verdict === verdict), onclick: async () => {
    if (!(await ask("verdict", whichTrace(), { verdict, note: note.value }))) return;
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.verdict === verdict)));
    say(`saved: ${verdict}`);
  } }, verdict));
  page.querySelector(".toolbar").append(el("span.verdict", {}, "verdict: ", buttons, note, el("button", { type: "button", onclick: async () => { const source = await ask("trace", whichTrace()); if (source) showDetail(document.getElementById("holder"), source); } }, "back to my labels")));
  return page;
}

function labelKey(event) {
  if (!marks || view.detail.edits?.length) return false;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const next = (event.shiftKey ? marks.to : marks.at) + (event.key === "ArrowDown" ? 1 : -1);
    choose(next, event.shiftKey);
    jumpNear(marks.to);
  } else if (event.key === "s") save();
  else if (/^[1-5avcxuwz]$/.test(event.key)) mark(event.key);
  else return false;
  event.preventDefault();
  return true;
}

function jumpNear(at) {
  const node = view.text.querySelector(`[data-segment="${at}"]`);
  if (node) node.scrollIntoView({ block: "nearest" });
  else jumpTo(at, { mark: false });
}

// In a server's page: rows beyond the sample, looked for in the output itself.
function wholeSearch(where) {
  if (ROWS.length >= DATA.sample.of && !where.q) return null;
  const told = el("p.dim", { id: "searched" });
  let first = 0;
  const button = el("button.more", { type: "button", id: "search-all", onclick: async () => {
    const filters = Object.fromEntries(FILTERS.filter((name) => where[name] !== undefined).map((name) => [name, where[name]]));
    const answer = await ask("rows", { ...filters, first });
    if (!answer) return;
    const known = new Set(ROWS.map((item) => `${item.unit}\n${item.row}`));
    const fresh = rowsOf(answer.rows).filter((item) => !known.has(`${item.unit}\n${item.row}`));
    fresh.forEach((item) => { item.i = ROWS.length; ROWS.push(item); });
    listed.push(...fresh);
    append(document.querySelector("#list .rows"), fresh.map(listRow));
    first = answer.next;
    replace(told, `${whole(answer.units)} of ${whole(SERVER.units)} units looked through, ${plural(listed.length, "trace")}`);
    button.hidden = first === null;
    replace(button, "look further");
  } }, `look through all ${whole(DATA.sample.of)} traces`);
  return [button, told];
}

window.addEventListener("beforeunload", (event) => {
  if ([...drafts.values()].some((draft) => draft.dirty)) event.preventDefault();
});
