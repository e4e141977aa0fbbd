// The list's ticks: all of a page at once, a bar for what is ticked, and a list that holds still under them.
"use strict";

(() => {
  const form = document.getElementById("mc-jobs");
  const bar = form?.querySelector("[data-selection]");
  if (!bar) return;

  const across = bar.querySelector("select");
  const untick = bar.querySelector("[data-untick]");
  const ticks = () => [...form.querySelectorAll('input[name="_selected_action"]')];
  const [mine] = across.options;

  function tell() {
    const all = ticks();
    const ticked = all.filter((tick) => tick.checked).length;
    mine.textContent = ticked ? `${across.dataset.ticked} (${ticked})` : across.dataset.ticked;
    bar.hidden = !ticked;
    untick.hidden = false;
    for (const tick of all) tick.closest("tr").classList.toggle("selected", tick.checked);
    // What somebody is about to choose must not move away; the buttons' pages tell the truth.
    form.querySelector("tbody")?.toggleAttribute("data-still", ticked > 0);
    const head = form.querySelector("[data-tick-all]");
    if (!head) return;
    head.hidden = false;
    head.checked = ticked > 0 && ticked === all.length;
    head.indeterminate = ticked > 0 && ticked < all.length;
  }

  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-tick-all]")) {
      for (const tick of ticks()) tick.checked = event.target.checked;
    }
    if (event.target.matches('input[type="checkbox"]')) {
      if (event.target.checked) across.value = "0";
      tell();
    }
  });
  untick.addEventListener("click", () => {
    for (const tick of ticks()) tick.checked = false;
    tell();
    form.querySelector("[data-tick-all]")?.focus();
  });
  document.addEventListener("forge-jobs:news", tell);
  tell();
})();
