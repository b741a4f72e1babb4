// The frame: pages by address, keys, theme, and the traces that a server sends.

let current = { page: "", filters: "", trace: "" };

function frame() {
  // A reader who labels sees no figures first: they would tell what the judge thinks.
  const nav = el("nav", {}, SERVER && SERVER.label ? null : el("a", { href: "#", "data-page": "overview" }, "Overview"), el("a", { href: link({ view: "traces" }), "data-page": "traces" }, "Traces"));
  replace(document.getElementById("app"),
    el("a.skip", { href: "#main", onclick: (event) => { event.preventDefault(); document.getElementById("main")?.focus(); } }, "skip to the content"),
    el("header.top", {}, el("b.brand", {}, "dlcot"), nav, el("span.output", {}, visible(DATA.output)),
      el("button", { type: "button", id: "theme", title: "light or dark (d)", "aria-label": "light or dark", onclick: turnTheme }, "\u25d0"), el("button", { type: "button", title: "keys (?)", "aria-label": "keys", onclick: showKeys }, "?")),
    el("div", { id: "page" }), el("div.said", { id: "said", role: "status", hidden: true }), keyDialog());
}

const KEYS = [["j / k", "next, previous trace"], ["n / p", "next, previous cut"], ["f", "first right answer"], ["m", "inline, side by side, cuts only, after"], ["r", "raw text"], ["/", "search"], ["o", "overview"], ["d", "light or dark"], ["Esc", "back to the list"]];

function keyDialog() {
  return el("dialog", { id: "keys" }, el("h2", {}, "Keys"), el("dl.keys", {}, (SERVER && SERVER.label ? [...LABEL_KEYS, ...KEYS.filter(([key]) => LABEL_TOO.has(key))] : KEYS).map(([key, text]) => el("div", {}, el("dt", {}, el("kbd", {}, key)), el("dd", {}, text)))), el("form", { method: "dialog" }, el("button", {}, "close")));
}

function showKeys() {
  const dialog = document.getElementById("keys");
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  preference.set("theme", theme);
}

function turnTheme() {
  setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  drawAll();
}

function show() {
  const where = address();
  const page = where.view === "rejected" ? "rejected" : where.view === "traces" || where.trace !== undefined || (SERVER && SERVER.label) ? "traces" : "overview";
  const filters = JSON.stringify([where.cause, ...FILTERS.map((name) => where[name])]);
  const holder = document.getElementById("page");
  if (page !== current.page || (page === "rejected" && filters !== current.filters)) {
    replace(holder, page === "overview" ? overview() : page === "rejected" ? rejectedPage() : tracesPage());
    window.scrollTo(0, 0);
    current = { page, filters, trace: "" };
  } else if (page === "traces" && filters !== current.filters) {
    refill(where);
    current.filters = filters;
  }
  document.querySelectorAll("nav a").forEach((node) => (node.dataset.page === page ? node.setAttribute("aria-current", "page") : node.removeAttribute("aria-current")));
  if (page === "traces") openTrace(where);
}

// New filters: the list is made again, and the field that was typed in keeps its caret.
function refill(where) {
  const active = document.activeElement, typed = active && active.id === "search" ? active.selectionStart : null;
  const name = active?.dataset?.filter;
  fillList(document.getElementById("list"), where);
  if (typed !== null) {
    const search = document.getElementById("search");
    search.focus();
    search.setSelectionRange(typed, typed);
  } else if (name) document.querySelector(`[data-filter="${name}"]`)?.focus();
}

async function openTrace(where) {
  const holder = document.getElementById("holder");
  document.getElementById("main").classList.toggle("open", where.trace !== undefined);
  const key = where.trace === undefined ? "" : JSON.stringify([where.trace, where.unit, where.row]);
  if (!key) {
    view = null;
    current.trace = "";
    replace(holder, SERVER && SERVER.label ? labelWelcome() : el("p.empty", {}, "Choose a trace. ", el("kbd", {}, "j"), " takes the next one."));
  } else if (key !== current.trace) {
    current.trace = key;
    const item = ROWS.find((row) => isOpen(row, where));
    const detail = await detailOf(item, where);
    if (current.trace !== key) return;
    if (detail === null) {
      view = null;
      replace(holder, missing(item, where.trace));
    } else showDetail(holder, detail);
  }
  markOpen();
  if (view && where.segment !== undefined) jumpTo(Math.min(Number(where.segment) || 0, view.detail.segments.length - 1));
}

function showDetail(holder, detail) {
  replace(holder, SERVER && SERVER.label ? labelPage(detail) : tracePage(detail));
  view.pane.focus({ preventScroll: true });
  onScroll(view);
}

async function detailOf(item, where) {
  if (item && item.text >= 0) return embedded(item.text);
  if (!SERVER) return null;
  const query = where.unit !== undefined ? { unit: where.unit, row: where.row } : item ? { unit: item.unit, row: item.row } : { id: where.trace };
  return ask("trace", query);
}

async function ask(what, query, body) {
  try {
    const answer = await fetch(`api/${what}?${new URLSearchParams(query)}`, { method: body ? "POST" : "GET", headers: { "X-Dlcot-Token": SERVER.token, ...(body ? { "Content-Type": "application/json" } : {}) }, body: body && JSON.stringify(body) });
    const content = await answer.json();
    if (answer.ok) return content;
    ask.error = content.error || `the server answered ${answer.status}`;
  } catch (error) {
    ask.error = `the server does not answer; is dlcot view still running? (${error.message})`;
  }
  say(ask.error);
  return null;
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.getElementById("keys").open) return;
  const target = event.target;
  if (target.closest && target.closest("input, select, textarea, [contenteditable]")) return;
  if (SERVER && SERVER.label && view && labelKey(event)) return;
  const action = {
    j: () => step(1), k: () => step(-1), n: () => nextCut(1), p: () => nextCut(-1), d: turnTheme, "?": showKeys, o: () => go({}, { only: true }),
    f: () => view?.detail.found && Number.isInteger(view.detail.found.firstCorrect) && jumpTo(view.detail.found.firstCorrect),
    m: () => view && setMode(Object.keys(MODES)[(Object.keys(MODES).indexOf(view.mode) + 1) % 4]),
    r: () => view && setRaw(!view.raw, document.querySelector('.toolbar [title^="show the characters"]')),
    "/": () => (current.page === "traces" ? document.getElementById("search") : (go({ view: "traces" }, { only: true }), null))?.focus(),
    Escape: () => address().trace !== undefined && go({ trace: null, segment: null, unit: null, row: null }),
  }[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

setTheme(preference.get("theme", matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
frame();
// Counts and plots come at once. What shows texts waits for the rest of the page, which holds them.
const overviewFirst = !SERVER?.label && !/[#&](trace|view|q)=/.test(location.hash);
if (overviewFirst) show();
document.addEventListener("DOMContentLoaded", () => {
  if (!overviewFirst) show();
  window.addEventListener("hashchange", show);
  document.addEventListener("keydown", onKey);
  document.documentElement.dataset.ready = "yes";
});
let resizing;
window.addEventListener("resize", () => {
  clearTimeout(resizing);
  resizing = setTimeout(drawAll, 150);
});
