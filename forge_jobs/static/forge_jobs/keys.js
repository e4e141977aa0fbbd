// Keys for whoever has many jobs to go through, and the current tab in view on a narrow screen.
"use strict";

(() => {
  const dialog = document.getElementById("mc-keys");
  const opener = document.querySelector("[data-keys-open]");
  const MEMORY = "forge_jobs.keys";
  const ROWS = "#mission-control :is(tr, .mc-card)[data-key]";
  const LET_RUN = '[data-act="forge_jobs_requeue_job"], [data-act="forge_jobs_run_job_now"]';

  for (const current of document.querySelectorAll(".mc-tabs [aria-current], .mc-states [aria-current]")) {
    const strip = current.closest("nav");
    const [around, inside] = [strip.getBoundingClientRect(), current.getBoundingClientRect()];
    strip.scrollLeft += inside.left - around.left - (around.width - inside.width) / 2;
  }
  if (!dialog || !opener) return;

  const isOn = () => localStorage.getItem(MEMORY) !== "off";
  const choice = dialog.querySelector("[data-keys-on]");
  choice.checked = isOn();
  choice.addEventListener("change", () => localStorage.setItem(MEMORY, choice.checked ? "on" : "off"));
  opener.hidden = false;
  opener.addEventListener("click", () => dialog.showModal());

  // The row that the keys are at is remembered by its key: news may move or remove it.
  let at = null;
  const rows = () => [...new Set(document.querySelectorAll(ROWS))];
  const target = (row) => row.querySelector("th a, h2 a, a, button");
  const holder = () => document.activeElement?.closest?.(ROWS) ?? rows().find((row) => row.dataset.key === at?.key);

  function go(row) {
    if (!row) return;
    for (const other of document.querySelectorAll("[data-at]")) delete other.dataset.at;
    at = { key: row.dataset.key, place: rows().indexOf(row) };
    row.dataset.at = "";
    const link = target(row);
    (link ?? row).focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  function step(by) {
    const all = rows();
    const here = all.indexOf(holder());
    const from = here >= 0 ? here + by : (at?.place ?? (by > 0 ? 0 : all.length - 1));
    go(all[Math.max(0, Math.min(all.length - 1, from))]);
  }

  function letRun() {
    const within = holder() ?? document.querySelector(".mc-job-head");
    within?.querySelector(LET_RUN)?.click();
  }

  const KEYS = {
    "/": () => document.querySelector(".mc-filter input[type=search]")?.focus(),
    j: () => step(1),
    k: () => step(-1),
    r: letRun,
    "?": () => dialog.showModal(),
  };

  function isTyping(element) {
    const types = ["checkbox", "radio", "button", "submit", "reset"];
    if (element.isContentEditable || element.matches("textarea, select")) return true;
    return element.matches("input") && !types.includes(element.type);
  }

  document.addEventListener("keydown", (event) => {
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing;
    const act = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : null;
    if (!act || !isPlain || event.repeat && event.key === "r" || document.querySelector("dialog[open]")) return;
    if (!isOn() && event.key !== "?" || event.defaultPrevented || isTyping(event.target)) return;
    event.preventDefault();
    act();
  });

  // News may move a row or take it away; the focus is in the next one then.
  function follow() {
    const row = at && holder();
    for (const other of document.querySelectorAll("[data-at]")) if (other !== row) delete other.dataset.at;
    if (!row) return;
    row.dataset.at = "";
    at = { key: row.dataset.key, place: rows().indexOf(row) };
  }
  document.addEventListener("forge-jobs:news", () => queueMicrotask(follow));
})();
