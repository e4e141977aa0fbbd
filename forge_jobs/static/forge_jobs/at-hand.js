// Does in place what needs no question, says what came of it, and offers the way back. Without it,
// the same buttons lead to a page that says so.
"use strict";

(() => {
  const form = document.getElementById("mc-acts");
  const toast = document.getElementById("mc-toast");
  if (!form || !toast || !document.querySelector("[data-live]")) return;

  const told = toast.querySelector("[data-told]");
  const undo = toast.querySelector("[data-undo]");

  function tell(answer) {
    const hadFocus = document.activeElement === undo;
    told.textContent = answer.told;
    toast.dataset.tone = answer.tone;
    undo.hidden = !answer.undo;
    if (answer.undo) undo.setAttribute("formaction", answer.undo);
    toast.showPopover();
    if (hadFocus && undo.hidden) toast.querySelector("[data-close]").focus();
  }

  async function post(address) {
    const response = await fetch(address, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" },
    });
    if (!response.ok || response.redirected) return { told: form.dataset.refused, tone: "error" };
    return response.json();
  }

  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    if (!button?.matches("[data-act], .mc-undo")) return; // the others lead to a question
    event.preventDefault();
    if (button.dataset.busy) return;
    button.dataset.busy = "";
    const row = button.closest("[data-key]:is(tr, .mc-card)");
    try {
      tell(await post(button.formAction));
    } catch {
      tell({ told: form.dataset.unknown, tone: "error" });
    } finally {
      delete button.dataset.busy;
      document.dispatchEvent(new CustomEvent("forge-jobs:acted", { detail: { row } }));
    }
  });

  function close() {
    const hadFocus = toast.contains(document.activeElement);
    toast.hidePopover();
    if (hadFocus) document.querySelector("[data-at]")?.focus();
  }

  toast.querySelector("[data-close]").addEventListener("click", close);
  toast.addEventListener("keydown", (event) => event.key === "Escape" && close());
})();
