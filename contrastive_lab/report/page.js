(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const touch = matchMedia("(pointer: coarse)").matches;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const shade = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const options = { responsive: true, displaylogo: false, displayModeBar: false, doubleClick: touch ? false : "reset+autosize" };
  const hidden = new Set();
  let epoch = data.epochs.length - 1;

  function ink(layout) {
    const quiet = shade("--quiet"), grid = shade("--grid"), line = shade("--line");
    const change = {
      "font.color": quiet,
      "hoverlabel.bgcolor": shade("--card"), "hoverlabel.bordercolor": line, "hoverlabel.font.color": shade("--ink"),
    };
    const axes = Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key));
    if (layout.scene) axes.push("scene.xaxis", "scene.yaxis", "scene.zaxis");
    for (const axis of axes) Object.assign(change, { [axis + ".gridcolor"]: grid, [axis + ".linecolor"]: line });
    (layout.shapes || []).forEach((_, i) => { change[`shapes[${i}].line.color`] = quiet; });
    return change;
  }

  async function draw(id, figure) {
    const box = document.getElementById(id);
    const layout = structuredClone(figure.layout);
    if (touch && !layout.scene) layout.dragmode = false;
    await Plotly.newPlot(box, { data: figure.data, layout, frames: figure.frames || [], config: options });
    await Plotly.relayout(box, ink(layout));
    return box;
  }

  const drawn = () => all(".plot.js-plotly-plot");
  const repaint = () => drawn().forEach((box) => Plotly.relayout(box, ink(box.layout)));

  /* light and dark */
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  function setTheme(name) {
    root.dataset.theme = name;
    const other = name === "dark" ? "light" : "dark";
    button.querySelector("b").textContent = name === "dark" ? "☀" : "☾";
    button.querySelector("span").textContent = other[0].toUpperCase() + other.slice(1);
    button.setAttribute("aria-label", `Switch to the ${other} theme`);
    repaint();
  }
  button.addEventListener("click", () => { button.dataset.chosen = "yes"; setTheme(root.dataset.theme === "dark" ? "light" : "dark"); });
  system.addEventListener("change", (event) => { if (!button.dataset.chosen) setTheme(event.matches ? "dark" : "light"); });

  /* which runs are shown, everywhere at once */
  function applyChoice() {
    for (const box of drawn()) {
      if (!box.data.some((trace) => trace.meta)) continue;
      Plotly.restyle(box, { visible: box.data.map((trace) => !trace.meta || !hidden.has(trace.meta)) });
    }
    all("[data-run]").forEach((item) => { item.hidden = hidden.has(item.dataset.run); });
  }
  all(".chips button").forEach((chip) => chip.addEventListener("click", () => {
    const run = chip.dataset.chip;
    if (hidden.has(run)) hidden.delete(run); else hidden.add(run);
    chip.setAttribute("aria-pressed", String(!hidden.has(run)));
    applyChoice();
  }));

  /* the table sorts by a click on its heads */
  all("th button").forEach((head) => head.addEventListener("click", () => {
    const cell = head.closest("th"), body = cell.closest("table").tBodies[0], column = cell.cellIndex;
    const up = cell.getAttribute("aria-sort") === "descending";
    all("th", cell.parentElement).forEach((other) => other.removeAttribute("aria-sort"));
    cell.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = (row) => row.cells[column].dataset.value;
    const order = (a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === "" || y === "") return (x === "") - (y === "");
      return (isNaN(x) ? y.localeCompare(x) : y - x) * (up ? -1 : 1);
    };
    [...body.rows].sort(order).forEach((row) => body.append(row));
  }));

  /* images of the sheet */
  const sheetOf = (run) => data.sheets.findIndex((sheet) => sheet.members.includes(run));
  const kindOf = (sheet) => sheet.kinds[sheet.kind ?? 0];
  const classOf = (sheet, index) => { const kind = kindOf(sheet), value = kind.values[index]; return kind.names[value] ?? "class " + value; };
  function thumb(sheet, index, side = "var(--side)") {
    const picture = document.createElement("span");
    const column = index % sheet.columns, row = Math.floor(index / sheet.columns);
    picture.className = "thumb";
    picture.style.cssText = `--side: ${side}; background-image: url(${sheet.uri});` +
      `background-size: calc(${sheet.columns} * var(--side)) calc(${sheet.rows} * var(--side));` +
      `background-position: calc(${-column} * var(--side)) calc(${-row} * var(--side))`;
    if (side === "var(--side)") picture.style.removeProperty("--side");
    return picture;
  }
  const tip = document.createElement("div");
  tip.className = "hover"; tip.hidden = true; tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  function showTip(run, point, event) {
    const sheet = data.sheets[sheetOf(run)], index = point.customdata;
    tip.replaceChildren(thumb(sheet, index, "72px"), classOf(sheet, index));
    tip.hidden = false;
    const x = event?.clientX ?? innerWidth / 2, y = event?.clientY ?? innerHeight / 2;
    tip.style.left = Math.min(x + 14, innerWidth - 100) + "px";
    tip.style.top = Math.max(8, Math.min(y - 50, innerHeight - 120)) + "px";
  }

  /* the moving embeddings */
  const slider = document.getElementById("epoch"), play = document.getElementById("play");
  const reached = (frames, value) => frames.reduce((best, e) => (e <= value ? e : best), frames[0]);
  const number = (value, digits) => (value === undefined ? "" : value.toFixed(digits));
  function setEpoch(index) {
    epoch = index;
    const value = data.epochs[index];
    slider.value = index;
    slider.setAttribute("aria-valuetext", "epoch " + value);
    document.getElementById("epoch-now").textContent = `${value} of ${data.epochs.at(-1)}`;
    for (const panel of data.panels) {
      const at = reached(panel.epochs, value), seen = panel.numbers[at] || {};
      const parts = [];
      if (seen.knn !== undefined) parts.push("kNN " + number(seen.knn * 100, 0) + " %");
      if (seen.rankme !== undefined) parts.push("RankMe " + number(seen.rankme, 0));
      if (panel.epochs.length === 1) parts.push("no training");
      document.getElementById(panel.id + "-now").textContent = parts.join(" · ");
      moveTo(document.getElementById(panel.id), at, false);
    }
    if (deep.panel) moveTo(deep.box, reached(deep.panel.epochs, value), true);
  }
  function moveTo(box, at, redraw) {
    if (!box?._fullLayout || box.dataset.epoch === String(at)) return;
    box.dataset.epoch = at;
    const glide = play?.dataset.on && !redraw && !calm.matches ? 220 : 0;
    Plotly.animate(box, [String(at)], { mode: "immediate", frame: { duration: glide, redraw }, transition: { duration: glide } }).catch(() => {});
  }
  let waiting = false;
  slider?.addEventListener("input", () => {
    stop();
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; setEpoch(Number(slider.value)); tell(); });
  });
  /* explorables on the page and the slider here move together (contrastive_lab/explorables/vitals.py) */
  function tell() {
    document.dispatchEvent(new CustomEvent("clab:epoch", { detail: { epoch: data.epochs[epoch], last: data.epochs.at(-1), source: "report" } }));
  }
  document.addEventListener("clab:epoch", (event) => {
    if (!slider || event.detail.source === "report") return;
    stop();
    const apart = data.epochs.map((e) => Math.abs(e - event.detail.epoch));
    setEpoch(apart.indexOf(Math.min(...apart)));
  });
  let timer = 0;
  function stop() { clearInterval(timer); timer = 0; if (play) { delete play.dataset.on; play.textContent = "▶ Play"; } }
  play?.addEventListener("click", () => {
    if (timer) return stop();
    play.dataset.on = "yes"; play.textContent = "❚❚ Pause";
    if (epoch >= data.epochs.length - 1) setEpoch(0);
    timer = setInterval(() => { if (epoch + 1 >= data.epochs.length) stop(); else setEpoch(epoch + 1); }, 600);
  });

  /* three dimensions, drawn when asked for: browsers keep few WebGL pictures */
  const deep = { panel: null, box: document.getElementById("deep") };
  const closer = document.getElementById("closer"), chosen = document.getElementById("deep-run");
  async function showDeep() {
    const canvas = document.createElement("canvas");
    if (!(canvas.getContext("webgl2") || canvas.getContext("webgl"))) {
      deep.box.textContent = "This browser has no WebGL, which three dimensions need. The panels above show the same points in two.";
      return;
    }
    const panel = data.panels.find((p) => p.label === chosen.value);
    deep.box.setAttribute("aria-label", panel.deep.alt);
    delete deep.box.dataset.epoch;
    await draw("deep", panel.deep.figure);
    deep.panel = panel;
    const sheet = data.sheets[sheetOf(panel.label)];
    if (sheet.kind) markAs(deep.box, sheet);
    deep.box.on("plotly_hover", (event) => showTip(panel.label, event.points[0], event.event));
    deep.box.on("plotly_unhover", () => { tip.hidden = true; });
    moveTo(deep.box, reached(panel.epochs, data.epochs[epoch]), true);
  }
  closer?.addEventListener("toggle", () => { if (closer.open) showDeep(); });
  chosen?.addEventListener("change", () => { if (closer.open) showDeep(); });

  /* neighbours */
  function showNeighbours(number, place) {
    const sheet = data.sheets[number], query = sheet.queries[place], box = document.getElementById("found-" + number);
    sheet.place = place;
    all(`#queries-${number} button`).forEach((b, i) => b.setAttribute("aria-pressed", String(i === place)));
    box.replaceChildren(...Object.entries(sheet.runs).map(([run, found]) => {
      const row = document.createElement("div"), who = document.createElement("div"), list = document.createElement("ol");
      const same = found[place].filter((i) => kindOf(sheet).values[i] === kindOf(sheet).values[query]).length;
      row.className = "row"; row.dataset.run = run; row.hidden = hidden.has(run);
      who.className = "who"; who.innerHTML = data.glyphs[run];
      const count = document.createElement("span");
      count.textContent = `${same} of ${found[place].length} share the ${kindOf(sheet).name}`;
      who.append(run, count);
      list.append(...found[place].map((i) => {
        const item = document.createElement("li"), words = document.createElement("span");
        const agrees = kindOf(sheet).values[i] === kindOf(sheet).values[query];
        item.className = agrees ? "" : "other";
        words.className = "sr"; words.textContent = classOf(sheet, i) + (agrees ? ", the same" : ", another");
        item.append(thumb(sheet, i), words);
        return item;
      }));
      row.append(who, list);
      return row;
    }));
  }
  data.sheets.forEach((sheet, number) => {
    const bar = document.getElementById("queries-" + number);
    bar?.append(...sheet.queries.map((index, place) => {
      const choice = document.createElement("button");
      choice.type = "button";
      choice.setAttribute("aria-label", `Query ${place + 1}: ${classOf(sheet, index)}`);
      choice.append(thumb(sheet, index));
      choice.addEventListener("click", () => showNeighbours(number, place));
      return choice;
    }));
  });

  /* by what the images are told apart: marks, ticks and legend follow */
  function markAs(box, sheet) {
    const kind = kindOf(sheet);
    const marks = box.data.map((trace) => [...trace.customdata].map((index) => kind.markers[kind.values[index]]));
    const solid = { star: "square-open", "triangle-up": "diamond", "line-ew-open": "diamond-open" };
    const form = (mark) => (box.data[0].type === "scatter3d" ? solid[mark.symbol] ?? mark.symbol : mark.symbol);
    return Plotly.restyle(box, {
      "marker.color": marks.map((row) => row.map((mark) => mark.colour)),
      "marker.symbol": marks.map((row) => row.map(form)),
      hovertemplate: box.data.map(() => "image %{customdata}<extra></extra>"),
    });
  }
  function tellApart(number, choice) {
    const sheet = data.sheets[number], legend = document.getElementById("legend-" + number);
    sheet.kind = choice;
    all(`select[data-kind="${number}"]`).forEach((select) => { select.value = choice; });
    const kind = kindOf(sheet);
    legend?.replaceChildren(...kind.names.map((name, value) => {
      const item = document.createElement("li");
      item.innerHTML = kind.markers[value].glyph;
      item.append(name);
      return item;
    }));
    for (const panel of data.panels) {
      const box = document.getElementById(panel.id);
      if (sheetOf(panel.label) === number && box._fullLayout) markAs(box, sheet);
    }
    if (deep.panel && sheetOf(deep.panel.label) === number) markAs(deep.box, sheet);
    if (document.getElementById("found-" + number)) showNeighbours(number, sheet.place ?? 0);
  }
  all("select[data-kind]").forEach((select) => select.addEventListener("change", () => tellApart(Number(select.dataset.kind), Number(select.value))));
  data.sheets.forEach((_, number) => tellApart(number, 0));

  /* start */
  setTheme(system.matches ? "dark" : "light");
  (async () => {
    for (const [id, figure] of Object.entries(data.figures)) await draw(id, figure);
    for (const panel of data.panels) {
      const box = await draw(panel.id, panel.figure);
      box.dataset.epoch = panel.epochs.at(-1);
      box.on("plotly_hover", (event) => showTip(panel.label, event.points[0], event.event));
      box.on("plotly_unhover", () => { tip.hidden = true; });
    }
    if (slider) setEpoch(epoch);
    root.dataset.ready = "yes";
  })();
})();
