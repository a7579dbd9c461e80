"use strict";

const boot = JSON.parse(document.getElementById("boot").textContent);
const $ = (id) => document.getElementById(id);
const root = document.documentElement;
const SAMPLES = 120;
const ICONS = {
  on: '<circle class="tint" cx="12" cy="11" r="6"/><path d="M12 2v1.5M4.5 4.5l1 1M19.5 4.5l-1 1M2.5 11H4M20 11h1.5M9.5 20.5h5"/>',
  off: '<circle cx="12" cy="11" r="6"/><path d="M9.5 20.5h5"/>',
  brightness: '<circle cx="12" cy="12" r="7.5"/><path class="tint" d="M12 6a6 6 0 0 1 0 12z"/>',
  color: '<path class="tint" d="M12 3.5s6.5 6.7 6.5 11a6.5 6.5 0 0 1-13 0c0-4.3 6.5-11 6.5-11z"/>',
  plug: '<path d="M9 3v5M15 3v5M6.5 8h11v3a5.5 5.5 0 0 1-11 0zM12 16.5V21"/>',
};

let state = boot.state;
let watts = boot.watts;
let heard = 0; // when the lamp was last heard live
let held = 0; // until when the slider and the colours are the visitor's: an older report may not turn them back
let waiting = 0; // timer of a press that the lamp has not answered

/* ---- the lamp ------------------------------------------------------------------------------------------- */

function show() {
  if (!state) return;
  const share = state.level / 100;
  root.style.setProperty("--lamp", state.shade);
  root.style.setProperty("--glow", share > 0 ? (0.14 + 0.86 * share).toFixed(3) : "0");
  $("switch").setAttribute("aria-checked", String(state.on));
  $("switch").value = String(!state.on);
  const summary = state.on ? `On · ${state.color_name} · ${state.brightness} %` : "Off";
  if ($("summary").textContent !== summary) $("summary").textContent = summary;
  $("color-name").textContent = state.color_name;
  if (Date.now() > held) {
    $("brightness").value = state.brightness;
    showSlider();
    showColor();
  }
  $("watts").textContent = state.watts.toFixed(1);
  $("energy").textContent = state.on ? `${state.wh.toFixed(2)} Wh since ${clock(state.lit_at)}` : "standby";
  document.title = `${state.on ? "●" : "○"} ${$("name").textContent}`;
}

function showSlider() {
  const value = $("brightness").value;
  $("percent").textContent = `${value} %`;
  $("brightness").style.setProperty("--share", `${value}%`);
}

function showColor() {
  let preset = false;
  for (const chip of document.querySelectorAll(".chip input[type=radio]")) {
    chip.checked = chip.value === state.color;
    preset = preset || chip.checked;
  }
  $("own").parentElement.classList.toggle("chosen", !preset);
  $("own").value = state.color;
}

function showCurve() {
  if (watts.length < 2) return;
  const first = SAMPLES - watts.length;
  const points = watts.map((watt, i) => `${first + i} ${(99 - Math.min(watt, 10) * 9.7).toFixed(1)}`);
  $("line").setAttribute("d", `M${points.join("L")}`);
  $("area").setAttribute("d", `M${points.join("L")}V99H${first}Z`);
  const curve = $("line").ownerSVGElement;
  $("tip").style.display = "block";
  $("tip").style.left = `${curve.clientWidth}px`;
  $("tip").style.top = `${4 + (curve.clientHeight * (99 - Math.min(watts.at(-1), 10) * 9.7)) / 100}px`;
  $("curve-title").textContent = `Power over the last two minutes, now ${watts.at(-1).toFixed(1)} watts`;
}

async function ask(command) {
  clearTimeout(waiting);
  const asked = Date.now();
  waiting = setTimeout(() => {
    $("switch").classList.remove("waiting");
    if (heard < asked) notice("The lamp does not answer. Is its worker process running? The broker keeps your wish.");
  }, 3500);
  try {
    const answer = await fetch("/switch", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(command),
    });
    if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error || `the page's server says ${answer.status}`);
  } catch (error) {
    clearTimeout(waiting);
    $("switch").classList.remove("waiting");
    notice(`That did not work: ${error.message}.`);
  }
}

function press() {
  $("switch").classList.add("waiting");
  const chain = document.querySelector(".chain");
  chain.classList.remove("pulled");
  void chain.getBoundingClientRect(); // lets the animation start anew
  chain.classList.add("pulled");
  ask({ on: !(state && state.on) });
}

let next = null; // what was slid to and waits for its turn
function slide(command) {
  const idle = next === null;
  next = { ...next, ...command };
  if (!idle) return;
  setTimeout(() => { const wish = next; next = null; ask(wish); }, 120);
}

$("switch-form").addEventListener("submit", (event) => { event.preventDefault(); press(); });
$("view").addEventListener("click", press);
$("brightness").addEventListener("input", () => {
  held = Date.now() + 900;
  showSlider();
  slide({ brightness: Number($("brightness").value) });
});
for (const chip of document.querySelectorAll(".chip input[type=radio]")) {
  chip.addEventListener("change", () => { held = Date.now() + 900; ask({ color: chip.value }); });
}
$("own").addEventListener("input", () => { held = Date.now() + 900; slide({ color: $("own").value }); });

let noticeTimer = 0;
function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = false;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => { $("notice").hidden = true; }, 6000);
}

/* ---- history and search --------------------------------------------------------------------------------- */

let entries = boot.history || [];
let results = null; // what a search found; null = the history is shown
let whole = entries.length < 30; // there is nothing older

function clock(at) {
  return new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

function ago(at) {
  const seconds = Math.max(0, Date.now() / 1000 - at);
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${Math.floor(seconds / 10) * 10} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (new Date(at * 1000).toDateString() === new Date().toDateString()) return clock(at);
  return new Date(at * 1000).toLocaleDateString([], { day: "numeric", month: "short" }) + ", " + clock(at);
}

function make(tag, name, ...children) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  node.append(...children);
  return node;
}

function pieces(entry, field) {
  if (!entry.marked) return [entry[field]];
  return entry.marked[field].map((piece) => (piece.hit ? make("mark", "", piece.text) : piece.text));
}

function row(entry) {
  const badge = make("span", "badge");
  badge.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true">${ICONS[entry.kind] || ICONS.on}</svg>`;
  badge.style.setProperty("--own", entry.color);
  const time = make("time", "", ago(entry.at));
  time.dateTime = new Date(entry.at * 1000).toISOString();
  time.title = new Date(entry.at * 1000).toLocaleString();
  time.dataset.at = entry.at;
  const by = make("div", "by", "by ", ...pieces(entry, "visitor"));
  const li = make("li", "", badge, make("div", "", make("div", "what", ...pieces(entry, "text")), by), time);
  li.dataset.kind = entry.kind;
  return li;
}

function showEntries() {
  const shown = results ? results.hits : entries;
  $("entries").replaceChildren(...shown.map(row));
  $("more").hidden = Boolean(results) || whole || !entries.length;
  $("empty").hidden = shown.length > 0;
  if (results) $("empty").textContent = results.error ? `${results.error}. Your history is safe and will be found soon.` : "Nothing found. Try a colour, “off” or a visitor’s name.";
  else $("empty").textContent = boot.history === null ? "The history cannot be read just now." : "Nothing has happened yet. Press the switch.";
  $("found").hidden = !results || Boolean(results.error);
  if (results && !results.error) {
    $("found").textContent = `${results.total} ${results.total === 1 ? "entry" : "entries"} found in ${results.took} ms`;
  }
}

function arrive(entry) {
  if (entries.some((known) => known.id === entry.id)) return;
  boot.history = entries;
  entries.unshift(entry);
  if (results) { setTimeout(search, 400); return; }
  const li = row(entry);
  li.classList.add("new");
  $("entries").prepend(li);
  $("empty").hidden = true;
}

async function loadHistory(before) {
  const answer = await fetch(`/history?limit=30${before ? `&before=${before}` : ""}`).catch(() => null);
  if (!answer || !answer.ok) return;
  const page = (await answer.json()).events;
  entries = before ? entries.concat(page) : page;
  boot.history = entries;
  whole = page.length < 30;
  if (!results) showEntries();
}

let asked = 0;
async function search() {
  const words = $("search").value.trim();
  const mine = ++asked;
  let found = null;
  if (words) {
    try {
      found = await (await fetch(`/search?q=${encodeURIComponent(words)}`)).json();
    } catch {
      found = { error: "The search does not answer" };
    }
    if (found.error) found.hits = [];
  }
  if (mine !== asked) return; // a later word is on its way
  results = found;
  showEntries();
}

let typing = 0;
$("search").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(search, 160); });
$("search-form").addEventListener("submit", (event) => { event.preventDefault(); search(); });
$("more").addEventListener("click", () => loadHistory(entries.at(-1).id));
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== $("search")) { event.preventDefault(); $("search").focus(); }
  if (event.key === "Escape" && document.activeElement === $("search")) { $("search").value = ""; search(); }
});

/* ---- live ----------------------------------------------------------------------------------------------- */

function live(kind, text) {
  $("live").dataset.state = kind;
  if ($("live").lastElementChild.textContent !== text) $("live").lastElementChild.textContent = text;
}

let source = null;
let opened = 0;
function listen() {
  source = new EventSource("/events");
  source.onopen = () => { if (opened) loadHistory(); opened = Date.now(); };
  source.onmessage = (message) => {
    const news = JSON.parse(message.data);
    if (news.type === "event") { arrive(news); return; }
    state = news;
    if (!news.replay) {
      heard = Date.now();
      $("switch").classList.remove("waiting");
    }
    if (news.sample) {
      watts = watts.concat(news.watts).slice(-SAMPLES);
      showCurve();
    }
    show();
  };
  source.onerror = () => {
    live("wait", "Reconnecting");
    // after an error page the browser gives up: try anew
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 1500);
  };
}

setInterval(() => {
  if (!source || source.readyState !== EventSource.OPEN) return;
  const quiet = Date.now() - Math.max(heard, opened);
  if (quiet > 4500) live("bad", "The lamp is silent");
  else if (heard > opened - 1000) live("good", "Live");
}, 500);

setInterval(() => {
  for (const time of document.querySelectorAll("time")) time.textContent = ago(Number(time.dataset.at));
}, 5000);

async function askServers() {
  const answer = await fetch("/status").then((reply) => (reply.ok ? reply.json() : null)).catch(() => null);
  for (const li of $("backends").children) {
    const server = answer && answer.backends.find((row) => row.name === li.dataset.name);
    li.dataset.state = server ? (server.ok ? "good" : "bad") : "wait";
    li.querySelector(".version").textContent = server ? (server.ok ? server.version : "does not answer") : "asking";
    li.querySelector(".ms").textContent = server && server.ok ? `${server.ms < 10 ? server.ms.toFixed(1) : Math.round(server.ms)} ms` : "";
  }
  setTimeout(askServers, document.hidden ? 30000 : 6000);
}

$("theme").addEventListener("click", () => {
  const light = getComputedStyle(root).colorScheme.includes("light");
  root.dataset.theme = light ? "dark" : "light";
  localStorage.setItem("theme", root.dataset.theme);
});
addEventListener("resize", showCurve);

show();
showCurve();
showEntries();
listen();
askServers();
