// The list of traces with its filters, beside the trace that is open.

const PAGE = 150;
// Columns whose value is not the same for all rows.
const TELLING = DATA.groups.map((_, at) => new Set(ROWS.map((item) => item.groups[at])).size > 1);
let listed = [];

function tracesPage() {
  const where = address();
  const list = el("aside.list", { id: "list" });
  const holder = el("section.holder", { id: "holder" });
  fillList(list, where);
  return el("main", { class: `traces${where.trace !== undefined ? " open" : ""}`, id: "main" }, list, holder);
}

function fillList(list, where) {
  listed = filtered(where);
  if (!where.q) listed.sort((a, b) => (b.text >= 0) - (a.text >= 0) || a.i - b.i);
  const rows = el("ol.rows", {});
  let shown = 0;
  const more = el("button.more", { type: "button", onclick: () => add() }, "show more");
  const add = () => {
    append(rows, listed.slice(shown, shown + PAGE).map(listRow));
    shown = Math.min(listed.length, shown + PAGE);
    more.hidden = shown >= listed.length;
  };
  add();
  const texts = listed.filter((item) => item.text >= 0).length;
  const count = el("p.dim", { id: "count" }, plural(listed.length, "trace"), SERVER ? "" : ` here, ${whole(texts)} with text`);
  replace(list, filterForm(where), chips(where), count, rows, more, SERVER ? wholeSearch(where) : el("p.dim", {}, ROWS.length < DATA.sample.of ? `A sample of ${whole(DATA.sample.of)} traces. ` : "", DATA.profile ? "" : "All texts: dlcot view OUT"));
}

function filterForm(where) {
  const search = el("input", { type: "search", id: "search", placeholder: "search ids, words", "aria-label": "search", value: where.q || "" });
  let timer;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => go({ q: search.value || null }, { replaceIt: true }), 200);
  });
  search.addEventListener("keydown", (event) => event.key === "Escape" && search.blur());
  const choice = (name) => {
    const values = tally(name).slice(0, 60);
    const given = where[name];
    if (given !== undefined && !values.some(([value]) => value === given)) values.push([given, 0]);
    return values.length < 2 && given === undefined ? null : el("label", {}, el("span", {}, visible(CHOICES[name][0])), el("select", { "data-filter": name, onchange: (event) => go({ [name]: event.target.value || null }, { replaceIt: true }) },
      el("option", { value: "" }, "all"), values.map(([value, count]) => el("option", { value, selected: value === given }, `${plain(value)} (${count})`))));
  };
  const range = (name) => {
    const [low, high] = where[name] === undefined ? ["", ""] : String(where[name]).split("..");
    const inputs = [low, high].map((value, at) => el("input", { type: "number", step: "any", value: value === undefined ? "" : value, placeholder: at ? "most" : "least", "aria-label": `${at ? "most" : "least"} ${RANGES[name][0]}`, "data-filter": `${name}${at}` }));
    const change = () => {
      const text = inputs.map((input) => input.value).join("..");
      go({ [name]: text === ".." ? null : text }, { replaceIt: true });
    };
    inputs.forEach((input) => input.addEventListener("change", change));
    return el("label.range", {}, el("span", {}, RANGES[name][0]), inputs);
  };
  const all = el("details.filters", { open: preference.get("filters", "") === "yes", ontoggle: (event) => preference.set("filters", event.target.open ? "yes" : "") }, el("summary", {}, "filters"),
    el("div.fields", {}, Object.keys(CHOICES).map(choice), ["tokens", "cut", "confidence", "approaches"].map(range),
      SERVER ? null : el("label.check", {}, el("input", { type: "checkbox", checked: where.text === "yes", onchange: (event) => go({ text: event.target.checked ? "yes" : null }, { replaceIt: true }) }), "only with text")));
  return el("form.search", { onsubmit: (event) => event.preventDefault() }, search, all);
}

function chips(where) {
  const given = FILTERS.filter((name) => where[name] !== undefined && name !== "q");
  if (!given.length) return null;
  const label = (name) => (CHOICES[name] || RANGES[name] || ["with text"])[0];
  return el("div.chips", {}, given.map((name) => el("button.chip", { type: "button", title: "remove this filter", onclick: () => go({ [name]: null }, { replaceIt: true }) }, visible(`${label(name)}: ${where[name]}`), " \u00d7")),
    el("button.chip", { type: "button", onclick: () => go(Object.fromEntries(given.map((name) => [name, null])), { replaceIt: true }) }, "clear"));
}

function listRow(item) {
  return el("li", {}, el("a", { href: link({ view: "traces", ...traceLink(item) }), class: `row ${item.status}${item.text < 0 && !SERVER ? " without" : ""}${labelled.has(item.id) ? " labelled" : ""}`, "data-id": item.id, "data-unit": item.unit, "data-row": item.row },
    el("span.id", {}, visible(item.id)),
    SERVER && SERVER.label ? null : el("span.meter", { title: `${percent(item.cut)} cut` }, el("i", { style: { width: `${Math.max(0, 100 * item.cut)}%` } })),
    el("small", {}, SERVER && SERVER.label ? `${short(item.before)} tokens` : `${short(item.before)} \u2192 ${short(item.after)}`, item.reason ? [" \u00b7 ", visible(item.reason)] : null, item.groups.filter((group, at) => group && TELLING[at]).map((group) => [" \u00b7 ", visible(group)]))));
}

function isOpen(item, where) {
  return item.id === where.trace && (where.unit === undefined || (item.unit === where.unit && String(item.row) === String(where.row)));
}

function markOpen() {
  const where = address();
  document.querySelectorAll("#list a.row").forEach((node) => {
    const open = node.dataset.id === where.trace && (where.unit === undefined || (node.dataset.unit === where.unit && node.dataset.row === String(where.row)));
    node.classList.toggle("open", open);
    if (open) {
      node.setAttribute("aria-current", "true");
      node.scrollIntoView({ block: "nearest" });
    } else node.removeAttribute("aria-current");
  });
}

function step(by) {
  const where = address();
  const readable = SERVER ? listed : listed.filter((item) => item.text >= 0);
  if (!readable.length) return;
  const now = readable.findIndex((item) => isOpen(item, where));
  const next = readable[now < 0 ? 0 : Math.min(readable.length - 1, Math.max(0, now + by))];
  go({ view: "traces", ...traceLink(next), segment: null });
}

// What an address without the text of its trace shows.
function missing(item, id) {
  return el("article.trace", {}, el("div.pane", { id: "pane" }, el("header.head", {}, el("button.back", { type: "button", onclick: () => go({ trace: null, segment: null, unit: null, row: null }) }, "\u2190 list"), el("h1", {}, visible(id)),
    item && item.status ? el("p", {}, `${whole(item.before)} \u2192 ${whole(item.after)} tokens, ${item.status}`, item.reason ? [" (", visible(item.reason), ")"] : null) : null,
    SERVER ? el("p.warning", {}, visible(ask.error || "The server sent nothing.")) : [el("p", {}, item ? "This file counts the trace, but does not hold its text." : "This file does not hold the trace."), el("p", {}, "To read it: ", el("code", {}, "dlcot view ", visible(DATA.output)))])));
}
