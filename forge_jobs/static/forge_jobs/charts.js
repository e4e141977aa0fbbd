// Draws the charts of Mission Control with uPlot: hover to read, drag to zoom, double-click to
// zoom out. Their numbers are part of the page and of its news.
"use strict";

(() => {
  const HEIGHT = 200;
  const PALETTE = ["--mc-ready", "--mc-succeeded", "--mc-retrying", "--mc-dead", "--mc-running", "--mc-blocked"];
  const first = document.getElementById("mc-charts");
  if (!first || typeof uPlot === "undefined") return;

  const sync = uPlot.sync("mission-control");
  const still = matchMedia("(prefers-color-scheme: dark)");
  const drawn = new Map();
  let charts = window.forgeJobs.charts(JSON.parse(first.textContent));
  let zoom = null;

  // What the axes and the legend say.

  const compact = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });

  function duration(seconds) {
    if (seconds < 0.001) return `${round(seconds * 1e6)} µs`;
    if (seconds < 1) return `${round(seconds * 1000)} ms`;
    if (seconds < 120) return `${round(seconds)} s`;
    if (seconds < 7200) return `${round(seconds / 60)} min`;
    if (seconds < 172800) return `${round(seconds / 3600)} h`;
    return `${round(seconds / 86400)} d`;
  }

  function bytes(amount) {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = 0;
    while (amount >= 1024 && unit < units.length - 1) {
      amount /= 1024;
      unit += 1;
    }
    return `${round(amount)} ${units[unit]}`;
  }

  const round = (value) => (value >= 100 ? Math.round(value) : Number(value.toPrecision(2)));

  const UNITS = {
    count: (value) => compact.format(value),
    seconds: (value) => (value === 0 ? "0" : duration(value)),
    bytes,
    percent: (value) => `${round(value)} %`,
  };

  const told = (unit) => (plot, value) => (value == null ? "–" : (UNITS[unit] ?? UNITS.count)(value));

  // How they look.

  const CLOCK = [
    [86400, "{DD} {MMM}", null, null, null, null, null, null, 1],
    [3600, "{HH}:{mm}", "\n{DD} {MMM}", null, "\n{DD} {MMM}", null, null, null, 1],
    [60, "{HH}:{mm}", "\n{DD} {MMM}", null, "\n{DD} {MMM}", null, null, null, 1],
    [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1],
  ];
  const FROM_ZERO = { range: (plot, low, high) => [0, high > 0 ? high * 1.08 : 1] };
  const LOGARITHMIC = {
    distr: 3,
    range: (plot, low, high) => (high > 0 ? uPlot.rangeLog(low, high, 10, true) : [0.001, 1]),
  };
  const WHOLE = Array.from({ length: 12 }, (nothing, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();
  const INCREMENTS = { count: WHOLE, bytes: Array.from({ length: 42 }, (nothing, power) => 2 ** power) };

  // Asked of an element, for a colour may depend on the scheme; a canvas takes no such thing.
  const probe = document.createElement("i");
  probe.hidden = true;
  (document.getElementById("mission-control") ?? document.body).append(probe);

  function tone(name) {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  }

  function faint(color) {
    const canvas = document.createElement("canvas").getContext("2d");
    canvas.fillStyle = color;
    return canvas.fillStyle.length === 7 ? `${canvas.fillStyle}22` : color;
  }

  const isPowerOfTen = (value) => Number.isInteger(Number(Math.log10(value).toFixed(9)));
  const powersOfTen = (plot, marks) => marks.map((mark) => (isPowerOfTen(mark) ? mark : null));

  function axis({ unit, logarithmic }, isTime) {
    const lines = { stroke: tone("--mc-line"), width: 1 };
    const common = { stroke: tone("--mc-quiet"), grid: lines, ticks: lines, font: "11px sans-serif" };
    if (isTime) return { ...common, grid: { show: false }, space: 80, values: CLOCK };
    const increments = INCREMENTS[unit] ? { incrs: INCREMENTS[unit] } : {};
    const grid = logarithmic ? { grid: { ...lines, filter: powersOfTen }, ticks: { show: false } } : {};
    return { ...common, ...increments, ...grid, size: 58, values: (plot, marks) => marks.map((mark) => (mark == null ? "" : told(unit)(plot, mark))) };
  }

  function options(figure, chart) {
    const unit = chart.unit;
    return {
      width: Math.max(200, figure.clientWidth),
      height: HEIGHT,
      cursor: { sync: { key: sync.key, setSeries: false }, drag: { x: true, y: false }, points: { size: 6 } },
      scales: { y: chart.logarithmic ? LOGARITHMIC : FROM_ZERO },
      axes: [axis(chart, true), axis(chart, false)],
      series: [
        { value: (plot, at) => (at == null ? "–" : new Date(at * 1000).toLocaleString(undefined, { hour12: false })) },
        ...chart.series.map((series, place) => line(series, place, unit)),
      ],
      hooks: { setSelect: [zoomed], setScale: [unzoomed] },
    };
  }

  function line(series, place, unit) {
    const color = tone(series.tone ? `--mc-${series.tone}` : PALETTE[place % PALETTE.length]);
    return {
      label: series.name,
      stroke: color,
      fill: series.filled ? faint(color) : undefined,
      width: 1.5,
      spanGaps: false,
      points: { size: 4, show: true, filter: alone },
      value: told(unit),
    };
  }

  // What was measured once, between two gaps, has no line: without a point it could not be seen.
  function alone(plot, place) {
    const values = plot.data[place];
    const isGap = (at) => values[at] == null;
    return values.flatMap((value, at) => (!isGap(at) && isGap(at - 1) && isGap(at + 1) ? [at] : []));
  }

  // One zoom for all charts.

  function zoomed(plot) {
    if (plot.select.width < 4) return;
    const from = plot.posToVal(plot.select.left, "x");
    const to = plot.posToVal(plot.select.left + plot.select.width, "x");
    zoom = { min: from, max: to };
    plot.setSelect({ width: 0, height: 0 }, false);
    for (const other of drawn.values()) other.plot.setScale("x", zoom);
  }

  function unzoomed(plot, scale) {
    const [moments] = plot.data;
    if (scale !== "x" || !zoom || !moments.length) return;
    if (plot.scales.x.min > moments[0] || plot.scales.x.max < moments.at(-1)) return;
    zoom = null;
    for (const other of drawn.values()) if (other.plot !== plot) other.plot.setData(other.plot.data);
  }

  // Drawing.

  function draw() {
    for (const figure of document.querySelectorAll("[data-chart]")) {
      const chart = charts[figure.dataset.chart];
      if (chart) show(figure, chart);
    }
  }

  function show(figure, chart) {
    const box = figure.querySelector("[data-plot]");
    const data = [chart.moments, ...chart.series.map((series) => series.values)];
    const isEmpty = !chart.series.some((series) => series.values.some((value) => value));
    const nothing = figure.querySelector("[data-empty]");
    nothing.hidden = !isEmpty;
    box.classList.toggle("mc-faded", isEmpty);
    trace(figure, box, chart, data);
    const picture = box.querySelector(".u-wrap");
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", isEmpty ? nothing.textContent : words(figure, chart));
  }

  // What the lines say, for whoever can't see them.
  function words({ dataset }, { unit, series }) {
    const sentences = series.map(({ name, values }) => {
      const known = values.filter((value) => value != null);
      if (!known.length) return `${name}: –`;
      const said = { last: known.at(-1), lowest: Math.min(...known), highest: Math.max(...known) };
      return `${name}: ${dataset.words.replace(/\{(\w+)\}/g, (all, which) => told(unit)(null, said[which]))}`;
    });
    return sentences.join("; ");
  }

  function trace(figure, box, chart, data) {
    const names = chart.series.map((series) => series.name).join("\n");
    const known = drawn.get(figure);
    if (known && known.names === names) {
      known.plot.setData(data, !zoom);
      return;
    }
    known?.plot.destroy();
    drawn.set(figure, { names, plot: new uPlot(options(box, chart), data, box) });
  }

  function redraw() {
    for (const { plot } of drawn.values()) plot.destroy();
    drawn.clear();
    draw();
  }

  document.addEventListener("forge-jobs:news", ({ detail }) => {
    if (!detail.charts) return;
    charts = detail.charts;
    draw();
  });
  new ResizeObserver(() => {
    for (const [figure, { plot }] of drawn) {
      const width = Math.max(200, figure.querySelector("[data-plot]").clientWidth);
      if (width !== plot.width) plot.setSize({ width, height: HEIGHT });
    }
  }).observe(document.getElementById("mission-control") ?? document.body);
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme", "data-bs-theme", "class"] });
  still.addEventListener("change", redraw);
  draw();
})();
