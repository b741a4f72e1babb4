// One trace: head, timeline, and its text before and after. Only what is near the screen is in the page.

const MODES = { inline: "inline", side: "side by side", cuts: "cuts only", after: "after" };
const CHUNK_ITEMS = 40, CHUNK_CHARACTERS = 5000, KEPT_CHUNKS = 24;
let view = null;

function tracePage(detail) {
  const sums = beginnings(detail.segments);
  view = { detail, sums, mode: preference.get("mode", "inline"), raw: preference.get("raw", "") === "yes", open: new Set(), cut: null, hits: null };
  if (!MODES[view.mode]) view.mode = "inline";
  view.cuts = (detail.edits || []).map((edit, at) => ({ at, start: edit[1], op: edit[0] })).filter((item) => item.op !== "keep");
  marks = null;
  view.text = el("div.passage", { tabindex: "-1" });
  view.line = timeline(detail, sums, (segment) => jumpTo(segment));
  view.pane = el("div.pane", { id: "pane", tabindex: "0", "aria-label": "the text of the trace" }, traceHead(detail), el("div.reader", {}, view.line.node, view.text), traceFoot(detail));
  const ours = view;
  view.pane.addEventListener("scroll", () => onScroll(ours), { passive: true });
  for (const kind of ["wheel", "touchmove", "pointerdown"]) view.pane.addEventListener(kind, () => (ours.cut = null), { passive: true });
  layOut();
  return el("article.trace", {}, toolbar(), view.pane);
}

function toolbar() {
  const modes = el("div.modes", { role: "group", "aria-label": "how the text is shown" }, Object.entries(MODES).map(([name, label]) =>
    el("button", { type: "button", "data-mode": name, "aria-pressed": String(view.mode === name), onclick: () => setMode(name) }, label)));
  const find = el("input.find", { type: "search", placeholder: "find in this trace", "aria-label": "find in this trace", onkeydown: (event) => {
    if (event.key === "Enter") findNext(find.value, event.shiftKey ? -1 : 1);
    if (event.key === "Escape") find.blur();
  }, oninput: () => findNext(find.value, 0) });
  const count = view.cuts.length;
  return el("div.toolbar", {},
    el("button.back", { type: "button", onclick: () => go({ trace: null, segment: null, unit: null, row: null }) }, "\u2190 list"), modes,
    el("button", { type: "button", title: "next cut (n)", disabled: !count, onclick: () => nextCut(1) }, "next cut"), el("span.dim", { id: "cuts" }, plural(count, "cut")),
    el("button", { type: "button", title: "show the characters as they are (r)", "aria-pressed": String(view.raw), onclick: (event) => setRaw(!view.raw, event.currentTarget) }, "raw text"),
    find, el("span.dim", { id: "hits" }));
}

function traceHead(detail) {
  const [before, after] = detail.tokens || [0, 0];
  const help = (DATA.reasons.find(([word]) => word === detail.reason) || [])[2];
  const failed = (detail.gates || []).filter(([, passed]) => !passed);
  return el("header.head", {},
    el("h1", {}, visible(detail.id), " ", el("a.quiet", { href: link({ trace: detail.id, unit: detail.unit, row: detail.row }), title: "a link to this trace" }, "#")),
    detail.status ? el("p.facts", {}, el("span", { class: `chip ${detail.status}` }, detail.status === "enhanced" ? "changed" : detail.status), " ",
      el("b", {}, `${whole(before)} \u2192 ${whole(after)}`), ` tokens${before ? `, ${percent(1 - after / before)} cut` : ""}`, detail.reason ? [" \u00b7 ", el("span.reason", { title: help || "" }, visible(detail.reason)), help ? el("span.dim", {}, ` ${help}`) : null] : null) : null,
    failed.length ? el("ul.failed", {}, failed.map(([name, , text]) => el("li", {}, el("b", {}, "gate ", visible(name), ": "), visible(text), el("span.dim", {}, ` ${gateQuestion(name)}`)))) : null,
    el("div.problem", {}, el("h2", {}, "Problem"), el("div.prose", { dir: "auto" }, folded(detail.problem || "(none)"))),
    detail.truth ? el("p", {}, el("span.dim", {}, "reference answer: "), answer(detail.truth)) : el("p.dim", {}, "There is no reference answer."),
    detail.tokens ? el("details", {}, el("summary", {}, "judge, gates and columns"), judgeFacts(detail)) : null);
}

// A reference answer is often TeX without dollars.
function answer(text) {
  const short_ = text.slice(0, 2000);
  const tex = /\\[a-zA-Z]/.test(short_) && !/[$]|\\[([]/.test(short_);
  return tex ? mathematics({ text: short_, display: false }) : rendered(short_);
}

const gateQuestion = (name) => (DATA.gates.find(([gate]) => gate === name) || [])[3] || "";

function judgeFacts(detail) {
  const found = detail.found;
  return el("div.more", {},
    found ? el("div.scroll", {}, el("table", {}, el("thead", {}, row("th", "step", "decided by", "confidence", "note")), el("tbody", {}, found.steps.map((step) => row("td", step.step.replaceAll("_", " "), step.source, step.confidence.toFixed(2), visible(step.note)))))) : el("p.dim", {}, "There is no annotation of this trace."),
    detail.gates && detail.gates.length ? el("ul.gates", {}, detail.gates.map(([name, passed, text]) => el("li", { class: passed ? "passed" : "stopped" }, `${passed ? "\u2713" : "\u2717"} `, visible(name), text ? [": ", visible(text)] : null))) : null,
    el("dl.figures", {}, Object.entries({ judge: detail.judge, policy: detail.policy, "first right answer": found && found.firstCorrect !== null ? `segment ${found.firstCorrect}` : null, unit: detail.unit, "input row": detail.inputRow, ...detail.extra })
      .filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => el("div", {}, el("dt", {}, visible(name)), el("dd", {}, visible(value))))));
}

function traceFoot(detail) {
  return detail.response ? el("section.foot", {}, el("h2", {}, "Visible reply"), el("div.prose", { dir: "auto" }, folded(detail.response))) : null;
}

// The items of the text, in order: heads, cuts, segments, new texts, folds.
function itemsOf({ detail, mode, open }) {
  const heads = headsOf(detail.found), items = [];
  const edits = detail.edits && detail.edits.length ? detail.edits : [["keep", 0, detail.segments.length, "", ""]];
  const segments = (start, stop, op) => {
    for (let i = start; i < stop; i++) {
      if (heads.has(i)) items.push({ kind: "head", at: i, chips: heads.get(i), size: 60 });
      items.push({ kind: "segment", at: i, op, size: detail.segments[i].length });
    }
  };
  edits.forEach(([op, start, stop, text, reason], at) => {
    if (op === "keep") {
      const hide = mode === "cuts" && stop - start > 3 && !open.has(start);
      if (!hide) return segments(start, stop, "keep");
      if (start > 0) segments(start, start + 1, "keep");
      const [from, to] = [start > 0 ? start + 1 : start, stop < detail.segments.length ? stop - 1 : stop];
      items.push({ kind: "fold", at: from, start, count: to - from, size: 40 });
      return segments(to, stop, "keep");
    }
    if (op !== "insert") items.push({ kind: "cut", at: start, edit: at, op, stop, reason, size: 80 });
    if (op !== "insert" && mode !== "after") segments(start, stop, "drop");
    if (text) items.push({ kind: "new", at: start, text, reason: op === "insert" ? reason : "", size: text.length });
  });
  return items;
}

function headsOf(found) {
  const heads = new Map();
  const add = (at, chip) => heads.set(at, [...(heads.get(at) || []), chip]);
  if (!found) return heads;
  for (const [kind, start] of found.sections) add(start, { name: `chip section-${kind}`, text: SECTIONS[kind] || kind });
  found.approaches.forEach((item, at) => add(item.start, { name: `chip approach ${item.label}`, text: approachText(item, at), color: methodColor(item.method), errors: item.errors }));
  found.checks.forEach((item, at) => add(item.start, { name: `chip check-${item.kind}`, text: checkText(item, at) }));
  for (const [start] of found.loops) add(start, { name: "chip loop", text: "repeats the text before it" });
  return heads;
}

function layOut() {
  const items = itemsOf(view);
  view.observer?.disconnect();
  view.chunks = [];
  view.waitingParts = [];
  let chunk = null;
  for (const item of items) {
    if (!chunk || chunk.items.length >= CHUNK_ITEMS || (chunk.size + item.size > CHUNK_CHARACTERS && chunk.items.length)) {
      chunk = { items: [], size: 0, number: view.chunks.length, node: el("div.chunk", {}), filled: false };
      view.chunks.push(chunk);
    }
    chunk.items.push(item);
    chunk.size += item.size;
  }
  view.chunkOf = new Map();
  for (const part of view.chunks) {
    part.first = part.items[0].at;
    part.node.dataset.chunk = part.number;
    part.node.style.height = `${guess(part)}px`;
    for (const item of part.items) if (item.kind === "segment" || item.kind === "cut") if (!view.chunkOf.has(item.at)) view.chunkOf.set(item.at, part);
  }
  replace(view.text, view.chunks.map((part) => part.node));
  view.text.className = `passage mode-${view.mode}`;
  const ours = view;
  view.observer = new IntersectionObserver((entries) => entries.forEach((entry) => {
    const part = ours.chunks[Number(entry.target.dataset.chunk)];
    if (!part || part.node !== entry.target) return;
    part.near = entry.isIntersecting;
    if (part.near) fillNear(ours, part, entry.boundingClientRect);
    else if (ours.chunks.filter((other) => other.filled).length > KEPT_CHUNKS) emptyChunk(part);
  }), { root: view.pane, rootMargin: "1200px 0px" });
  view.chunks.forEach((part) => view.observer.observe(part.node));
}

function guess(part) {
  const width = Math.max(30, (view.pane.clientWidth || 900) / (view.mode === "side" ? 17 : 8.5));
  return part.items.reduce((height, item) => height + 14 + 22 * Math.ceil(item.size / width), 0);
}

// What is on the screen is filled at once, what is only near when the browser has time, so that it scrolls.
function fillNear(ours, part, box) {
  const pane = ours.pane.getBoundingClientRect();
  if (box.top < pane.bottom && box.bottom > pane.top) return fillChunk(ours, part);
  ours.waitingParts.push(part);
  if (!ours.idle) ours.idle = whenIdle((time) => fillWaiting(ours, time));
}

function fillWaiting(ours, time) {
  ours.idle = 0;
  do {
    const part = ours.waitingParts.shift();
    if (part && part.near && part.node.isConnected) fillChunk(ours, part);
  } while (ours.waitingParts.length && time.timeRemaining() > 4);
  if (ours.waitingParts.length) ours.idle = whenIdle((next) => fillWaiting(ours, next));
}

const whenIdle = window.requestIdleCallback
  ? (act) => requestIdleCallback(act, { timeout: 250 })
  : (act) => setTimeout(() => act({ timeRemaining: () => 0 }), 16);

function fillChunk(ours, part) {
  if (part.filled) return;
  part.filled = true;
  replace(part.node, part.items.map((item) => itemNode(ours, item)));
  part.node.style.height = "";
}

function emptyChunk(part) {
  if (!part.filled) return;
  part.node.style.height = `${part.node.offsetHeight}px`;
  part.node.replaceChildren();
  part.filled = false;
}

function itemNode(ours, item) {
  if (item.kind === "segment") return segmentNode(ours, item);
  if (item.kind === "head") return el("div.heads", {}, item.chips.map((chip) => [el("span", { class: chip.name, style: chip.color ? { borderColor: chip.color } : {} }, visible(chip.text)), (chip.errors || []).map((error) => el("span.chip.error", {}, visible(`${error.kind} error in segment ${error.start}${error.corrected ? ", corrected later" : ""}: ${error.message || error.quote}`)))]));
  if (item.kind === "cut") {
    const size = ours.sums[item.stop] - ours.sums[item.at];
    return el("div.cut", { "data-cut": item.edit, id: `cut${item.edit}` }, el("b", {}, item.op === "replace" ? "\u270e rewritten" : "\u2702 cut"), item.stop - 1 > item.at ? ` segments ${item.at}\u2013${item.stop - 1}, ` : ` segment ${item.at}, `, `${plural(size, "character")} \u00b7 `, el("span.why", {}, visible(item.reason)));
  }
  if (item.kind === "new") {
    const text = el("div.body.new", { dir: "auto" }, item.reason ? el("span.why", {}, visible(`${item.reason}: `)) : null, rendered(ours.raw ? item.text : item.text.trim(), ours));
    return ours.mode === "side" ? el("div.segment.pair", {}, el("span.at", {}), el("div.body.gone", {}), text) : el("div.segment", {}, el("span.at", {}, "+"), text);
  }
  return el("button.fold", { type: "button", onclick: () => { ours.open.add(item.start); layOut(); jumpTo(item.at); } }, `\u2026 ${plural(item.count, "kept segment")} \u2026`);
}

function segmentNode(ours, item) {
  const { detail } = ours, i = item.at, first = detail.found && detail.found.firstCorrect === i;
  const number = el("a.at", { href: link({ ...address(), segment: i }), title: `segment ${i}` }, first ? "\u2605 " : "", i);
  const body = (name) => el(`div.body${name}`, { dir: "auto" }, folded(ours.raw ? detail.segments[i] : detail.segments[i].trimEnd().replace(/^\s*\n/, ""), ours));
  const attributes = { "data-segment": i, class: `segment ${item.op}${first ? " first" : ""}` };
  if (ours.mode !== "side") {
    const node = el("div", attributes, number, body(""));
    ours.decorate?.(node, i);
    return node;
  }
  attributes.class += " pair";
  return el("div", attributes, number, body(item.op === "drop" ? ".before" : ""), item.op === "drop" ? el("div.body.gone", {}) : body(""));
}

// Bring a segment to the top of the pane, and mark it. Heights settle while chunks fill, hence the second try.
function jumpTo(segment, { mark = true, cut = null } = {}) {
  const ours = view;
  if (!ours) return false;
  let part = ours.chunkOf.get(segment);
  if (!part) {
    part = [...ours.chunks].reverse().find((other) => other.first <= segment) || ours.chunks[0];
    if (!part) return false;
  }
  for (const number of [part.number - 1, part.number, part.number + 1]) if (ours.chunks[number]) fillChunk(ours, ours.chunks[number]);
  const target = cut === null ? part.node.querySelector(`[data-segment="${segment}"]`) || part.node : part.node.querySelector(`[data-cut="${cut}"]`) || part.node;
  const move = () => (ours.pane.scrollTop += target.getBoundingClientRect().top - ours.pane.getBoundingClientRect().top - 12);
  move();
  requestAnimationFrame(() => { move(); requestAnimationFrame(move); });
  if (mark) {
    ours.text.querySelectorAll(".here").forEach((node) => node.classList.remove("here"));
    target.classList.add("here");
  }
  return true;
}

function nextCut(step) {
  if (!view || !view.cuts.length) return;
  if (view.cut === null) {
    const top = topSegment();
    const after = view.cuts.findIndex((item) => item.start > top);
    const before = view.cuts.findLastIndex((item) => item.start < top);
    view.cut = step > 0 ? (after < 0 ? 0 : after) : before < 0 ? view.cuts.length - 1 : before;
    if (step > 0 && view.pane.scrollTop < 8) view.cut = 0;
  } else view.cut = (view.cut + step + view.cuts.length) % view.cuts.length;
  const item = view.cuts[view.cut];
  jumpTo(item.start, { cut: item.op === "insert" ? null : item.at });
  const label = document.getElementById("cuts");
  if (label) replace(label, `cut ${view.cut + 1} of ${view.cuts.length}`);
}

// The first segment that reaches into the pane.
function topSegment() {
  const top = view.pane.getBoundingClientRect().top + 14;
  for (const part of view.chunks) {
    if (part.node.getBoundingClientRect().bottom <= top) continue;
    for (const node of part.node.querySelectorAll("[data-segment]")) if (node.getBoundingClientRect().bottom > top) return Number(node.dataset.segment);
    return part.first;
  }
  return view.detail.segments.length - 1;
}

function onScroll(ours) {
  if (ours.waiting) return;
  ours.waiting = requestAnimationFrame(() => {
    ours.waiting = 0;
    const box = ours.pane.getBoundingClientRect();
    ours.line.show(characterAt(ours, box.top), characterAt(ours, box.bottom));
  });
}

function characterAt(ours, y) {
  let low = 0, high = ours.chunks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ours.chunks[middle].node.getBoundingClientRect().top <= y) low = middle;
    else high = middle - 1;
  }
  const part = ours.chunks[low];
  if (!part) return 0;
  const box = part.node.getBoundingClientRect(), next = ours.chunks[low + 1];
  const from = ours.sums[part.first], to = next ? ours.sums[next.first] : ours.sums[ours.sums.length - 1];
  return from + (to - from) * Math.min(1, Math.max(0, (y - box.top) / (box.height || 1)));
}

function keepPlace(change) {
  const at = topSegment();
  change();
  layOut();
  jumpTo(at, { mark: false });
}

function setMode(mode) {
  keepPlace(() => (view.mode = mode));
  preference.set("mode", mode);
  document.querySelectorAll("[data-mode]").forEach((node) => node.setAttribute("aria-pressed", String(node.dataset.mode === mode)));
}

function setRaw(raw, button) {
  keepPlace(() => (view.raw = raw));
  preference.set("raw", raw ? "yes" : "");
  button?.setAttribute("aria-pressed", String(raw));
}

function findNext(words, step) {
  const label = document.getElementById("hits"), wanted = words.toLowerCase();
  CSS.highlights?.delete("found");
  if (!wanted) return replace(label);
  if (!view.hits || view.hits.words !== wanted) {
    const at = view.detail.segments.flatMap((text, i) => (text.toLowerCase().includes(wanted) ? [i] : []));
    view.hits = { words: wanted, at, now: 0 };
  } else view.hits.now = (view.hits.now + step + view.hits.at.length) % Math.max(1, view.hits.at.length);
  const { at, now } = view.hits;
  replace(label, at.length ? `${now + 1} of ${plural(at.length, "segment")}` : "not found");
  if (!at.length) return;
  jumpTo(at[now]);
  highlight(wanted);
}

function highlight(wanted) {
  if (!CSS.highlights) return;
  const ranges = [];
  const walker = document.createTreeWalker(view.text, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const text = node.data.toLowerCase();
    for (let at = text.indexOf(wanted); at >= 0 && ranges.length < 2000; at = text.indexOf(wanted, at + wanted.length)) {
      const range = new Range();
      range.setStart(node, at);
      range.setEnd(node, at + wanted.length);
      ranges.push(range);
    }
  }
  CSS.highlights.set("found", new Highlight(...ranges));
}
