// Says below a cron expression, as it is typed, what it means and when it is due next.
"use strict";

(() => {
  const PAUSE = 250;
  const SILENCE = 1500; // a reader speaks once somebody has finished typing, not in between

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("input[data-cron-preview]").forEach(explain);
  });

  function explain(input) {
    const zone = input.form?.elements.namedItem(input.dataset.cronZone);
    const place = document.createElement("div");
    place.className = "help cron-preview";
    place.id = `${input.id}_preview`;
    const said = element("span", "");
    said.setAttribute("role", "status");
    said.style.cssText = "clip-path: inset(50%); height: 1px; overflow: hidden; position: absolute; width: 1px";
    input.after(place, said);
    const described = input.getAttribute("aria-describedby");
    input.setAttribute("aria-describedby", [described, place.id].filter(Boolean).join(" "));

    let timer;
    let speech;
    let request;
    const later = () => {
      clearTimeout(timer);
      clearTimeout(speech);
      timer = setTimeout(look, PAUSE);
      speech = setTimeout(() => (said.textContent = place.firstChild?.textContent ?? ""), SILENCE);
    };

    async function look() {
      request?.abort();
      input.removeAttribute("aria-invalid");
      if (!input.value.trim()) {
        place.replaceChildren();
        return;
      }
      const current = (request = new AbortController());
      const url = new URL(input.dataset.cronPreview, document.baseURI);
      url.searchParams.set("expression", input.value);
      url.searchParams.set("timezone", zone?.value ?? "");
      try {
        const answer = await fetch(url, {
          headers: { Accept: "application/json" },
          signal: current.signal,
        });
        if (!answer.ok) throw new Error(answer.statusText);
        show(await answer.json());
      } catch {
        if (!current.signal.aborted) place.replaceChildren();
      }
    }

    function show(found) {
      if (found.error) {
        input.setAttribute("aria-invalid", "true");
        place.replaceChildren(element("p", `${found.field}: ${found.error}`, "cron-error"));
        return;
      }
      const list = document.createElement("ol");
      for (const moment of found.next) {
        const time = element("time", moment.text);
        time.dateTime = moment.at;
        const item = document.createElement("li");
        item.append(time);
        list.append(item);
      }
      place.replaceChildren(element("p", `${found.words} (${found.timezone})`, "cron-words"), list);
    }

    input.addEventListener("input", later);
    zone?.addEventListener?.("input", later);
    zone?.addEventListener?.("change", later);
    look();
  }

  function element(name, text, className = "") {
    const made = document.createElement(name);
    made.textContent = text;
    if (className) made.className = className;
    return made;
  }
})();
