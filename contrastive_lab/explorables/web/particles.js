// Free points on the circle under alignment and uniformity; contrastive_lab.explorables.particles is the same in Python.
function measure(angles, t) {
  const half = angles.length / 2;
  let align = 0;
  for (let i = 0; i < half; i++) align += (2 - 2 * Math.cos(angles[i] - angles[i + half])) / half;
  const one = (start) => {
    let sum = 0;
    for (let i = 0; i < half; i++) for (let j = 0; j < i; j++) sum += Math.exp(-t * (2 - 2 * Math.cos(angles[start + i] - angles[start + j])));
    return Math.log(sum / ((half * (half - 1)) / 2));
  };
  return { alignment: align, uniformity: (one(0) + one(half)) / 2 };
}
function descend(angles, balance, t) {
  const half = angles.length / 2, gradient = new Array(angles.length).fill(0), rate = 0.25 / (1 + t / 2);
  for (let i = 0; i < half; i++) {
    const g = (2 * Math.sin(angles[i] - angles[i + half])) / half;
    gradient[i] += (1 - balance) * g; gradient[i + half] -= (1 - balance) * g;
  }
  for (const start of [0, half]) {
    let total = 0; const own = new Array(half).fill(0);
    for (let i = 0; i < half; i++) for (let j = 0; j < i; j++) {
      const gap = angles[start + i] - angles[start + j], bump = Math.exp(-t * (2 - 2 * Math.cos(gap))), g = bump * -2 * t * Math.sin(gap);
      total += bump; own[i] += g; own[j] -= g;
    }
    for (let i = 0; i < half; i++) gradient[start + i] += (balance / 2) * (own[i] / total);
  }
  return angles.map((a, i) => a - rate * half * gradient[i]);
}
function mountParticles(root, data) {
  const half = data.angles.length / 2, NS = "http:" + "//www.w3.org/2000/svg", T = 2;
  let angles = data.angles.slice(), balance = data.balance, t = data.t, path = [], steps = 0, timer = null;
  const find = (name) => root.querySelector(`[data-part="${name}"]`);
  const make = (name, attributes, parent, text) => {
    const node = document.createElementNS(NS, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    return parent.appendChild(node);
  };
  const at = (a, r) => [r * Math.cos(a), -r * Math.sin(a)];
  const stage = find("stage");
  const ring = make("path", { fill: "var(--dot)", "fill-opacity": 0.3, "fill-rule": "evenodd" }, stage);
  make("circle", { r: 1, fill: "none", stroke: "currentColor", "stroke-opacity": 0.35, "stroke-width": 0.008 }, stage);
  const bump = make("path", { fill: "none", stroke: "var(--push)", "stroke-width": 0.03, "stroke-linecap": "round" }, stage);
  const chords = data.angles.slice(0, half).map(() => make("line", { stroke: "var(--pull)", "stroke-width": 0.012 }, stage));
  const dots = data.angles.map((_, i) => make("circle", { r: 0.038, "stroke-width": 0.014, stroke: "currentColor",
    fill: i < half ? "currentColor" : "transparent" }, stage));
  // The plane: alignment 0 ... 2 to the right, uniformity floor ... 0 upwards.
  const plane = find("plane"), px = (a) => 0.16 + 0.8 * Math.min(a, 2) / 2, py = (u) => 0.1 + (0.66 * u) / -1.75;
  const line = (x1, y1, x2, y2, extra) => make("line", { x1, y1, x2, y2, stroke: "currentColor", "stroke-opacity": 0.4, "stroke-width": 0.004, ...extra }, plane);
  line(px(0), py(0), px(2), py(0)); line(px(0), py(0), px(0), py(-1.7));
  line(px(0), py(data.floor), px(2), py(data.floor), { "stroke-dasharray": "0.02 0.015", "stroke-opacity": 0.8 });
  const note = (x, y, text, extra) => make("text", { x, y, "font-size": 0.034, ...extra }, plane, text);
  note(px(2), py(data.floor) + 0.05, `floor ${data.floor.toFixed(3)}: spread evenly`, { "text-anchor": "end" });
  note(px(1), 0.035, "alignment →", { "text-anchor": "middle" });
  note(0, 0, "uniformity", { transform: "translate(0.05,0.42) rotate(-90)", "text-anchor": "middle" });
  for (const u of [0, -0.5, -1, -1.5]) note(px(0) - 0.015, py(u) + 0.014, u.toFixed(1), { "text-anchor": "end" });
  for (const a of [0.5, 1, 1.5, 2]) note(px(a), py(0) - 0.015, a.toFixed(1), { "text-anchor": "middle", opacity: 0.7 });
  const trail = make("polyline", { fill: "none", stroke: "var(--dot)", "stroke-width": 0.008 }, plane);
  const now = make("circle", { r: 0.02, fill: "var(--dot)", stroke: "currentColor", "stroke-width": 0.004 }, plane);
  function density() {
    const kappa = 25, points = [];
    for (let k = 0; k <= 120; k++) {
      const a = (k / 120) * 2 * Math.PI;
      let sum = 0;
      for (let i = 0; i < angles.length; i++) sum += Math.exp(kappa * (Math.cos(a - angles[i]) - 1));
      points.push(at(a, 1.08 + Math.min(0.42, (sum / angles.length) * 0.9)).map((v) => v.toFixed(3)).join(","));
    }
    return `M${points.join("L")}ZM1.08,0A1.08,1.08 0 1 0 -1.08,0A1.08,1.08 0 1 0 1.08,0Z`;
  }
  const place = (m) => `${px(m.alignment).toFixed(4)},${py(m.uniformity).toFixed(4)}`;
  function draw() {
    const m = measure(angles, T);
    ring.setAttribute("d", density());
    const width = Math.min(Math.PI - 0.01, 2 * Math.asin(Math.min(1, 1 / (2 * Math.sqrt(t)))));
    const [bx, by] = at(angles[0] - width, 0.9), [cx, cy] = at(angles[0] + width, 0.9);
    bump.setAttribute("d", `M${bx},${by}A0.9,0.9 0 ${width > Math.PI / 2 ? 1 : 0} 0 ${cx},${cy}`);
    angles.forEach((a, i) => { const [x, y] = at(a, 1); dots[i].setAttribute("cx", x); dots[i].setAttribute("cy", y); });
    chords.forEach((c, i) => { const [x1, y1] = at(angles[i], 1), [x2, y2] = at(angles[i + half], 1);
      c.setAttribute("x1", x1); c.setAttribute("y1", y1); c.setAttribute("x2", x2); c.setAttribute("y2", y2); });
    path.push(place(m));
    trail.setAttribute("points", path.slice(-600).join(" "));
    now.setAttribute("cx", px(m.alignment)); now.setAttribute("cy", py(m.uniformity));
    const share = Math.round((100 * m.uniformity) / data.floor);
    find("best").textContent = "0 is best, 2 unrelated"; find("alignment").textContent = m.alignment.toFixed(3); find("uniformity").textContent = m.uniformity.toFixed(3);
    find("share").textContent = `${share} % of the floor ${data.floor.toFixed(3)}`; find("steps").textContent = steps;
    find("balance").value = balance; find("balance-value").textContent = Math.round(100 * balance) + " %";
    find("t").value = Math.log(t); find("t-value").textContent = t.toFixed(1); find("tau").textContent = `t = ${t.toFixed(1)} is InfoNCE's τ = 1/(2t) = ${(1 / (2 * t)).toFixed(2)}`;
    find("words").textContent = `After ${steps} steps: alignment ${m.alignment.toFixed(2)} (0 is best), uniformity ${m.uniformity.toFixed(2)}, ${share} % of the floor. ` +
      (balance === 0 ? "Only alignment acts." : balance === 1 ? "Only uniformity acts." : `Uniformity has ${Math.round(100 * balance)} % of the say.`);
  }
  function step(count) { for (let k = 0; k < count; k++) { angles = descend(angles, balance, t); if (++steps % 5 === 0) path.push(place(measure(angles, T))); } draw(); }
  const stop = () => { clearInterval(timer); timer = null; find("run").textContent = "Run"; };
  const calm = window.matchMedia && window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  find("run").addEventListener("click", () => {
    if (timer) return stop();
    if (calm) return step(300);
    find("run").textContent = "Pause";
    const until = steps + 300;
    timer = setInterval(() => { if (!root.isConnected || steps >= until) return stop(); step(2); }, 33);
  });
  find("step").addEventListener("click", () => step(30));
  find("reset").addEventListener("click", () => { stop(); angles = data.angles.slice(); balance = data.balance; t = data.t; path = []; steps = 0; draw(); });
  find("collapse").addEventListener("click", () => { stop(); angles = angles.map(() => 0.65); path = []; draw(); });
  find("balance").addEventListener("input", (event) => { balance = +event.target.value; draw(); });
  find("t").addEventListener("input", (event) => { t = Math.exp(+event.target.value); draw(); });
  lock(root, () => {});
  draw();
}
