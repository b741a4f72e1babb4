// Building blocks: elements from text nodes only, numbers for people, the address as the only state.

const DATA = JSON.parse(document.getElementById("data").textContent);
const SERVER = DATA.server;
const SVG = "http://www.w3.org/2000/svg";

// An element. Strings become text nodes, so no data is ever read as HTML.
function el(tag, attributes, ...children) {
  const [name, ...classes] = tag.split(".");
  const node = document.createElement(name || "div");
  if (classes.length) node.className = classes.join(" ");
  return filled(node, attributes, children);
}

function svg(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(node.style, value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  append(node, children);
  return node;
}

function append(node, children) {
  for (const child of children.flat(3)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

function replace(node, ...children) {
  node.replaceChildren();
  return append(node, children);
}

const whole = (number) => Math.round(number).toLocaleString("en-US");
const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;
const plural = (count, word) => `${whole(count)} ${word}${count === 1 ? "" : "s"}`;

function short(number) {
  if (number < 10000) return whole(number);
  const [size, unit] = number < 1e6 ? [1e3, "k"] : number < 1e9 ? [1e6, "M"] : [1e9, "G"];
  return `${(number / size).toFixed(number / size < 100 ? 1 : 0).replace(/\.0$/, "")}${unit}`;
}

// The address holds what is shown: #view=traces&status=enhanced or #trace=ID&segment=17.
function address() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

function link(parameters) {
  const kept = Object.entries(parameters).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return `#${new URLSearchParams(kept)}`;
}

function go(changes, { replaceIt = false, only = false } = {}) {
  const target = link(only ? changes : { ...address(), ...changes });
  if (target === (location.hash || "#")) return;
  if (replaceIt) {
    history.replaceState(null, "", target);
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  } else location.hash = target;
}

// What a reader prefers is kept in this browser, where it allows that.
const preference = {
  get(name, other) {
    try {
      return localStorage.getItem(`dlcot.${name}`) ?? other;
    } catch {
      return other;
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(`dlcot.${name}`, value);
    } catch {
      // A browser that keeps nothing shows the defaults next time.
    }
  },
};

function cssColor(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function say(text) {
  const node = document.getElementById("said");
  replace(node, visible(text));
  node.hidden = false;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (node.hidden = true), 4000);
}
