// What is wrong with the geometry of a page, in words.
async () => {
  // Two frames, after which a page is as wide as it was just told to be.
  for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
  const faults = [];
  const root = document.getElementById("mission-control");
  if (!root) return ["there is no Mission Control"];
  const room = document.documentElement;
  if (room.scrollWidth > room.clientWidth) faults.push(`${room.scrollWidth - room.clientWidth} px too wide`);

  const name = (element) => (element.textContent || element.value || element.tagName).trim().slice(0, 40);
  const isShown = (element) => element.checkVisibility() && !element.closest(".visually-hidden, .mc-skip");

  function isOnTop(element) {
    element.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
    const { left, top, width, height } = element.getBoundingClientRect();
    if (!width || !height) return false;
    const there = document.elementFromPoint(left + width / 2, top + height / 2);
    if (!there) faults.push(`nothing at ${left + width / 2}, ${top + height / 2} of ${innerWidth}, ${innerHeight}`);
    return element.contains(there) || (there?.contains(element) ?? false);
  }

  const tabs = [...root.querySelectorAll(".mc-tabs a")];
  if (tabs.length !== 9) faults.push(`${tabs.length} tabs`);
  if (!root.querySelector("h1")) faults.push("no heading");
  if (root.querySelector("[data-live]") && !isOnTop(root.querySelector("[data-every]"))) faults.push("Refresh is hidden");
  const buttons = [...root.querySelectorAll("button, input[type=submit], .mc-button, .mc-buttons a")].filter(isShown);
  for (const each of [...tabs, ...buttons.slice(0, 12)]) if (!isOnTop(each)) faults.push(`${name(each)} is hidden`);

  const plain = ".mc-tabs a, .mc-tile a, .mc-states a, .mc-windows a, .mc-counts a, .mc-buttons a, .mc-button";
  for (const each of root.querySelectorAll(plain)) {
    if (getComputedStyle(each).textDecorationLine !== "none") faults.push(`${name(each)} is underlined`);
  }
  const edges = (elements, edge) => new Set(elements.map((each) => Math.round(each.getBoundingClientRect()[edge]))).size;
  for (const list of root.querySelectorAll(".mc-counts")) {
    const lines = Math.ceil(list.children.length / edges([...list.children], "left"));
    if (edges([...list.children], "top") !== lines) faults.push(`not in lines: ${name(list)}`);
  }
  for (const list of root.querySelectorAll(".mc-facts, .mc-job-facts")) {
    if (edges([...list.querySelectorAll("dt")], "left") > 1) faults.push(`not in one column: ${name(list)}`);
  }
  scrollTo(0, 0);
  return faults;
};
