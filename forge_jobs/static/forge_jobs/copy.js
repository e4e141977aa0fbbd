// Buttons that copy the text beside them.
"use strict";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = button.parentElement.querySelector("pre").textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without TLS there is no clipboard: the text is chosen, so that the keys for it do.
    getSelection().selectAllChildren(button.parentElement.querySelector("pre"));
    return;
  }
  const usual = button.dataset.usual ?? (button.dataset.usual = button.textContent);
  button.textContent = button.dataset.copy;
  setTimeout(() => (button.textContent = usual), 2000);
});
