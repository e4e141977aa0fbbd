// Keeps the page in step with the jobs: asks every second while somebody looks, and touches
// only what has changed.
"use strict";

const EVERY = 1000;
const cards = new Map(
  [...document.querySelectorAll("[data-picture]")].map((card) => [Number(card.dataset.picture), card]),
);
const address = `${document.body.dataset.status}?ids=${[...cards.keys()].join(",")}`;
const offline = document.querySelector("[data-offline]");
let timer;
let asking = false;

async function refresh() {
  if (asking || document.hidden) return;
  clearTimeout(timer);
  asking = true;
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(10 * EVERY) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    show(await response.json());
    set(offline, "hidden", true);
  } catch {
    set(offline, "hidden", false);
  } finally {
    asking = false;
    timer = setTimeout(refresh, EVERY);
  }
}

function show({ total, published, counts, pictures, archive }) {
  set(document.querySelector("[data-total]"), "textContent", String(total));
  set(document.querySelector("[data-published]"), "textContent", String(published));
  for (const count of document.querySelectorAll("[data-count]")) {
    set(count, "textContent", String(counts[count.dataset.count] ?? 0));
  }
  for (const picture of pictures) showPicture(cards.get(picture.id), picture);
  if (archive) showArchive(document.querySelector("[data-archive]"), archive);
}

function showArchive(section, archive) {
  set(section, "hidden", false);
  const job = section.querySelector("[data-archive-job]");
  set(job, "textContent", `job ${archive.job}`);
  set(job, "href", new URL(archive.page, location).href);
  const state = section.querySelector("[data-archive-state]");
  set(state, "textContent", archive.label);
  set(state.dataset, "state", archive.state);
  set(section.querySelector("[data-archive-message]"), "textContent", archive.message);
  const progress = section.querySelector("progress");
  set(progress, "max", archive.total);
  set(progress, "value", archive.done);
  set(progress, "hidden", !archive.is_under_way);
  set(section.querySelector("form"), "hidden", !archive.is_under_way);
  const download = section.querySelector("[data-archive-address]");
  set(download, "href", new URL(archive.address, location).href);
  set(download, "hidden", !archive.address);
}

function showPicture(card, picture) {
  const image = card.querySelector("img");
  if (picture.thumbnail && image.getAttribute("src") !== picture.thumbnail) {
    image.dataset.fresh = "";
    image.src = picture.thumbnail;
    image.hidden = false;
    card.querySelector(".view").href = picture.image;
  }
  for (const step of picture.steps) {
    const mark = card.querySelector(`[data-step="${step.name}"]`);
    set(mark, "textContent", step.label);
    set(mark.dataset, "state", step.state);
  }
  const error = card.querySelector(".error");
  set(error, "textContent", picture.error);
  set(error, "hidden", !picture.error);
  set(card.querySelector("button"), "hidden", !picture.publishable);
}

function set(target, property, value) {
  if (target[property] !== value) target[property] = value;
}

document.querySelector("#publish").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter;
  button.disabled = true;
  try {
    await fetch(button.formAction, {
      method: "POST",
      body: new FormData(event.target),
      redirect: "manual",
    });
  } finally {
    button.disabled = false;
    refresh();
  }
});

document.addEventListener("visibilitychange", refresh);
refresh();
