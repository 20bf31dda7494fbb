// Numbers of one anchor on the circle; contrastive_lab.explorables.circle.state_at is the same in Python.
function stateAt(angles, anchor, tau) {
  const count = angles.length, twin = (anchor + count / 2) % count;
  const scores = angles.map((a) => Math.cos(a - angles[anchor]) / tau);
  const others = scores.map((_, b) => b).filter((b) => b !== anchor);
  const top = Math.max(...others.map((b) => scores[b]));
  const total = others.reduce((sum, b) => sum + Math.exp(scores[b] - top), 0);
  const level = top + Math.log(total);
  const weights = scores.map((s, b) => (b === anchor ? 0 : Math.exp(s - level)));
  const turn = angles.map((a) => Math.sin(a - angles[anchor]));
  const pull = (1 - weights[twin]) * turn[twin];
  const negatives = others.filter((b) => b !== twin);
  const push = negatives.reduce((sum, b) => sum - weights[b] * turn[b], 0);
  const mass = negatives.reduce((sum, b) => sum + weights[b], 0);
  let entropy = 0;
  for (const b of negatives) if (mass > 0 && weights[b] > 0) entropy -= (weights[b] / mass) * Math.log(weights[b] / mass);
  return { weights, pull, push, net: pull + push, loss: level - scores[twin], effective: Math.exp(entropy), twin,
    reaction: angles.map((_, b) => (b === anchor ? 0 : b === twin ? -(1 - weights[b]) * turn[b] : weights[b] * turn[b])) };
}
function mountCircle(root, data) {
  const half = data.angles.length / 2, NS = "http:" + "//www.w3.org/2000/svg";
  let angles = data.angles.slice(), anchor = data.anchor, tau = data.temperature;
  const find = (name) => root.querySelector(`[data-part="${name}"]`);
  const make = (name, attributes, parent, text) => {
    const node = document.createElementNS(NS, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    return parent.appendChild(node);
  };
  const letter = (b) => String.fromCharCode(65 + (b % half)), view = (b) => (b < half ? 1 : 2);
  const degrees = (a) => Math.round((((a * 180) / Math.PI + 540) % 360) - 180);
  const at = (a, r) => [r * Math.cos(a), -r * Math.sin(a)];
  const svg = find("stage"), under = make("g", {}, svg), over = make("g", {}, svg), points = make("g", {}, svg);
  make("circle", { r: 1, fill: "none", stroke: "currentColor", "stroke-opacity": 0.35, "stroke-width": 0.008 }, under);
  const lines = angles.map(() => make("line", { "stroke-linecap": "round" }, under));
  const arrows = angles.map(() => make("path", { fill: "none", "stroke-width": 0.014, "stroke-linecap": "round", "stroke-linejoin": "round" }, over));
  const force = ["pull", "push", "net"].map((kind) => make("path", { fill: "none", "stroke-linecap": "round", "stroke-linejoin": "round",
    stroke: kind === "net" ? "currentColor" : `var(--${kind})`, "stroke-width": kind === "net" ? 0.034 : 0.024 }, over));
  const dots = angles.map((_, b) => {
    const node = make("g", { class: "point", tabindex: 0, role: "slider", "aria-valuemin": -180, "aria-valuemax": 180 }, points);
    make("circle", { class: "halo", r: 0.125, fill: "transparent" }, node);
    make("circle", { class: "disc", r: 0.085, "stroke-width": 0.022 }, node);
    make("text", { "text-anchor": "middle", "dominant-baseline": "central", "font-size": 0.095, "font-weight": 600 }, node, letter(b));
    node.addEventListener("pointerdown", (event) => { if (locked) return; node.setPointerCapture(event.pointerId); node.focus(); moved = 0; });
    node.addEventListener("pointermove", (event) => {
      if (!node.hasPointerCapture(event.pointerId)) return;
      const box = svg.getBoundingClientRect(), view = svg.viewBox.baseVal, scale = Math.max(view.width / box.width, view.height / box.height);
      const x = (event.clientX - box.left - box.width / 2) * scale, y = (event.clientY - box.top - box.height / 2) * scale;
      if (moved++ > 1) { angles[b] = Math.atan2(-y, x); draw(); }
    });
    node.addEventListener("pointerup", () => { if (moved < 3 && !locked) { anchor = b; draw(); } });
    node.addEventListener("keydown", (event) => {
      if (locked) return;
      const step = { ArrowLeft: 1, ArrowUp: 1, ArrowRight: -1, ArrowDown: -1 }[event.key];
      if (step) angles[b] += (step * (event.shiftKey ? 10 : 2) * Math.PI) / 180;
      else if (event.key === "Enter" || event.key === " ") anchor = b;
      else return;
      event.preventDefault(); draw();
    });
    return node;
  });
  let moved = 0, locked = true;
  const bars = find("bars"), columns = [];
  for (let b = 0; b < angles.length; b++) {
    const x = 0.03 + b * 0.1;
    columns.push([make("rect", { x, width: 0.07, rx: 0.008, "stroke-width": 0.008 }, bars),
      make("text", { x: x + 0.035, y: 0.77, "text-anchor": "middle", "font-size": 0.042 }, bars, letter(b) + (b < half ? "₁" : "₂"))]);
  }
  make("line", { x1: 0, x2: 1.22, y1: 0.72, y2: 0.72, stroke: "currentColor", "stroke-opacity": 0.4, "stroke-width": 0.005 }, bars);
  make("line", { x1: 0, x2: 1.22, y1: 0.06, y2: 0.06, stroke: "currentColor", "stroke-opacity": 0.4, "stroke-width": 0.004, "stroke-dasharray": "0.015 0.015" }, bars);
  make("text", { x: 0, y: 0.045, "font-size": 0.042 }, bars, "softmax weight 1");
  // An arrow along the circle from a point: length in radians, head proportional.
  function arc(from, length, r) {
    if (Math.abs(length) < 0.012) return "";
    const reach = Math.sign(length) * Math.min(Math.abs(length), 1.3), to = from + reach, head = Math.min(0.09, Math.abs(reach) * 0.5);
    const [x1, y1] = at(from, r), [x2, y2] = at(to, r), back = to - Math.sign(reach) * head / r;
    const [xa, ya] = at(back, r + head * 0.55), [xb, yb] = at(back, r - head * 0.55);
    return `M${x1},${y1}A${r},${r} 0 0 ${reach > 0 ? 0 : 1} ${x2},${y2}M${xa},${ya}L${x2},${y2}L${xb},${yb}`;
  }
  function draw() {
    const s = stateAt(angles, anchor, tau), [ax, ay] = at(angles[anchor], 1);
    angles.forEach((a, b) => {
      const [x, y] = at(a, 1), mine = b === anchor, positive = b === s.twin, colour = positive ? "var(--pull)" : "var(--push)";
      const weight = positive ? 1 - s.weights[b] : s.weights[b];
      for (const [key, value] of Object.entries({ x1: ax, y1: ay, x2: x, y2: y, stroke: colour, "stroke-width": mine ? 0 : 0.004 + 0.09 * weight,
        "stroke-opacity": 0.75, "stroke-dasharray": positive ? "0.06 0.06" : "none" })) lines[b].setAttribute(key, value);
      arrows[b].setAttribute("d", mine ? "" : arc(a, 0.9 * s.reaction[b], 0.87));
      arrows[b].setAttribute("stroke", colour);
      dots[b].setAttribute("transform", `translate(${x},${y})`);
      const disc = dots[b].children[1], label = dots[b].children[2];
      disc.setAttribute("r", mine ? 0.11 : 0.085);
      disc.setAttribute("fill", mine ? "var(--dot)" : view(b) === 1 ? "rgba(140,145,150,1)" : "rgba(140,145,150,.25)");
      disc.setAttribute("stroke", mine ? "var(--dot)" : positive ? "var(--pull)" : "rgba(140,145,150,1)");
      label.style.fill = mine || view(b) === 1 ? "#14171c" : "currentColor";
      dots[b].setAttribute("aria-valuenow", degrees(a));
      dots[b].setAttribute("aria-label", `image ${letter(b)}, view ${view(b)}${mine ? ", the anchor" : positive ? ", the positive" : ""}; angle in degrees`);
      const height = 0.66 * s.weights[b];
      columns[b][0].setAttribute("y", 0.72 - height); columns[b][0].setAttribute("height", height);
      columns[b][0].setAttribute("fill", positive ? "var(--pull)" : "var(--push)");
      columns[b][1].setAttribute("opacity", mine ? 0.35 : 1);
    });
    [s.pull, s.push, s.net].forEach((value, k) => force[k].setAttribute("d", arc(angles[anchor], 0.9 * value, [1.17, 1.27, 1.4][k])));
    const guess = Math.log(angles.length - 1), negatives = angles.length - 2;
    find("loss").textContent = s.loss.toFixed(3); find("guess").textContent = `0 is perfect, guessing costs ${guess.toFixed(3)}`;
    find("positive").textContent = s.weights[s.twin].toFixed(3);
    find("positive-note").textContent = `1 is perfect, guessing gives ${(1 / (angles.length - 1)).toFixed(3)}`;
    find("effective").textContent = s.effective.toFixed(1); find("negatives").textContent = `1 to ${negatives}: how many share the push`;
    find("net").textContent = (s.net / tau).toFixed(2); find("factor").textContent = `drawn: ${s.net.toFixed(2)}, times 1/τ = ${(1 / tau).toFixed(1)}`;
    find("tau").value = Math.log(tau); find("tau-value").textContent = tau.toFixed(tau < 0.1 ? 3 : 2);
    find("angle").value = degrees(angles[anchor]); find("angle-value").textContent = degrees(angles[anchor]) + "°";
    let strongest = -1;
    s.weights.forEach((w, b) => { if (b !== s.twin && (strongest < 0 || w > s.weights[strongest])) strongest = b; });
    const share = Math.round((100 * s.weights[strongest]) / Math.max(1 - s.weights[s.twin], 1e-12));
    const still = Math.abs(s.net) < 0.005;
    find("words").textContent = `Anchor ${letter(anchor)}${view(anchor)}, temperature ${tau.toFixed(2)}: ${share} % of the push comes from ` +
      `${letter(strongest)}${view(strongest)}; the push is shared by about ${s.effective.toFixed(1)} of ${negatives} negatives. ` +
      (still ? "Nothing moves the anchor along the circle." : `The anchor moves ${s.net > 0 ? "anticlockwise" : "clockwise"}.`);
  }
  find("tau").addEventListener("input", (event) => { tau = Math.exp(+event.target.value); draw(); });
  find("angle").addEventListener("input", (event) => { angles[anchor] = (+event.target.value * Math.PI) / 180; draw(); });
  find("reset").addEventListener("click", () => { angles = data.angles.slice(); anchor = data.anchor; tau = data.temperature; draw(); });
  find("collapse").addEventListener("click", () => { angles = angles.map(() => Math.PI / 2); draw(); });
  find("false").addEventListener("click", () => {
    angles = data.angles.slice(); anchor = data.anchor;
    const other = (anchor + 1) % half; angles[other] = angles[anchor] + 0.16; tau = 0.07; draw();
  });
  locked = lock(root, () => { locked = false; });
  draw();
}
