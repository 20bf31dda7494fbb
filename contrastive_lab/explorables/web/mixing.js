// Mixtures of hard negatives around one query at the pole; contrastive_lab.explorables.mixing.state_at is the same in Python.
function mixVectors(world) {
  const up = ([theta, phi]) => {
    const t = (theta * Math.PI) / 180, p = (phi * Math.PI) / 180;
    return [Math.sin(t) * Math.cos(p), Math.sin(t) * Math.sin(p), Math.cos(t)];
  };
  return { key: up(world.key), queue: world.queue.map(up), same: world.same };
}
function mixState(world, n, s, t, alpha, beta, tau, oracle) {
  const { key, queue, same } = mixVectors(world);
  const unit = (v) => { const l = Math.max(Math.hypot(...v), 1e-12); return v.map((x) => x / l); };
  const mix = (share, a, b) => unit(a.map((x, d) => share * x + (1 - share) * b[d]));
  const order = queue.map((_, j) => j).filter((j) => !(oracle && same[j])).sort((a, b) => queue[b][2] - queue[a][2] || a - b);
  const hard = order.slice(0, n), ranks = [], single = [];
  for (let m = 0; m < s; m++) ranks.push([m % n, ((m % n) + 1 + (Math.floor(m / n) % Math.max(n - 1, 1))) % n]);
  for (let m = 0; m < t; m++) single.push(m % n);
  const pairs = ranks.map(([i, j]) => mix(alpha, queue[hard[i]], queue[hard[j]]));
  const queries = single.map((j) => mix(beta, [0, 0, 1], queue[hard[j]]));
  const points = [key, ...queue, ...pairs, ...queries];
  const there = points.map((_, p) => !(oracle && p >= 1 && p <= queue.length && same[p - 1]));
  const raw = points.map((v, p) => (there[p] ? Math.exp((v[2] - 1) / tau) : 0));
  const total = raw.reduce((a, b) => a + b, 0), plainTotal = raw.slice(0, 1 + queue.length).reduce((a, b) => a + b, 0);
  const weights = raw.map((x) => x / total);
  const own = hard.map((j) => same[j]);
  const isFalse = [0, ...same, ...ranks.map(([i, j]) => own[i] || own[j]), ...single.map((j) => own[j])];
  const sum = (keep) => weights.reduce((a, w, p) => a + (keep(p) ? w : 0), 0), Q = queue.length;
  const mass = { positive: weights[0], others: sum((p) => p >= 1 && p <= Q && !same[p - 1]), own: sum((p) => p >= 1 && p <= Q && same[p - 1]),
    pairs: sum((p) => p > Q && p <= Q + s), queries: sum((p) => p > Q + s) };
  const pull = [0, 1].map((d) => (1 - weights[0]) * key[d]);
  const push = [0, 1].map((d) => -weights.reduce((a, w, p) => a + (p ? w * points[p][d] : 0), 0));
  return { hard, ranks, single, pairs, queries, weights, mass, pull, push, loss: -Math.log(weights[0]), plain: -Math.log(raw[0] / plainTotal),
    falsePush: sum((p) => p > 0 && isFalse[p]) / Math.max(1 - weights[0], 1e-300), falseHard: own.reduce((a, b) => a + b, 0) / n,
    chance: same.reduce((a, b) => a + b, 0) / Q, points };
}
function mountMixing(root, data) {
  const NS = "http:" + "//www.w3.org/2000/svg", TAU = 0.2, find = (name) => root.querySelector(`[data-part="${name}"]`);
  const make = (name, attributes, parent, text) => {
    const node = document.createElementNS(NS, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    return parent.appendChild(node);
  };
  let p = { ...data.start }, which = 0, oracle = false;
  const VIOLET = "#9963fc", ORANGE = "#cf7e00", GREY = "#8c9196";
  const stage = find("stage"), RIM = 100, scale = 104 / RIM; // the rim is 100 degrees from the query; what lies farther is drawn there
  for (const degrees of [30, 60, 90]) {
    make("circle", { r: degrees * scale, fill: "none", stroke: "currentColor", "stroke-opacity": degrees === 90 ? 0.45 : 0.2, "stroke-width": 0.6 }, stage);
    make("text", { x: 0, y: -degrees * scale - 1.2, "font-size": 5, "text-anchor": "middle", opacity: 0.75 }, stage, degrees + "°");
  }
  const layer = make("g", {}, stage);
  const flat = (v) => {
    const length = Math.hypot(v[0], v[1]), angle = (Math.acos(Math.max(-1, Math.min(1, v[2]))) * 180) / Math.PI, r = Math.min(angle, RIM) * scale;
    return length < 1e-9 ? [0, 0] : [(v[0] / length) * r, (-v[1] / length) * r];
  };
  const arc = (a, b) => {
    const steps = [];
    for (let k = 0; k <= 16; k++) {
      const v = a.map((x, d) => ((16 - k) * x + k * b[d]) / 16), l = Math.max(Math.hypot(...v), 1e-9);
      steps.push(flat(v.map((x) => x / l)).map((x) => x.toFixed(1)).join(","));
    }
    return "M" + steps.join("L");
  };
  const arrow = ([dx, dy], colour) => {
    const length = Math.hypot(dx, dy);
    if (length < 0.015) return;
    const k = Math.min(60 * length, 70) / length, x = dx * k, y = -dy * k, h = 4, c = x / (length * k), s = y / (length * k);
    make("path", { d: `M0,0L${x},${y}M${x - h * (c + 0.6 * s)},${y - h * (s - 0.6 * c)}L${x},${y}L${x - h * (c - 0.6 * s)},${y - h * (s + 0.6 * c)}`,
      fill: "none", stroke: colour, "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round" }, layer);
  };
  const triangle = (x, y, r, down) => { const k = down ? -1 : 1; return `M${x},${y - k * r}L${x + r},${y + k * r * 0.75}L${x - r},${y + k * r * 0.75}Z`; };
  const bars = find("bars");
  function drawBar(mass) {
    bars.replaceChildren();
    make("text", { x: 0, y: 6, "font-size": 4.6 }, bars, "softmax weight: positive against everything else");
    const parts = [["positive", mass.positive, "var(--pull)"], ["queue", mass.others, GREY], ["own class", mass.own, "var(--push)"],
      ["▲ of two", mass.pairs, VIOLET], ["▼ with query", mass.queries, ORANGE]];
    let x = 0;
    parts.forEach(([name, value, colour], k) => {
      make("rect", { x, y: 10, width: 122 * value, height: 12, fill: colour, stroke: "currentColor", "stroke-opacity": 0.5, "stroke-width": 0.3 }, bars);
      x += 122 * value;
      const column = k % 3, row = Math.floor(k / 3);
      make("rect", { x: column * 43, y: 26.5 + row * 8, width: 4, height: 4, fill: colour }, bars);
      make("text", { x: column * 43 + 5.5, y: 30 + row * 8, "font-size": 4.2 }, bars, `${name} ${Math.round(100 * value)} %`);
    });
  }
  function draw() {
    const world = data.worlds[which], s = mixState(world, p.n, p.s, p.t, p.alpha, p.beta, TAU, oracle), Q = world.queue.length;
    layer.replaceChildren();
    for (const [i, j] of s.ranks) make("path", { d: arc(s.points[1 + s.hard[i]], s.points[1 + s.hard[j]]), fill: "none", stroke: VIOLET, "stroke-opacity": 0.35, "stroke-width": 0.6 }, layer);
    for (const j of s.single) {
      const [x, y] = flat(s.points[1 + s.hard[j]]);
      make("line", { x1: x, y1: y, x2: x / 2, y2: y / 2, stroke: ORANGE, "stroke-opacity": 0.6, "stroke-width": 0.8 }, layer);
      make("circle", { cx: x / 2, cy: y / 2, r: 1.1, fill: "none", stroke: ORANGE, "stroke-width": 0.5 }, layer);
    }
    world.queue.forEach((_, j) => {
      const [x, y] = flat(s.points[1 + j]), hard = s.hard.includes(j), r = hard ? 3.6 : 2.6, gone = oracle && world.same[j];
      const look = { fill: world.same[j] ? "var(--push)" : GREY, "fill-opacity": gone ? 0 : hard ? 0.9 : 0.45, stroke: gone ? "var(--push)" : "currentColor",
        "stroke-width": gone ? 0.6 : hard ? 1.1 : 0, "stroke-dasharray": gone ? "1.5 1.5" : "none", "data-hard": hard };
      if (world.same[j]) make("rect", { x: x - r, y: y - r, width: 2 * r, height: 2 * r, ...look }, layer);
      else make("circle", { cx: x, cy: y, r, ...look }, layer);
    });
    s.pairs.forEach((v) => { const [x, y] = flat(v); make("path", { class: "pair", d: triangle(x, y, 3.4, false), fill: VIOLET, stroke: "currentColor", "stroke-width": 0.4 }, layer); });
    s.queries.forEach((v) => { const [x, y] = flat(v); make("path", { class: "query", d: triangle(x, y, 3.4, true), fill: ORANGE, stroke: "currentColor", "stroke-width": 0.4 }, layer); });
    const [kx, ky] = flat(s.points[0]);
    make("circle", { cx: kx, cy: ky, r: 4.2, fill: "var(--pull)", stroke: "currentColor", "stroke-width": 0.6 }, layer);
    arrow(s.pull, "var(--pull)"); arrow(s.push, "var(--push)");
    make("circle", { r: 3.6, fill: "var(--dot)", stroke: "currentColor", "stroke-width": 0.8 }, layer);
    drawBar(s.mass);
    const cosines = s.points.map((v) => v[2]), mixed = Math.max(-1, ...cosines.slice(1 + Q)), real = cosines[1 + s.hard[0]];
    const share = s.mass.pairs + s.mass.queries, percent = (x) => Math.round(100 * x) + " %";
    find("loss").textContent = s.loss.toFixed(3); find("plain").textContent = `without mixtures ${s.plain.toFixed(3)}; 0 is perfect`;
    find("hardest").textContent = p.s + p.t ? mixed.toFixed(3) : "none";
    find("nearest").textContent = `hardest real negative ${real.toFixed(3)}, positive ${cosines[0].toFixed(3)}`;
    find("mass").textContent = percent(share); find("mass-note").textContent = `${p.s + p.t} of ${p.s + p.t + (oracle ? Q - Math.round(s.chance * Q) : Q)} negatives`;
    find("false").textContent = percent(s.falseHard); find("chance").textContent = `chance ${percent(s.chance)}`;
    find("falsepush").textContent = percent(s.falsePush); find("falsepush-note").textContent = "best: 0 %; mixtures of false negatives count";
    const set = (part, value, text) => { find(part).value = value; find(part + "-value").textContent = text; };
    set("hard", p.n, p.n); set("s", p.s, p.s); set("t", p.t, p.t); set("alpha", p.alpha, p.alpha.toFixed(2)); set("beta", p.beta, p.beta.toFixed(2));
    find("oracle").setAttribute("aria-pressed", oracle);
    find("oracle").textContent = oracle ? "Let the query's own class back in" : "Leave out the query's own class (oracle)";
    find("words").textContent = (which ? "Broken: the nearest rows all belong to the query's class. " : "") +
      `${p.n} hard negatives, ${percent(s.falseHard)} of them false. Mixtures take ${percent(share)} of the softmax, and ` +
      `${percent(s.falsePush)} of the repelling weight belongs to the query's own class. ` +
      (p.s + p.t === 0 ? "No mixtures: this is MoCo." : mixed > real ? "The hardest mixture is harder than every real negative." : "No mixture is harder than the hardest real negative.");
  }
  for (const [part, name] of [["hard", "n"], ["s", "s"], ["t", "t"], ["alpha", "alpha"], ["beta", "beta"]]) {
    find(part).addEventListener("input", (event) => { p[name] = +event.target.value; draw(); });
  }
  find("reset").addEventListener("click", () => { p = { ...data.start }; which = 0; oracle = false; draw(); });
  find("oracle").addEventListener("click", () => { oracle = !oracle; draw(); });
  find("collapse").addEventListener("click", () => { which = 1; oracle = false; draw(); });
  lock(root, () => {});
  draw();
}
