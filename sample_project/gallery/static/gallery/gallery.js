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

function show({ total, published, counts, pictures, works }) {
  set(document.querySelector("[data-total]"), "textContent", String(total));
  set(document.querySelector("[data-published]"), "textContent", String(published));
  for (const count of document.querySelectorAll("[data-count]")) {
    set(count, "textContent", String(counts[count.dataset.count] ?? 0));
  }
  for (const picture of pictures) showPicture(cards.get(picture.id), picture);
  for (const work of works) if (work.page) showWork(document.querySelector(`[data-work="${work.name}"]`), work);
}

function showWork(section, work) {
  set(section, "hidden", false);
  const page = section.querySelector("[data-page]");
  set(page, "textContent", work.title);
  set(page, "href", new URL(work.page, location).href);
  const mark = section.querySelector(".mark");
  set(mark, "textContent", work.label);
  set(mark.dataset, "state", work.state);
  for (const [step, isStored] of Object.entries(work.steps)) {
    section.querySelector(`[data-step="${step}"]`).toggleAttribute("data-stored", isStored);
  }
  set(section.querySelector(".message"), "textContent", work.message);
  const progress = section.querySelector("progress");
  set(progress, "max", work.total);
  set(progress, "value", work.done);
  set(progress, "hidden", !work.is_under_way);
  const form = section.querySelector("form");
  if (form) set(form, "hidden", !work.is_under_way);
  const made = section.querySelector("[data-address]");
  set(made, "href", new URL(work.address, location).href);
  set(made, "hidden", !work.address);
}

function showPicture(card, picture) {
  const image = card.querySelector("img");
  if (picture.thumbnail && image.getAttribute("src") !== picture.thumbnail) {
    image.dataset.fresh = "";
    image.src = picture.thumbnail;
    image.hidden = false;
    card.querySelector(".view").href = picture.image;
  }
  const colours = card.querySelector(".colours");
  if (colours.childElementCount !== picture.colours.length) showColours(colours, picture.colours);
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

function showColours(strip, colours) {
  strip.setAttribute("viewBox", `0 0 ${colours.length || 1} 1`);
  const stripes = colours.map((colour, place) => {
    const stripe = document.createElementNS(strip.namespaceURI, "rect");
    const given = { x: place, width: 1, height: 1, fill: colour };
    for (const [name, value] of Object.entries(given)) stripe.setAttribute(name, value);
    return stripe;
  });
  strip.replaceChildren(...stripes);
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
