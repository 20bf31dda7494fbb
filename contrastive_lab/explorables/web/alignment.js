// Twins and strangers under one encoder and one strength; contrastive_lab.explorables.alignment.state_at is the same in Python.
function alignmentState(own, stranger, alpha, bins) {
  const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const cosine = Array.from(own, (d) => 1 - (d * d) / 2), rival = Array.from(stranger, (d) => 1 - (d * d) / 2);
  const alignment = mean(Array.from(own, (d) => Math.pow(d, alpha))), bars = new Array(bins).fill(0);
  for (const d of own) bars[Math.min(bins - 1, Math.floor((d / 2) * bins))]++;
  return { alignment, mean: mean(Array.from(own)), root: Math.pow(alignment, 1 / alpha), cosine, rival, bars,
    found: mean(Array.from(own, (d, i) => (d < stranger[i] ? 1 : 0))), margin: cosine.map((c, i) => c - rival[i]) };
}
function mountAlignment(root, data) {
  const NS = "http:" + "//www.w3.org/2000/svg", table = unpack(data.distances), count = data.distances.shape[3];
  const find = (name) => root.querySelector(`[data-part="${name}"]`);
  const put = (node, attributes) => { for (const key in attributes) node.setAttribute(key, attributes[key]); };
  const make = (name, attributes, parent, text) => {
    const node = document.createElementNS(NS, name);
    put(node, attributes);
    if (text !== undefined) node.textContent = text;
    return parent.appendChild(node);
  };
  const text = (parent, x, y, words, extra) => make("text", { x, y, "font-size": 11.5, ...extra }, parent, words);
  let strength = data.strength, encoder = data.encoder, alpha = 2, chosen = null, locked = true;
  const shownOf = () => data.shown[strength];
  // Left: six pairs.
  const left = find("twins"), SIDE = 44, STEP = 51;
  text(left, 0, 12, "two views, and their distance on the sphere", { "font-weight": 600 });
  const rows = Array.from({ length: 6 }, (_, k) => {
    const y = 22 + k * STEP, views = [0, 1].map(() => {
      const window = make("svg", { width: SIDE, height: SIDE, viewBox: `0 0 ${data.side} ${data.side}`, y, style: `overflow:hidden;width:${SIDE}px;height:${SIDE}px;max-height:none` }, left);
      const sheet = make("image", { href: data.sprite, width: data.side * data.columns, height: data.side * data.rows, style: "image-rendering:pixelated" }, window);
      return { window, sheet };
    });
    const line = make("line", { y1: y + SIDE / 2, y2: y + SIDE / 2, stroke: "var(--pull)", "stroke-width": 3, "stroke-linecap": "round" }, left);
    const number = text(left, 0, y + SIDE / 2 - 6, "", { "text-anchor": "middle" });
    return { views, line, number };
  });
  // Middle: histogram of the distances.
  const middle = find("bars"), px = (d) => 12 + 138 * d, base = 262, bars = Array.from({ length: data.bins }, (_, k) => {
    const bar = make("rect", { x: px((2 * k) / data.bins) + 0.4, width: 276 / data.bins - 0.8, fill: "var(--dot)" }, middle);
    const target = make("rect", { x: px((2 * k) / data.bins), width: 276 / data.bins, y: 40, height: base - 40, fill: "transparent", style: "cursor:pointer" }, middle);
    target.addEventListener("click", () => { if (!locked) { chosen = (2 * k + 1) / data.bins; draw(); } });
    return bar;
  });
  text(middle, 0, 12, `distances of all ${count} pairs`, { "font-weight": 600 });
  text(middle, 0, 27, "click a bar to see its pairs", { opacity: 0.75 });
  make("path", { d: `M12,${base}H288`, stroke: "currentColor", "stroke-opacity": 0.5 }, middle);
  for (const d of [0, 0.5, 1, 1.414, 2]) text(middle, px(d), base + 15, d === 1.414 ? "√2" : d, { "text-anchor": "middle" });
  text(middle, 150, base + 32, "distance (√2: unrelated)", { "text-anchor": "middle" });
  const curve = make("path", { fill: "none", stroke: "#cf7e00", "stroke-width": 1.6, "stroke-dasharray": "5 3" }, middle), curveName = text(middle, 286, 62, "", { "text-anchor": "end", style: "fill:#cf7e00" });
  const ticks = [["mean", "var(--pull)", 0], ["root", "var(--push)", 1]].map(([name, colour, k]) => {
    const how = { stroke: colour, "stroke-width": 2, "stroke-dasharray": k ? "3 3" : "none" }, x = k ? 126 : 12;
    make("path", { ...how, d: `M${x},${base + 45}h16` }, middle);
    return { name, line: make("path", how, middle), words: text(middle, x + 21, base + 49, "") };
  });
  const mark = make("path", { fill: "currentColor" }, middle);
  // Right: cosine with the twin against cosine with the nearest stranger, both axes over the same range.
  const right = find("dots"), area = { x: 40, y: 36, side: 226 };
  text(right, 0, 12, "twin against nearest stranger", { "font-weight": 600 });
  text(right, 0, 27, "below the diagonal: the twin is found", { opacity: 0.75 });
  make("rect", { x: area.x, y: area.y, width: area.side, height: area.side, fill: "none", stroke: "currentColor", "stroke-opacity": 0.5 }, right);
  make("path", { d: `M${area.x},${area.y + area.side}L${area.x + area.side},${area.y}`, stroke: "currentColor", "stroke-opacity": 0.6, "stroke-dasharray": "4 3" }, right);
  text(right, area.x + area.side / 2, 294, "cosine with the twin →", { "text-anchor": "middle" });
  make("text", { transform: "translate(10,149) rotate(-90)", "font-size": 11.5, "text-anchor": "middle" }, right, "nearest stranger →");
  const low = [text(right, area.x, 277, "", { "text-anchor": "middle" }), text(right, area.x - 4, area.y + area.side, "", { "text-anchor": "end" })];
  const high = [text(right, area.x + area.side, 277, "", { "text-anchor": "middle" }), text(right, area.x - 4, area.y + 8, "", { "text-anchor": "end" })];
  const dots = Array.from({ length: count }, () => make("path", { "stroke-width": 1.1 }, right));
  function draw() {
    const own = table.row(strength, encoder, 0), stranger = table.row(strength, encoder, 1), s = alignmentState(own, stranger, alpha, data.bins);
    const reach = shownOf().map((image) => own[image]), order = reach.map((_, k) => k).sort((a, b) => reach[a] - reach[b] || a - b);
    const near = reach.map((_, k) => k).sort((a, b) => Math.abs(reach[a] - chosen) - Math.abs(reach[b] - chosen) || a - b).slice(0, 6).sort((a, b) => reach[a] - reach[b]);
    const picked = chosen === null ? Array.from({ length: Math.min(6, order.length) }, (_, k) => order[Math.round((k * (order.length - 1)) / Math.max(1, Math.min(6, order.length) - 1))]) : near;
    rows.forEach((row, k) => {
      const there = k < picked.length, d = there ? reach[picked[k]] : 0, gap = 10 + 72 * d, from = 4;
      row.views.forEach(({ window, sheet }, v) => {
        put(window, { x: from + v * (SIDE + gap), visibility: there ? "visible" : "hidden" });
        if (there) put(sheet, { x: -data.side * (v * (data.columns / 2) + picked[k]), y: -data.side * strength });
      });
      put(row.line, { x1: from + SIDE + 2, x2: from + SIDE + gap - 2, visibility: there ? "visible" : "hidden" });
      put(row.number, { x: from + SIDE + gap / 2 + (gap < 40 ? SIDE + 30 : 0) });
      row.number.textContent = there ? d.toFixed(d < 0.1 ? 3 : 2) : "";
    });
    const most = Math.max(...s.bars, 1), tall = (share) => base - 200 * share;
    bars.forEach((bar, k) => put(bar, { y: tall(s.bars[k] / most), height: 200 * (s.bars[k] / most) }));
    put(curve, { d: "M" + Array.from({ length: 41 }, (_, k) => `${px(k / 20).toFixed(1)},${tall(Math.pow(k / 40, alpha)).toFixed(1)}`).join("L") });
    curveName.textContent = `weight d${["", "", "²", "³"][alpha]}`;
    ticks.forEach(({ name, line, words }, k) => {
      put(line, { d: `M${px(s[name])},${base - 206}V${base + 3}` });
      words.textContent = k ? `root of alignment ${s.root.toFixed(3)}` : `mean ${s.mean.toFixed(3)}`;
    });
    put(mark, { d: chosen === null ? "" : `M${px(chosen)},${base + 2}l-4,7h8z` });
    const bottom = Math.min(...s.cosine, ...s.rival), floor = bottom > 0.9 ? Math.floor(bottom * 100) / 100 : Math.floor(bottom * 5) / 5, span = 1 - floor || 1;
    for (const node of low) node.textContent = floor.toFixed(floor > 0.9 ? 2 : 1);
    for (const node of high) node.textContent = "1";
    dots.forEach((dot, i) => {
      const x = area.x + (area.side * (s.cosine[i] - floor)) / span, y = area.y + area.side - (area.side * (s.rival[i] - floor)) / span, good = own[i] < stranger[i];
      put(dot, good ? { d: `M${x - 2.4},${y}a2.4,2.4 0 1 0 4.8,0a2.4,2.4 0 1 0 -4.8,0`, fill: "var(--dot)", "fill-opacity": 0.6, stroke: "none" }
        : { d: `M${x - 2},${y - 2}l4,4m0,-4l-4,4`, fill: "none", stroke: "var(--push)", "stroke-opacity": 0.8 });
    });
    const name = data.encoders[encoder], sorted = s.margin.slice().sort((a, b) => a - b), middleMargin = (sorted[(count - 1) >> 1] + sorted[count >> 1]) / 2;
    find("name").textContent = name;
    find("alignment").textContent = s.alignment.toFixed(4);
    const mean = s.cosine.reduce((a, b) => a + b, 0) / count;
    find("relation").textContent = alpha === 2 ? `= 2 − 2 · ${mean.toFixed(4)} (mean cosine); 0 is best, 2 unrelated` : `0 is best, unrelated points give ${Math.pow(2, alpha / 2).toFixed(2)}`;
    find("found").textContent = `${Math.round(100 * s.found)} %`; find("chance").textContent = `guessing ${(100 / count).toFixed(1)} %, all is 100 %`;
    find("margin").textContent = middleMargin.toFixed(3); find("margin-note").textContent = `cosine with the twin less that with the nearest stranger`;
    find("strength").value = strength; find("strength-value").textContent = `${strength} of ${data.rows - 1}`;
    find("encoder").value = encoder; find("encoder-value").textContent = `${encoder + 1} of ${data.encoders.length}`;
    find("encoder").setAttribute("aria-valuetext", name);
    find("alpha").value = alpha; find("alpha-value").textContent = alpha;
    find("words").textContent = `${name}, strength ${strength}: alignment ${s.alignment.toFixed(3)}; ${Math.round(100 * s.found)} % of ${count} images have their twin nearer than every stranger. ` +
      (strength === 0 ? "At strength 0 both views are the image itself." : s.alignment < 0.05 && s.found < 0.5 ? "Good alignment and no use: strangers are as near as twins." : "");
  }
  for (const [part, set] of [["strength", (v) => { strength = v; chosen = null; }], ["encoder", (v) => { encoder = v; chosen = null; }], ["alpha", (v) => { alpha = v; }]])
    find(part).addEventListener("input", (event) => { set(+event.target.value); draw(); });
  find("reset").addEventListener("click", () => { strength = data.strength; encoder = data.encoder; alpha = 2; chosen = null; draw(); });
  find("collapse").addEventListener("click", () => { const at = data.encoders.indexOf("alignment only"); encoder = at >= 0 ? at : Math.max(0, data.encoders.indexOf("untrained network")); chosen = null; draw(); });
  locked = lock(root, () => { locked = false; });
  draw();
}
