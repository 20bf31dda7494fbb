// One query cell under several encoders; the arithmetic is in cells.js.
function mountLocality(root, data) {
  const [height, width] = data.grid, count = height * width, NS = "http:" + "//www.w3.org/2000/svg";
  const find = (name) => root.querySelector(`[data-part="${name}"]`);
  const put = (node, attributes) => { for (const key in attributes) node.setAttribute(key, attributes[key]); };
  const make = (name, attributes, parent, text) => {
    const node = document.createElementNS(NS, name);
    put(node, attributes);
    if (text !== undefined) node.textContent = text;
    return parent.appendChild(node);
  };
  const plain = { fill: "none", stroke: "#fff" }, head = "font-weight:600;font-size:12.5px;min-height:3.3em;border-top:4px solid ";
  const usual = { image: data.start, query: data.queries[data.start], theta: 0.5, moment: Math.max(...data.panels.map((p) => p.epochs.length)) - 1, lost: false, dense: false, coarse: false };
  const SWITCHES = [["lost", "lost"], ["dense", "dense"], ["collapse", "coarse"]];
  let now = { ...usual }, locked = true;
  const untrained = data.panels.findIndex((p) => p.name === "untrained"), kept = new Map();
  const matrixOf = (panel, image, moment) => {
    const trained = data.panels[panel].epochs.length > 1, at = trained ? Math.min(moment, data.panels[panel].epochs.length - 1) : 0;
    const [source, index] = trained && at === 0 ? [untrained, 0] : [panel, trained ? at - 1 : 0], key = `${source},${index},${image},${now.coarse}`;
    if (!kept.has(key)) {
      const full = squareOf(data.panels[source].maps[index][image], count);
      kept.set(key, now.coarse ? averagedOver(full, data.grid, 4) : full);
    }
    return kept.get(key);
  };
  const STOPS = [[0, 34, 78], [53, 69, 108], [102, 105, 112], [165, 156, 116], [254, 232, 56]];  // cividis: reads without red and green
  const paint = (share) => {
    const x = Math.max(0, Math.min(1, share)) * 4, k = Math.min(3, Math.floor(x));
    return `rgb(${STOPS[k].map((low, c) => Math.round(low + (STOPS[k + 1][c] - low) * (x - k))).join()})`;
  };
  const outline = (inside) => {
    let path = "";
    const at = (r, c) => r >= 0 && c >= 0 && r < height && c < width && inside[r * width + c];
    for (let r = 0; r < height; r++) for (let c = 0; c < width; c++) if (at(r, c)) {
      if (!at(r - 1, c)) path += `M${c},${r}h1`;
      if (!at(r + 1, c)) path += `M${c},${r + 1}h1`;
      if (!at(r, c - 1)) path += `M${c},${r}v1`;
      if (!at(r, c + 1)) path += `M${c + 1},${r}v1`;
    }
    return path;
  };
  const stage = find("stage");
  stage.setAttribute("viewBox", `0 0 ${width} ${height}`); stage.style.overflow = "hidden"; stage.style.cursor = "crosshair";
  const photo = make("image", { href: data.sprite, width: width * data.names.length, height, preserveAspectRatio: "none", style: "image-rendering:pixelated" }, stage);
  const truthLine = make("path", { ...plain, "stroke-width": 0.1, "stroke-dasharray": "0.25 0.2" }, stage);
  const cross = (parent) => [["#000", 0.28], ["#fff", 0.13]].map(([stroke, w]) => make("rect", { width: 1, height: 1, fill: "none", stroke, "stroke-width": w }, parent));
  const marks = [cross(stage)];
  const views = data.panels.map((panel) => {
    const box = document.createElement("div");
    box.style.flex = "1 1 130px"; box.style.maxWidth = "190px";
    find("row").appendChild(box);
    box.appendChild(Object.assign(document.createElement("div"), { textContent: panel.title, style: head + panel.colour }));
    const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "shape-rendering": "crispEdges", style: "cursor:crosshair" }, box);
    const cells = Array.from({ length: count }, (_, i) => make("rect", { x: i % width, y: Math.floor(i / width), width: 1.02, height: 1.02 }, svg));
    const line = make("path", { ...plain, "stroke-width": 0.16 }, svg), frame = make("rect", { fill: "none", stroke: "#ff5a4e", "stroke-width": 0.22 }, svg);
    marks.push(cross(svg));
    const words = box.appendChild(document.createElement("div"));
    words.className = "small"; words.style.fontSize = "12px";
    const roc = make("svg", { viewBox: "-2 -2 64 44", role: "img", "aria-label": "ROC curve", style: "max-height:64px" }, box);
    make("path", { d: "M0,0V40H60M0,40L60,0", fill: "none", stroke: "currentColor", "stroke-opacity": 0.4, "stroke-width": 0.8 }, roc);
    const curve = make("polyline", { fill: "none", stroke: panel.colour, "stroke-width": 2 }, roc);
    return { box, svg, cells, line, frame, words, roc, curve };
  });
  find("stage").parentElement.insertBefore(Object.assign(document.createElement("div"), { textContent: "the image", style: head + "transparent" }), find("stage"));
  const shown = (panel) => panel.name === "pixcontrast" ? now.dense : panel.name === "pixpro" ? !now.dense : true;
  const plane = find("plane"), spots = [];
  if (plane) {
    const every = Object.values(data.paths.methods).flat(), range = (k, extra) => { const v = [...every.map((row) => row[k]), ...extra], low = Math.min(...v), high = Math.max(...v), gap = (high - low || 0.1) * 0.08; return [low - gap, Math.min(1, high + gap)]; };
    const [x0, x1] = range(1, [data.paths.colour]), [y0, y1] = range(2, []), px = (v) => 50 + (400 * (v - x0)) / (x1 - x0), py = (v) => 150 - (132 * (v - y0)) / (y1 - y0);
    make("path", { d: "M50,14V150H450", fill: "none", stroke: "currentColor", "stroke-opacity": 0.5 }, plane);
    for (let k = 0; k < 4; k++) {
      make("text", { x: 50 + 400 * k / 3, y: 163, "font-size": 11, "text-anchor": "middle" }, plane, (x0 + (x1 - x0) * k / 3).toFixed(2));
      make("text", { x: 45, y: 154 - 132 * k / 3, "font-size": 11, "text-anchor": "end" }, plane, (y0 + (y1 - y0) * k / 3).toFixed(2));
    }
    make("text", { x: 250, y: 180, "font-size": 12, "text-anchor": "middle" }, plane, "mask AUROC of the test images (all object cells ask) →");
    make("text", { transform: "translate(12,86) rotate(-90)", "font-size": 10.5, "text-anchor": "middle" }, plane, "kNN, shape (guess 0.17) →");
    make("path", { d: `M${px(data.paths.colour)},14V150`, stroke: "#cf7e00", "stroke-width": 2, "stroke-dasharray": "5 4" }, plane);
    make("path", { d: "M456,26h26", stroke: "#cf7e00", "stroke-width": 2, "stroke-dasharray": "5 4" }, plane);
    make("text", { x: 486, y: 30, "font-size": 12 }, plane, "raw colour");
    Object.entries(data.paths.methods).forEach(([name, rows], k) => {
      const colour = (data.panels.find((p) => p.name === name) || { colour: "currentColor" }).colour, dash = ["none", "8 3 2 3", "4 3"][k % 3];
      make("polyline", { points: rows.map((row) => `${px(row[1])},${py(row[2])}`).join(" "), fill: "none", stroke: colour, "stroke-width": 2, "stroke-dasharray": dash }, plane);
      rows.forEach((row) => make("circle", { cx: px(row[1]), cy: py(row[2]), r: 3, fill: colour }, plane));
      const last = rows[rows.length - 1];
      make("path", { d: `M456,${47 + 20 * k}h26`, stroke: colour, "stroke-width": 2.5, "stroke-dasharray": dash }, plane);
      make("text", { x: 486, y: 51 + 20 * k, "font-size": 12 }, plane, `${name} to epoch ${last[0]}`);
      spots.push({ name, rows, node: make("circle", { r: 6.5, fill: "none", stroke: colour, "stroke-width": 2.5 }, plane), px, py });
    });
  }
  function draw() {
    const region = data.regions[now.image], truth = Array.from(region, (letter) => letter === region[now.query]), known = new Set(region).size > 1;
    photo.setAttribute("x", -width * now.image);
    truthLine.setAttribute("d", known ? outline(truth) : "");
    for (const node of marks.flat()) put(node, { x: now.query % width, y: Math.floor(now.query / width) });
    const said = [];
    data.panels.forEach((panel, p) => {
      const view = views[p];
      view.box.style.display = shown(panel) ? "" : "none";
      if (!shown(panel)) return;
      const matrix = matrixOf(p, now.image, now.moment), row = matrix[now.query], low = Math.min(...row), level = low + now.theta * (1 - low);
      const inside = Array.from(row, (value) => value >= level - 1e-9), { auroc, curve } = rank(row, truth, now.query);
      const both = inside.filter((v, i) => v && truth[i]).length, either = inside.filter((v, i) => v || truth[i]).length;
      const epoch = panel.epochs[Math.min(now.moment, panel.epochs.length - 1)], when = panel.epochs.length > 1 ? `epoch ${epoch}, ` : "";
      const lost = now.lost ? lostOf(matrix, data.grid) : null, most = lost ? Math.max(...lost.degrees) : 1, least = lost ? Math.min(...lost.degrees) : 0;
      view.cells.forEach((cell, i) => cell.setAttribute("fill", paint(lost ? (lost.degrees[i] - least) / Math.max(most - least, 1) : (row[i] - low) / Math.max(1 - low, 1e-9))));
      view.line.setAttribute("d", lost ? "" : outline(inside));
      view.frame.setAttribute("display", lost ? "inline" : "none");
      if (lost) put(view.frame, { x: lost.box[0], y: lost.box[1], width: lost.box[2] - lost.box[0], height: lost.box[3] - lost.box[1] });
      const score = known ? `AUROC ${isNaN(auroc) ? "–" : auroc.toFixed(2)}, IoU ${(both / either).toFixed(2)}` : "no mask known";
      view.words.textContent = lost ? `${when}degrees ${least} to ${most}; seed in row ${Math.floor(lost.seed / width) + 1}, column ${(lost.seed % width) + 1}` : `${when}${score}; θ is cosine ${level.toFixed(3)}`;
      view.svg.setAttribute("aria-label", `${panel.title}: ${view.words.textContent}`);
      view.curve.setAttribute("points", known ? curve.map(([x, y]) => `${60 * x},${40 - 40 * y}`).join(" ") : "");
      said.push(`${panel.title} ${isNaN(auroc) ? "–" : auroc.toFixed(2)}`);
    });
    for (const { name, rows, node, px, py } of spots) {
      const panel = data.panels.find((p) => p.name === name), epoch = panel ? panel.epochs[Math.min(now.moment, panel.epochs.length - 1)] : 0, row = rows.find((r) => r[0] === epoch) || rows[rows.length - 1];
      put(node, { cx: px(row[1]), cy: py(row[2]) });
    }
    const where = `row ${Math.floor(now.query / width) + 1}, column ${(now.query % width) + 1}`, size = truth.filter(Boolean).length;
    find("caption").textContent = `${data.names[now.image]}; query ${where}${known ? `, in a region of ${size} cells (dashed)` : ""}`;
    const slow = data.panels.reduce((a, p) => (p.epochs.length > a.length ? p.epochs : a), []);
    find("theta").value = now.theta; find("theta-value").textContent = `${Math.round(100 * now.theta)} %`;
    find("image").value = now.image; find("image-value").textContent = `${now.image + 1} of ${data.names.length}`;
    if (find("moment")) { find("moment").value = now.moment; find("moment-value").textContent = slow[Math.min(now.moment, slow.length - 1)]; }
    for (const [part, key] of SWITCHES) if (find(part)) put(find(part), { "aria-pressed": now[key], style: now[key] ? "font-weight:700" : "" });
    find("words").textContent = (now.lost ? "LOST: bright cells correlate positively with many cells; the seed is the least connected cell and the red frame its box. " : "") +
      (now.coarse ? "The cells were averaged to a map of 4 × 4: too few for an object. " : "") +
      (known ? `Query in ${where}. AUROC with its region (0.5 is blind, 1 perfect): ${said.join(", ")}.` : `Query in ${where}. No mask is known here.`);
  }
  const pick = (node, event) => {
    if (locked) return;
    const box = node.getBoundingClientRect(), side = Math.min(box.width / width, box.height / height);
    const c = Math.floor((event.clientX - box.left - (box.width - side * width) / 2) / side), r = Math.floor((event.clientY - box.top - (box.height - side * height) / 2) / side);
    if (c >= 0 && r >= 0 && c < width && r < height) { now.query = r * width + c; draw(); }
  };
  for (const node of [stage, ...views.map((view) => view.svg)]) {
    node.addEventListener("pointerdown", (event) => pick(node, event));
    node.addEventListener("pointermove", (event) => { if (event.buttons) pick(node, event); });
  }
  stage.addEventListener("keydown", (event) => {
    const [r, c] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] || [0, 0];
    if (locked || (!r && !c)) return;
    event.preventDefault();
    const row = Math.floor(now.query / width) + r, column = (now.query % width) + c;
    if (row >= 0 && row < height && column >= 0 && column < width) { now.query = row * width + column; draw(); }
  });
  find("theta").addEventListener("input", (event) => { now.theta = +event.target.value; draw(); });
  find("image").addEventListener("input", (event) => { now.image = +event.target.value; now.query = data.queries[now.image]; draw(); });
  if (find("moment")) find("moment").addEventListener("input", (event) => { now.moment = +event.target.value; draw(); });
  find("reset").addEventListener("click", () => { now = { ...usual }; draw(); });
  for (const [part, key] of SWITCHES) if (find(part)) find(part).addEventListener("click", () => { now[key] = !now[key]; draw(); });
  locked = lock(root, () => { locked = false; });
  draw();
}
