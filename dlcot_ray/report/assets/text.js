// Text of traces as nodes: mathematics by KaTeX, code by highlight.js, everything else as it stands.

// Characters that would reorder, hide or control what a person reads: C0 and C1 controls, bidi controls,
// zero-width ones, the byte order mark, tags. Each is shown as its code.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\udb40[\udc00-\udc7f]/g;
const NAMED = { "\r": "CR", "\u001b": "ESC", "\u0000": "NUL", "\u0007": "BEL" };
const LONGEST_FORMULA = 4000;
const LONGEST_CODE = 40000;
const LONGEST_TEXT = 20000;

function visible(text) {
  const parts = [];
  let at = 0;
  text = String(text);
  for (const found of text.matchAll(HIDDEN)) {
    if (found[0] === "\r" && text[found.index + 1] === "\n") continue;
    if (found.index > at) parts.push(text.slice(at, found.index));
    const code = found[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    parts.push(el("span.control", { title: `the character U+${code}` }, NAMED[found[0]] || `U+${code}`));
    at = found.index + found[0].length;
  }
  if (at < text.length) parts.push(text.slice(at));
  return parts;
}

// The same for an attribute (a tooltip), where no element can stand.
const plain = (text) => String(text).replace(HIDDEN, (c) => `\u27e8U+${c.codePointAt(0).toString(16).toUpperCase()}\u27e9`);

// Pieces of a text: {kind: "text" | "math" | "code", text, display, language}.
function pieces(text) {
  const found = [];
  let at = 0;
  for (const piece of marked(text)) {
    if (piece.start > at) found.push({ kind: "text", text: text.slice(at, piece.start) });
    found.push(piece);
    at = piece.stop;
  }
  if (at < text.length) found.push({ kind: "text", text: text.slice(at) });
  return found;
}

const OPENER = /```|`|\\\(|\\\[|\$\$|\$|\\begin\{(align\*?|equation\*?|gather\*?|cases|[pbvB]?matrix|array)\}/g;

function* marked(text) {
  const opener = new RegExp(OPENER, "g");
  const absent = new Set();
  for (let match; (match = opener.exec(text)); ) {
    const piece = closed(text, match, absent);
    if (!piece) continue;
    yield piece;
    opener.lastIndex = piece.stop;
  }
}

// The piece that an opener begins, or null. A closer that is missing once is not looked for again.
function closed(text, match, absent) {
  const [open, environment] = match;
  const start = match.index, inside = start + open.length;
  const closer = environment ? `\\end{${environment}}` : { "\\(": "\\)", "\\[": "\\]" }[open] || open;
  if (absent.has(closer)) return null;
  if (open === "$") return dollars(text, start);
  let end = text.indexOf(closer, inside);
  if (end < 0) {
    absent.add(closer);
    return null;
  }
  const stop = end + closer.length;
  if (open === "```") {
    const line = text.indexOf("\n", inside);
    const named = line >= 0 && line < end ? text.slice(inside, line).trim() : null;
    const plainName = named !== null && /^[\w+#.-]{0,20}$/.test(named);
    return { kind: "code", start, stop, display: true, language: plainName ? named : "", text: text.slice(plainName ? line + 1 : inside, end) };
  }
  const body = text.slice(inside, end);
  if (open === "`") return body.includes("\n") || !body ? null : { kind: "code", start, stop, display: false, text: body };
  const tex = environment ? text.slice(start, stop) : body;
  return tex.trim() && tex.length <= LONGEST_FORMULA ? { kind: "math", start, stop, display: open !== "\\(", text: tex } : null;
}

// A formula between single dollars, not two prices: no space inside the dollars, no digit behind them.
function dollars(text, start) {
  const after = text[start + 1];
  if (!after || /\s/.test(after) || text[start - 1] === "\\") return null;
  const limit = Math.min(text.length, start + 1000);
  for (let at = start + 1; at < limit; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "\n" && text[at + 1] === "\n") return null;
    else if (text[at] === "$") {
      if (/\s/.test(text[at - 1]) || /\d/.test(text[at + 1] || "")) return null;
      return { kind: "math", start, stop: at + 1, display: false, text: text.slice(start + 1, at) };
    }
  }
  return null;
}

// The nodes of a text. `raw` shows the characters alone.
function rendered(text, { raw = false } = {}) {
  if (raw) return visible(text);
  return pieces(text).flatMap((piece) => {
    if (piece.kind === "math") return [mathematics(piece)];
    if (piece.kind === "code") return [code(piece)];
    return visible(piece.text);
  });
}

function mathematics(piece) {
  const node = el(piece.display ? "span.math.display" : "span.math", { title: plain(piece.text.slice(0, 500)) });
  HIDDEN.lastIndex = 0;
  try {
    if (HIDDEN.test(piece.text)) throw new Error("control characters");
    katex.render(piece.text, node, {
      displayMode: piece.display, throwOnError: true, strict: "ignore", trust: false, maxSize: 20, maxExpand: 300,
      macros: {},
    });
  } catch {
    replace(node, visible(piece.text));
    node.classList.add("unrendered");
  }
  return node;
}

function code(piece) {
  const node = el(piece.display ? "code.block.hljs" : "code", {});
  const known = piece.language && hljs.getLanguage(piece.language);
  if (!piece.display || !known || piece.text.length > LONGEST_CODE) return append(node, visible(piece.text));
  const tree = hljs.highlight(piece.text, { language: piece.language, ignoreIllegals: true })._emitter.rootNode;
  const walk = (target, item) => {
    if (typeof item === "string") return append(target, visible(item));
    const inner = item.scope ? el("span", { class: `hljs-${item.scope.replace(/[^\w-]/g, " ")}` }) : target;
    if (inner !== target) target.append(inner);
    item.children.forEach((child) => walk(inner, child));
  };
  walk(node, tree);
  return node;
}

// A long text is cut for the screen, with a button for the rest.
function folded(text, options) {
  if (text.length <= LONGEST_TEXT) return rendered(text, options);
  const rest = el("button.more", { type: "button" }, `show all ${whole(text.length)} characters`);
  const holder = el("span", {}, rendered(text.slice(0, LONGEST_TEXT / 2), options), "\u2026 ", rest);
  rest.addEventListener("click", () => replace(holder, visible(text)));
  return [holder];
}
