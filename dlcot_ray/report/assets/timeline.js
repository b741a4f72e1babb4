// The whole trace as a strip of lanes: sections, approaches by method, checks, cuts, the first right answer.

const SECTIONS = {
  question_repeat: "says the task again", problem_understand: "understands the problem", solution_explore: "explores",
  verify: "verifies", conclusion: "concludes",
};
const METHODS = 8;
const letter = (number) => (number < 26 ? String.fromCharCode(65 + number) : `M${number}`);
const methodColor = (number) => `var(--m${number % METHODS})`;

function approachText(item, at) {
  const answer = item.answer === null ? "no answer" : `answer ${item.answer}`;
  return `approach ${at}: method ${letter(item.method)}, ${item.label} (by ${item.source}), ${answer}, confidence ${item.confidence}`;
}

function checkText(item, at) {
  return `check ${at}: ${item.kind}${item.approach === null ? "" : ` of approach ${item.approach}`}`;
}

// Where each segment begins, in characters; one entry more than segments.
function beginnings(segments) {
  const sums = [0];
  for (const text of segments) sums.push(sums[sums.length - 1] + text.length);
  return sums;
}

function timeline(detail, sums, jump) {
  const total = sums[sums.length - 1] || 1;
  const strip = el("div.strip", { role: "img", "aria-label": "the trace as a timeline" });
  const block = (lane, start, stop, title, style = {}, name = "") => {
    const node = el(`div.block.lane${lane}`, {
      title: plain(title), style: { top: `${(100 * sums[start]) / total}%`, height: `${(100 * (sums[stop] - sums[start])) / total}%`, ...style },
    });
    if (name) node.classList.add(name);
    strip.append(node);
  };
  const found = detail.found || { sections: [], approaches: [], checks: [], loops: [] };
  for (const [kind, start, stop] of found.sections) block(0, start, stop, SECTIONS[kind] || kind, {}, `section-${kind}`);
  found.approaches.forEach((item, at) => block(1, item.start, item.stop, approachText(item, at), { background: methodColor(item.method) }, item.label));
  found.checks.forEach((item, at) => block(2, item.start, item.stop, checkText(item, at), {}, `check-${item.kind}`));
  for (const [start, stop] of found.loops) block(2, start, stop, "repeats the text before it", {}, "loop");
  for (const [op, start, stop, , reason] of detail.edits || []) if (op === "drop" || op === "replace") block(3, start, stop, `${op}: ${reason}`, {}, op);
  if (Number.isInteger(found.firstCorrect)) {
    strip.append(el("div.first", { title: "the right answer first stands here", style: { top: `${(100 * sums[found.firstCorrect]) / total}%` } }, "\u2605"));
  }
  const window = el("div.window", {});
  strip.append(window);
  strip.addEventListener("click", (event) => {
    const box = strip.getBoundingClientRect();
    const at = ((event.clientY - box.top) / box.height) * total;
    jump(segmentAt(sums, at));
  });
  const names = el("div.lanes", { "aria-hidden": "true" }, ["parts", "ways", "checks", "cuts"].map((name) => el("span", {}, name)));
  return { node: el("div.timeline", {}, names, strip), show: (from, to) => Object.assign(window.style, { top: `${(100 * from) / total}%`, height: `${(100 * Math.max(0, to - from)) / total}%` }) };
}

function segmentAt(sums, character) {
  let low = 0, high = sums.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sums[middle] <= character) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}
