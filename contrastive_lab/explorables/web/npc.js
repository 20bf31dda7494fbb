// q of every anchor, batch by batch; contrastive_lab.explorables.npc.state_at is the same in Python.
function cosines(views) {
  const [, count, dim] = views.shape, all = 2 * count, unit = new Float64Array(all * dim), below = new Float64Array((all * (all - 1)) / 2);
  for (let a = 0; a < all; a++) {
    let length = 0;
    for (let d = 0; d < dim; d++) length += views[a * dim + d] ** 2;
    for (let d = 0; d < dim; d++) unit[a * dim + d] = views[a * dim + d] / Math.sqrt(length);
  }
  for (let a = 0, k = 0; a < all; a++) for (let b = 0; b < a; b++, k++) {
    for (let d = 0; d < dim; d++) below[k] += unit[a * dim + d] * unit[b * dim + d];
  }
  return { count, below };
}
// The sum of exp((cosine - 1) / tau) over both views of two neighbouring images: larger batches add up such groups.
function potentials({ count, below }, tau) {
  const all = 2 * count, groups = count / 2, positive = new Float64Array(all), near = new Float64Array(all * groups);
  for (let a = 0, k = 0; a < all; a++) for (let b = 0; b < a; b++, k++) {
    if (a - b === count) { positive[a] = positive[b] = below[k]; continue; }
    const bump = Math.exp((below[k] - 1) / tau);
    near[a * groups + ((b % count) >> 1)] += bump;
    near[b * groups + ((a % count) >> 1)] += bump;
  }
  return { positive, near, count, groups };
}
function multipliers(potential, size, tau, ease) {
  const { positive, near, count, groups } = potential;
  return Array.from(positive, (cosine, a) => {
    const first = Math.floor((a % count) / size) * (size / 2);
    let negatives = 0;
    for (let g = first; g < first + size / 2; g++) negatives += near[a * groups + g];
    return negatives / (Math.exp((cosine + ease * (1 - cosine) - 1) / tau) + negatives);
  });
}
function summary(q) {
  const sorted = q.slice().sort((a, b) => a - b), mean = (list) => list.reduce((sum, x) => sum + x, 0) / list.length;
  const quantile = (share) => {
    const place = share * (q.length - 1), below = Math.floor(place), above = Math.min(below + 1, q.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  };
  return { mean: mean(q), low: quantile(0.1), high: quantile(0.9), asleep: mean(q.map((x) => +(x < 0.1))), gap: mean(q.map((x) => -Math.log(x))) };
}
function mountNpc(root, data) {
  const NS = "http:" + "//www.w3.org/2000/svg", find = (name) => root.querySelector(`[data-part="${name}"]`);
  const make = (name, attributes, parent, text) => {
    const node = document.createElementNS(NS, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    return parent.appendChild(node);
  };
  const clouds = data.stages.map((stage) => unpack(stage.views));
  let batch = data.batch, tau = data.temperature, ease = 0, stage = data.stage, products = [], kept = null, potential = null;
  const left = find("stage-picture"), right = find("curve"), small = 0.13, DCL = "#cf7e00";
  const line = (parent, x1, y1, x2, y2, more) => make("line", { x1, y1, x2, y2, stroke: "currentColor", "stroke-opacity": 0.35, "stroke-width": 0.01, ...more }, parent);
  const write = (parent, x, y, text, more) => make("text", { x, y, "font-size": small, ...more }, parent, text);
  const Y = (q) => 2.6 - 2.3 * q, X = (cosine) => 0.42 + (2.6 * (cosine + 0.2)) / 1.2, BIN = 20, BARS = 3.1;
  for (const picture of [left, right]) {
    for (const q of [0, 0.5, 1]) { line(picture, 0.36, Y(q), 4.1, Y(q), { "stroke-opacity": 0.15 }); write(picture, 0.32, Y(q) + 0.045, q, { "text-anchor": "end" }); }
    line(picture, 0.36, Y(1), 4.1, Y(1), { stroke: DCL, "stroke-opacity": 1, "stroke-width": 0.022, "stroke-dasharray": "0.09 0.06" });
    write(picture, 4.1, Y(1) - 0.07, "DCL: always 1", { "text-anchor": "end" });
  }
  for (const cosine of [0, 0.5, 1]) write(left, X(cosine), 2.78, cosine, { "text-anchor": "middle" });
  write(left, X(0.4), 2.98, "cosine with the positive", { "text-anchor": "middle" });
  write(left, 3.6, 2.98, "anchors", { "text-anchor": "middle" });
  write(left, 0.42, 0.18, "q of each anchor", { "font-weight": 600 }); write(right, 0.42, 0.18, "mean of q", { "font-weight": 600 });
  const shown = Array.from({ length: 2 * clouds[0].shape[1] }, (_, a) => a).filter((a) => a % Math.ceil(clouds[0].shape[1] / 150) === 0);
  const dots = shown.map(() => make("circle", { r: 0.025, fill: "var(--dot)", "fill-opacity": 0.65 }, left));
  const bars = Array.from({ length: BIN }, (_, k) => make("rect", { x: BARS, y: Y((k + 1) / BIN) + 0.008, height: 2.3 / BIN - 0.016, fill: "var(--dot)", "fill-opacity": 0.75 }, left));
  line(left, BARS, Y(1), BARS, Y(0));
  const meanLeft = line(left, BARS, 0, 4.1, 0, { "stroke-opacity": 1, "stroke-width": 0.025 });
  const U = (index) => 0.55 + (3.4 * index) / (data.sizes.length - 1);
  data.sizes.forEach((size, index) => write(right, U(index), 2.78, size, { "text-anchor": "middle" }));
  write(right, 2.25, 2.98, "batch size N (images)", { "text-anchor": "middle" });
  const band = make("path", { fill: "var(--dot)", "fill-opacity": 0.18 }, right);
  const means = make("path", { fill: "none", stroke: "var(--dot)", "stroke-width": 0.03 }, right), now = make("circle", { r: 0.07, fill: "var(--dot)", stroke: "currentColor", "stroke-width": 0.015 }, right);
  const percent = (share) => (share > 0 && share < 0.01 ? "under 1 %" : Math.round(100 * share) + " %");
  function draw() {
    if (kept !== `${stage} ${tau}`) {
      products[stage] = products[stage] || cosines(clouds[stage]);
      potential = potentials(products[stage], tau); kept = `${stage} ${tau}`;
    }
    const several = data.sizes.map((size) => summary(multipliers(potential, size, tau, ease)));
    const size = data.sizes[batch], q = multipliers(potential, size, tau, ease), s = several[batch];
    shown.forEach((a, k) => {
      const cosine = potential.positive[a] + ease * (1 - potential.positive[a]);
      dots[k].setAttribute("cx", X(Math.max(cosine, -0.2))); dots[k].setAttribute("cy", Y(q[a]));
    });
    const heights = new Array(BIN).fill(0);
    for (const value of q) heights[Math.min(BIN - 1, Math.floor(value * BIN))]++;
    bars.forEach((bar, k) => bar.setAttribute("width", heights[k] / q.length));
    meanLeft.setAttribute("y1", Y(s.mean)); meanLeft.setAttribute("y2", Y(s.mean));
    const path = (name) => several.map((one, k) => `${U(k)},${Y(one[name])}`);
    means.setAttribute("d", "M" + path("mean").join("L"));
    band.setAttribute("d", "M" + path("low").join("L") + "L" + path("high").reverse().join("L") + "Z");
    now.setAttribute("cx", U(batch)); now.setAttribute("cy", Y(s.mean));
    find("mean").textContent = s.mean < 0.001 ? s.mean.toExponential(1) : s.mean.toFixed(3);
    find("share").textContent = "what is left of the gradient; DCL has 1, the ceiling";
    find("asleep").textContent = percent(s.asleep); find("asleep-note").textContent = "they learn next to nothing from this batch";
    find("gap").textContent = s.gap.toFixed(3); find("gap-note").textContent = "in the loss: exactly the mean of −log q, at least 0";
    find("rate").textContent = "× " + (1 / s.mean >= 1000 ? (1 / s.mean).toExponential(0) : (1 / s.mean).toFixed(1)); find("rate-note").textContent = "on average; no single rate serves all anchors";
    const label = { batch: size, tau: tau.toFixed(2), ease: Math.round(100 * ease) + " %", stage: data.stages[stage].name };
    const place = { batch, tau: Math.log(tau), ease: Math.round(100 * ease), stage };
    for (const name in label) { find(name).value = place[name]; find(`${name}-value`).textContent = label[name]; }
    find("batch").setAttribute("aria-valuetext", `${size} images`); find("stage").setAttribute("aria-valuetext", label.stage);
    find("words").textContent = `Encoder: ${label.stage}; batches of ${size} images, temperature ${label.tau}` +
      (ease > 0 ? `, positives ${label.ease} of the way to identical views` : "") + `. InfoNCE's gradients have ${percent(s.mean)} of the size of DCL's on average; ` +
      (s.mean < 0.02 ? "hardly any anchor moves, whether or not it has learned anything." : `${percent(s.asleep)} of the anchors are asleep (q below 0.1).`);
  }
  const on = (name, change) => find(name).addEventListener("input", (event) => { change(+event.target.value); draw(); });
  on("batch", (value) => { batch = value; }); on("tau", (value) => { tau = Math.exp(value); });
  on("ease", (value) => { ease = value / 100; }); on("stage", (value) => { stage = value; });
  const press = (name, change) => find(name).addEventListener("click", () => { change(); draw(); });
  press("reset", () => { batch = data.batch; tau = data.temperature; ease = 0; stage = data.stage; });
  press("large", () => { batch = data.sizes.length - 1; });
  press("collapse", () => { batch = 0; tau = 0.05; ease = 1; });
  lock(root, () => {});
  draw();
}
