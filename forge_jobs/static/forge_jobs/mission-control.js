// Keeps the live parts of a page in step with the database: asks every few seconds while somebody
// looks, and touches only what has changed. The page works without it.
"use strict";

(() => {
  // The lines of charts come in blocks, each by its version.
  let charted = new Map();

  function read({ charts, blocks, charts_version }) {
    const before = charted;
    charted = new Map([[charts_version, null]]);
    const values = (name) => {
      charted.set(name, blocks[name] ?? before.get(name));
      return charted.get(name);
    };
    const whole = Object.entries(charts).map(([name, chart]) => {
      const { first, step, points } = chart.moments;
      const moments = Array.from({ length: points }, (nothing, place) => first + place * step);
      const series = chart.series.map((line) => ({ ...line, values: line.blocks.flatMap(values) }));
      return [name, { ...chart, moments, series }];
    });
    return Object.fromEntries(whole);
  }
  window.forgeJobs = { charts: read };

  const live = document.querySelector("[data-live]");
  const control = document.querySelector("[data-pulse]");
  if (!live || !control) return;

  const every = control.querySelector("[data-every]");
  const dot = control.querySelector("[data-pulse-dot]");
  const said = control.querySelector("[data-pulse-said]");
  const KEY = "forge_jobs.every";
  const PATIENCE = 15000;
  let timer;
  let asking = false;
  let again = false;

  const seconds = () => Number(every.value);

  async function refresh() {
    clearTimeout(timer);
    if (document.hidden || !(seconds() || again)) return;
    if (asking) return;
    asking = true;
    again = false;
    const asked = location.href;
    try {
      const response = await fetch(asked, {
        headers: { Accept: "application/json", "Forge-Jobs-Have": had().join(",") },
        signal: AbortSignal.timeout(PATIENCE),
      });
      if (!response.ok) throw new Error(`status ${response.status}`);
      if (response.redirected) {
        tell("out");
      } else {
        const news = response.status === 204 ? null : await response.json();
        if (news && asked === location.href) keepingFocus(() => show(news));
        tell(seconds() ? "live" : "off");
      }
    } catch {
      tell("offline");
    } finally {
      asking = false;
      if (again) refresh();
      else if (seconds()) timer = setTimeout(refresh, 1000 * seconds());
    }
  }

  // A choice is made by choosing, in place: a new page would take the focus from the list. Without
  // this script there is a button for it.
  for (const form of document.querySelectorAll("[data-narrow]")) {
    form.querySelector("button").hidden = true;
    form.addEventListener("change", () => {
      history.replaceState(null, "", `?${new URLSearchParams(new FormData(form))}`);
      again = true;
      refresh();
    });
  }

  // Whoever is in a row that goes finds themselves in the next one, not at the top of the page.
  function keepingFocus(change) {
    const held = document.activeElement;
    const isOurs = held.closest("[data-live]") !== null;
    const row = held.closest("[data-live] [data-key]");
    const rows = row ? [...row.parentNode.children] : [];
    change();
    if (document.activeElement === held || !isOurs) return;
    const at = rows.indexOf(row);
    const near = [row, ...rows.slice(at + 1), ...rows.slice(0, Math.max(at, 0)).reverse()];
    const next = held.isConnected ? held : near.find((other) => other?.isConnected)?.querySelector("a, button, input");
    (next ?? document.getElementById("mc-start"))?.focus({ preventScroll: true });
  }

  // The answer leaves out what the page has, by its versions.
  function had() {
    const parts = [...document.querySelectorAll("[data-version]")];
    return [...parts.map((part) => part.dataset.version), ...charted.keys()];
  }

  function show(news) {
    const fresh = document.createElement("template");
    fresh.innerHTML = news.html ?? "";
    for (const part of fresh.content.querySelectorAll("[data-live]")) {
      const shown = document.querySelector(`[data-live="${part.dataset.live}"]`);
      if (!shown) continue;
      morph(shown, part);
      // What holds still has not got the news: they must come again.
      if (shown.querySelector("[data-still]")) shown.removeAttribute("data-version");
    }
    const charts = news.charts ? read(news) : undefined;
    document.dispatchEvent(new CustomEvent("forge-jobs:news", { detail: { ...news, charts } }));
    localise(document);
    tick();
  }

  // Change `shown` into `fresh` where they differ. What somebody types, ticks or opens stays.
  function morph(shown, fresh) {
    if (fresh.hasAttribute("data-same") || shown.hasAttribute("data-still")) return;
    if (shown.isEqualNode(fresh)) return;
    for (const { name, value } of fresh.attributes) {
      if (shown.getAttribute(name) !== value) shown.setAttribute(name, value);
    }
    for (const { name } of [...shown.attributes]) {
      const isMine = name === "open" || name === "style" || (name === "class" && shown.matches("tr"));
      if (!fresh.hasAttribute(name) && !isMine) shown.removeAttribute(name);
    }
    const keyed = new Map();
    const kept = new Set([...fresh.children].map((child) => child.dataset.key));
    for (const child of [...shown.children]) {
      if (!child.dataset.key) continue;
      // First, for what is moved loses the focus.
      if (kept.has(child.dataset.key)) keyed.set(child.dataset.key, child);
      else child.remove();
    }
    let at = shown.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      const mine = wanted.dataset?.key ? keyed.get(wanted.dataset.key) : at;
      if (mine && isAlike(mine, wanted)) {
        if (mine !== at) shown.insertBefore(mine, at);
        else at = at.nextSibling;
        if (mine.nodeType === Node.ELEMENT_NODE) morph(mine, wanted);
        else if (mine.nodeValue !== wanted.nodeValue) mine.nodeValue = wanted.nodeValue;
      } else {
        shown.insertBefore(wanted, at);
      }
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  function isAlike(mine, wanted) {
    return mine.nodeName === wanted.nodeName && mine.dataset?.key === wanted.dataset?.key;
  }

  function tell(state) {
    if (dot.dataset.state === state) return;
    dot.dataset.state = state;
    said.textContent = control.dataset[state] ?? "";
    control.title = said.textContent;
  }

  // Moments in the viewer's zone; the exact one, with its zone, on hover.
  function localise(root) {
    for (const time of root.querySelectorAll("time[datetime]:not([data-told])")) {
      const moment = new Date(time.dateTime);
      if (Number.isNaN(moment.valueOf())) continue;
      time.title = moment.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
      if (!time.hasAttribute("data-relative")) time.textContent = short(moment);
      time.dataset.told = "";
    }
  }

  function short(moment) {
    const isToday = moment.toDateString() === new Date().toDateString();
    const clock = moment.toLocaleTimeString(undefined, { hour12: false });
    return isToday ? clock : `${moment.toLocaleDateString()} ${clock}`;
  }

  // Between two answers, moments that are to come draw nearer, and others lie further back. The
  // viewer's clock may be wrong: what counts is how far away they were when the server said so.
  const told = new WeakMap();

  function tick() {
    for (const time of document.querySelectorAll("time[data-until], time[data-since]")) {
      const since = Number(time.dataset.since ?? -time.dataset.until);
      const said = told.get(time);
      if (said?.since !== since) {
        told.set(time, { since, at: performance.now() });
        continue;
      }
      const now = since + (performance.now() - said.at) / 1000;
      const saying = now < 0 ? time.dataset.ahead : time.dataset.saying;
      const seconds = time.dataset.until ? Math.max(0, -now) : Math.abs(now);
      time.textContent = saying.replace("%(duration)s", spelled(Math.round(seconds)));
    }
  }

  function spelled(seconds) {
    const [minutes, hours, days] = [60, 3600, 86400].map((unit) => Math.floor(seconds / unit));
    if (!minutes) return `${seconds} s`;
    if (!hours) return `${minutes} min ${seconds % 60} s`;
    return days ? `${days} d ${hours % 24} h` : `${hours} h ${minutes % 60} min`;
  }

  every.value = localStorage.getItem(KEY) ?? "2";
  if (every.selectedIndex < 0) every.value = "2";
  every.addEventListener("change", () => {
    localStorage.setItem(KEY, every.value);
    tell(seconds() ? "live" : "off");
    refresh();
  });
  document.addEventListener("visibilitychange", refresh);
  document.addEventListener("forge-jobs:acted", () => {
    again = true;
    refresh();
  });
  control.hidden = false;
  tell(seconds() ? "live" : "off");
  localise(document);
  tick();
  setInterval(tick, 1000);
  timer = setTimeout(refresh, 1000 * seconds());
})();
