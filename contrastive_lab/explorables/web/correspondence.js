// Two crops of one scene and the cells that show the same place; contrastive_lab.explorables.correspondence is the same in Python.
function centresOf([x1, y1, x2, y2], side) {
  const cells = [];
  for (let r = 0; r < side; r++) for (let c = 0; c < side; c++) cells.push([x1 + ((x2 - x1) * (c + 0.5)) / side, y1 + ((y2 - y1) * (r + 0.5)) / side]);
  return cells;
}
const mirror = ([x1, y1, x2, y2], flip) => (flip ? [x2, y1, x1, y2] : [x1, y1, x2, y2]);
function distancesOf(box1, box2, side) {
  const a = centresOf(box1, side), b = centresOf(box2, side);
  const unit = Math.max(...[box1, box2].map(([x1, y1, x2, y2]) => Math.hypot(x2 - x1, y2 - y1) / side));
  return a.map(([x, y]) => b.map(([u, v]) => Math.hypot(x - u, y - v) / unit));
}
function pairState(box1, box2, flip1, flip2, threshold, side, forget) {
  const real = distancesOf(mirror(box1, flip1), mirror(box2, flip2), side), distance = forget ? distancesOf(box1, box2, side) : real;
  const mask = distance.map((row) => row.map((d) => d < threshold));
  const count = mask.flat().filter(Boolean).length, matched = mask.filter((row) => row.some(Boolean)).length;
  const right = mask.reduce((sum, row, i) => sum + row.filter((m, j) => m && real[i][j] < threshold).length, 0);
  const width = Math.max(0, Math.min(box1[2], box2[2]) - Math.max(box1[0], box2[0])), height = Math.max(0, Math.min(box1[3], box2[3]) - Math.max(box1[1], box2[1]));
  const area = ([x1, y1, x2, y2]) => (x2 - x1) * (y2 - y1);
  return { distance, mask, count, matched: matched / (side * side), each: matched ? count / matched : 0, right: count ? right / count : NaN,
    overlap: (width * height) / (area(box1) + area(box2) - width * height) };
}
function mountCorrespondence(root, data) {
  const NS = "http:" + "//www.w3.org/2000/svg", side = data.side, P = side * side, COLOURS = ["var(--dot)", "#cf7e00"];
  let boxes, flips, forget, threshold, cell, locked = true;
  const find = (name) => root.querySelector(`[data-part="${name}"]`);
  const make = (name, attributes, parent, text) => {
    const node = document.createElementNS(NS, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    return parent.appendChild(node);
  };
  const set = (node, attributes) => { for (const key in attributes) node.setAttribute(key, attributes[key]); };
  const picture = (parent) => make("image", { href: data.scene, x: 0, y: 0, width: 1, height: 1, preserveAspectRatio: "none", style: "image-rendering:pixelated" }, parent);
  const gridPath = (x1, y1, x2, y2) => {
    let d = "";
    for (let k = 0; k <= side; k++) { const x = x1 + ((x2 - x1) * k) / side, y = y1 + ((y2 - y1) * k) / side; d += `M${x},${y1}V${y2}M${x1},${y}H${x2}`; }
    return d;
  };
  const start = () => { boxes = data.boxes.map((b) => b.slice()); flips = [false, false]; forget = false; threshold = data.threshold; cell = 3 * side + 3; };
  start();
  const stage = find("stage"), size = (b) => b[2] - b[0];
  picture(stage);
  const frames = boxes.map((_, v) => {
    const g = make("g", { class: "point", tabindex: 0, role: "group", "aria-label": `crop ${v + 1}: arrow keys move it, Shift and arrow keys change its size` }, stage);
    const node = { g, area: make("rect", { class: "halo", fill: COLOURS[v], "fill-opacity": 0.08, stroke: COLOURS[v], "stroke-width": 0.008 }, g),
      grid: make("path", { fill: "none", stroke: COLOURS[v], "stroke-width": 0.002 }, g),
      name: make("text", { "font-size": 0.05, "font-weight": 600, style: `fill:${COLOURS[v]};stroke:#14171c;stroke-width:.012;paint-order:stroke` }, g, v + 1),
      corner: make("rect", { width: 0.045, height: 0.045, fill: COLOURS[v], style: "cursor:nwse-resize" }, g) };
    let from = null;
    const place = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(stage.getScreenCTM().inverse());
    g.addEventListener("pointerdown", (event) => {
      if (locked) return;
      g.setPointerCapture(event.pointerId); g.focus(); from = { at: place(event), box: boxes[v].slice(), resize: event.target === node.corner };
    });
    g.addEventListener("pointermove", (event) => {
      if (!from || !g.hasPointerCapture(event.pointerId)) return;
      const to = place(event), dx = to.x - from.at.x, dy = to.y - from.at.y;
      from.resize ? resize(v, from.box, size(from.box) + Math.max(dx, dy)) : move(v, from.box, dx, dy);
    });
    g.addEventListener("pointerup", () => { from = null; });
    g.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (locked || !step) return;
      event.preventDefault();
      event.shiftKey ? resize(v, boxes[v], size(boxes[v]) + 0.02 * (step[0] + step[1])) : move(v, boxes[v], 0.02 * step[0], 0.02 * step[1]);
    });
    return node;
  });
  const links = make("g", { stroke: "var(--pull)", "stroke-width": 0.007 }, stage);
  // Both crops as the network gets them: a window on the scene, mirrored or not.
  const crops = find("crops"), left = [0.02, 1.14];
  const panels = boxes.map((_, v) => {
    make("text", { x: left[v], y: 0.055, "font-size": 0.05, style: `fill:${COLOURS[v]}` }, crops, `crop ${v + 1}`);
    const flip = make("g", {}, crops), window = make("svg", { x: 0, y: 0, width: 1, height: 1, preserveAspectRatio: "none", style: "width:1px;height:1px;overflow:hidden" }, flip);
    picture(window);
    make("path", { d: gridPath(left[v], 0.07, left[v] + 1, 1.07), fill: "none", stroke: COLOURS[v], "stroke-width": 0.004 }, crops);
    return { flip, window, marks: make("g", { fill: "none" }, crops) };
  });
  const lines = make("g", { stroke: "var(--pull)", "stroke-width": 0.009, "stroke-opacity": 0.85 }, crops);
  crops.addEventListener("click", (event) => {
    if (locked) return;
    const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(crops.getScreenCTM().inverse()), c = Math.floor((p.x - left[0]) * side), r = Math.floor((p.y - 0.07) * side);
    if (c >= 0 && c < side && r >= 0 && r < side) { cell = r * side + c; draw(); }
  });
  const mask = find("mask");
  make("text", { x: P / 2, y: -1.2, "font-size": 2.6, "text-anchor": "middle" }, mask, "cells of crop 2");
  make("text", { "font-size": 2.6, "text-anchor": "middle", transform: `translate(-1.2,${P / 2}) rotate(-90)` }, mask, "cells of crop 1");
  make("rect", { width: P, height: P, fill: "none", stroke: "currentColor", "stroke-opacity": 0.5, "stroke-width": 0.2 }, mask);
  const row = make("rect", { x: 0, width: P, height: 1, fill: "var(--dot)", "fill-opacity": 0.3 }, mask);
  const good = make("path", { fill: "currentColor" }, mask), bad = make("path", { fill: "var(--push)" }, mask);
  function move(v, box, dx, dy) {
    const w = size(box), h = box[3] - box[1], x = Math.min(Math.max(box[0] + dx, 0), 1 - w), y = Math.min(Math.max(box[1] + dy, 0), 1 - h);
    boxes[v] = [x, y, x + w, y + h]; draw();
  }
  function resize(v, box, wanted) {
    const w = Math.min(Math.max(wanted, data.smallest), 1 - box[0], 1 - box[1]);
    boxes[v] = [box[0], box[1], box[0] + w, box[1] + w]; draw();
  }
  const inside = (v, k) => [left[v] + ((k % side) + 0.5) / side, 0.07 + (Math.floor(k / side) + 0.5) / side];
  function draw() {
    const s = pairState(boxes[0], boxes[1], flips[0], flips[1], threshold, side, forget);
    const real = distancesOf(mirror(boxes[0], flips[0]), mirror(boxes[1], flips[1]), side), partners = s.mask[cell].map((m, j) => (m ? j : -1)).filter((j) => j >= 0);
    boxes.forEach((b, v) => {
      const [x1, y1, x2, y2] = b, f = frames[v], p = panels[v];
      set(f.area, { x: x1, y: y1, width: x2 - x1, height: y2 - y1 }); set(f.grid, { d: gridPath(...b) });
      set(f.name, { x: x1 + 0.015, y: y1 + 0.055 }); set(f.corner, { x: x2 - 0.045, y: y2 - 0.045 });
      set(p.window, { viewBox: `${x1} ${y1} ${x2 - x1} ${y2 - y1}` });
      set(p.flip, { transform: flips[v] ? `translate(${left[v] + 1},0.07) scale(-1,1)` : `translate(${left[v]},0.07)` });
      p.marks.replaceChildren();
      for (const k of v ? partners : [cell]) { const [x, y] = inside(v, k), h = 0.5 / side; make("rect", { x: x - h, y: y - h, width: 2 * h, height: 2 * h, stroke: v && real[cell][k] >= threshold ? "var(--push)" : "var(--pull)", "stroke-width": 0.018 }, p.marks); }
      find(`flip${v + 1}`).setAttribute("aria-pressed", flips[v]);
    });
    lines.replaceChildren(); links.replaceChildren();
    const seen = boxes.map((b, v) => centresOf(mirror(b, flips[v]), side)), [ax, ay] = inside(0, cell);
    for (const j of partners) {
      const wrong = real[cell][j] >= threshold, colour = wrong ? { stroke: "var(--push)", "stroke-dasharray": "0.03 0.02" } : {}, [bx, by] = inside(1, j);
      make("line", { x1: ax, y1: ay, x2: bx, y2: by, ...colour }, lines);
      make("line", { x1: seen[0][cell][0], y1: seen[0][cell][1], x2: seen[1][j][0], y2: seen[1][j][1], ...colour }, links);
    }
    make("circle", { cx: seen[0][cell][0], cy: seen[0][cell][1], r: 0.014, fill: "var(--pull)", stroke: "none" }, links);
    const dots = ["", ""];
    s.mask.forEach((line, i) => line.forEach((m, j) => { if (m) dots[real[i][j] < threshold ? 0 : 1] += `M${j},${i}h1v1h-1z`; }));
    set(good, { d: dots[0] }); set(bad, { d: dots[1] }); set(row, { y: cell });
    const percent = (x) => `${Math.round(100 * x)} %`;
    find("count").textContent = s.count; find("count-note").textContent = `of ${P} x ${P} = ${P * P}`;
    find("matched").textContent = percent(s.matched); find("matched-note").textContent = `the crops overlap by ${percent(s.overlap)} (intersection over union)`;
    find("each").textContent = s.each.toFixed(2); find("each-note").textContent = `the chosen cell has ${partners.length}`;
    find("right").textContent = s.count ? percent(s.right) : "none"; find("right-note").textContent = forget ? "the mask doesn't know of the mirror" : "boxes travel with the images";
    find("threshold").value = threshold; find("threshold-value").textContent = threshold.toFixed(2);
    find("cell").value = cell; find("cell-value").textContent = `row ${Math.floor(cell / side) + 1}, ${(cell % side) + 1}`;
    const nearest = Math.min(...s.distance[cell]);
    find("words").textContent = `The cell in row ${Math.floor(cell / side) + 1}, column ${(cell % side) + 1} of crop 1 ${partners.length ? `has ${partners.length} positive${partners.length > 1 ? "s" : ""}` : "has no positive"}; the nearest cell of crop 2 is ${nearest.toFixed(2)} diagonals away. ` +
      (forget ? `The images are mirrored, the boxes are not: ${s.count ? `${percent(1 - s.right)} of the pairs join different places, and no error tells` : "no harm while the crops share no place"}.` :
        `${percent(s.matched)} of the cells of crop 1 have a positive, ${s.each.toFixed(1)} each on average.`);
  }
  find("threshold").addEventListener("input", (event) => { threshold = +event.target.value; draw(); });
  find("cell").addEventListener("input", (event) => { cell = +event.target.value; draw(); });
  [0, 1].forEach((v) => find(`flip${v + 1}`).addEventListener("click", () => { flips[v] = !flips[v]; forget = false; draw(); }));
  find("same").addEventListener("click", () => { boxes[1] = boxes[0].slice(); flips = [false, false]; forget = false; draw(); });
  find("apart").addEventListener("click", () => { boxes = [[0, 0, 0.42, 0.42], [0.56, 0.56, 1, 1]]; draw(); });
  find("reset").addEventListener("click", () => { start(); draw(); });
  find("collapse").addEventListener("click", () => { flips = [false, true]; forget = true; draw(); });
  lock(root, () => { locked = false; });
  draw();
}
