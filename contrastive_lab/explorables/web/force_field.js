// Weights and forces of one query under CACR; contrastive_lab.explorables.force_field.state_at is the same in Python.
function softmax(scores) {
  const top = Math.max(...scores), terms = scores.map((s) => Math.exp(s - top)), total = terms.reduce((a, b) => a + b, 0);
  return terms.map((term) => term / total);
}
function forces(query, positives, negatives, tPos, tNeg, attached) {
  const cost = (angle) => 2 - 2 * Math.cos(angle - query), dot = (a, b) => a.reduce((sum, x, k) => sum + x * b[k], 0);
  const cPos = positives.map(cost), cNeg = negatives.map(cost);
  const piPos = softmax(cPos.map((c) => tPos * c)), piNeg = softmax(cNeg.map((c) => -tNeg * c));
  const meanPos = dot(piPos, cPos), meanNeg = dot(piNeg, cNeg), own = attached ? 1 : 0;
  const pullSlopes = piPos.map((p, k) => p * (1 + own * tPos * (cPos[k] - meanPos)));
  const pushSlopes = piNeg.map((p, j) => -p * (1 - own * tNeg * (cNeg[j] - meanNeg)));
  const force = (angles, slopes) => angles.map((angle, k) => 2 * slopes[k] * Math.sin(angle - query));
  const pulls = force(positives, pullSlopes), pushes = force(negatives, pushSlopes), sum = (list) => list.reduce((a, b) => a + b, 0);
  const shares = cPos.map((c) => softmax([c, ...cNeg].map((x) => -tNeg * x)));
  const effective = (p) => Math.exp(-sum(p.map((x) => (x > 0 ? x * Math.log(x) : 0))));
  return { piPos, piNeg, attraction: meanPos, repulsion: -meanNeg, pullSlopes, pushSlopes, pull: sum(pulls), push: sum(pushes),
    net: sum(pulls) + sum(pushes), effectivePositives: effective(piPos), effectiveNegatives: effective(piNeg),
    turned: pullSlopes.filter((s) => s < -1e-12).length + pushSlopes.filter((s) => s > 1e-12).length,
    infoncePull: shares.map((s) => (1 - s[0]) / cPos.length), infoncePush: cNeg.map((_, j) => -sum(shares.map((s) => s[j + 1])) / cPos.length) };
}
function mountForceField(root, data) {
  const NS = "http:" + "//www.w3.org/2000/svg", find = (name) => root.querySelector(`[data-part="${name}"]`);
  const make = (name, attributes, parent, text) => {
    const node = document.createElementNS(NS, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    return parent.appendChild(node);
  };
  const set = (node, attributes) => { for (const key in attributes) node.setAttribute(key, attributes[key]); };
  const K = data.positives.length, M = data.negatives.length, total = 1 + K + M;
  let angles, count, tPos, tNeg, attached, locked = true;
  const restart = () => {
    angles = [data.query, ...data.positives, ...data.negatives];
    count = data.shown; tPos = data.tPos; tNeg = data.tNeg; attached = true;
  };
  restart();
  const at = (a, r) => [r * Math.cos(a), -r * Math.sin(a)], degrees = (a) => Math.round(((((a * 180) / Math.PI + 180) % 360) + 360) % 360 - 180);
  const isPositive = (b) => b >= 1 && b <= K, label = (b) => (b === 0 ? "?" : isPositive(b) ? `+${b}` : `−${b - K}`);
  const svg = find("stage"), under = make("g", {}, svg), over = make("g", {}, svg), points = make("g", {}, svg);
  make("circle", { r: 1, fill: "none", stroke: "currentColor", "stroke-opacity": 0.35, "stroke-width": 0.008 }, under);
  const zone = make("path", { fill: "none", stroke: "var(--push)", "stroke-opacity": 0.18, "stroke-width": 0.13 }, under);
  const lines = angles.map(() => make("line", { "stroke-linecap": "round", "stroke-opacity": 0.75 }, under));
  const arrows = ["pull", "push", "net"].map((kind) => make("path", { fill: "none", "stroke-linecap": "round", "stroke-linejoin": "round",
    stroke: kind === "net" ? "currentColor" : `var(--${kind})`, "stroke-width": kind === "net" ? 0.034 : 0.024 }, over));
  const nodes = angles.map((_, b) => {
    const node = make("g", { class: "point", tabindex: 0, role: "slider", "aria-valuemin": -180, "aria-valuemax": 180 }, points);
    make("circle", { class: "halo", r: 0.15, fill: "transparent" }, node);
    if (b === 0 || isPositive(b)) make("circle", { fill: b ? "var(--pull)" : "var(--dot)" }, node);
    else make("rect", { fill: "var(--push)" }, node);
    make("text", { "text-anchor": "middle", "dominant-baseline": "central", "font-size": 0.1, "font-weight": 600 }, node, b ? label(b) : "");
    node.addEventListener("pointerdown", (event) => { if (!locked) { node.setPointerCapture(event.pointerId); node.focus(); } });
    node.addEventListener("pointermove", (event) => {
      if (!node.hasPointerCapture(event.pointerId)) return;
      const box = svg.getBoundingClientRect(), view = svg.viewBox.baseVal, scale = Math.max(view.width / box.width, view.height / box.height);
      angles[b] = Math.atan2((box.top + box.height / 2 - event.clientY) * scale, (event.clientX - box.left - box.width / 2) * scale);
      draw();
    });
    node.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: 1, ArrowUp: 1, ArrowRight: -1, ArrowDown: -1 }[event.key];
      if (locked || !step) return;
      angles[b] += (step * (event.shiftKey ? 10 : 2) * Math.PI) / 180;
      event.preventDefault(); draw();
    });
    return node;
  });
  points.appendChild(nodes[0]);
  const bars = find("bars"), base = 0.74, tall = 0.62, X = (b) => 0.04 + (b - 1) * 0.104 + (b > K ? 0.1 : 0);
  for (const level of [0, 1]) make("line", { x1: 0, x2: 1.5, y1: base - tall * level, y2: base - tall * level, stroke: "currentColor", "stroke-opacity": 0.35, "stroke-width": 0.005 }, bars);
  make("text", { x: 0, y: base - tall - 0.02, "font-size": 0.05 }, bars, "positives, up to 1"); make("text", { x: X(K + 1), y: base - tall - 0.02, "font-size": 0.05 }, bars, "negatives, up to 1");
  const columns = angles.slice(1).map((_, k) => {
    const x = X(k + 1), group = make("g", {}, bars);
    return { group, bar: make("rect", { x, width: 0.074, rx: 0.006, "fill-opacity": 0.8, fill: isPositive(k + 1) ? "var(--pull)" : "var(--push)" }, group),
      rival: make("line", { x1: x - 0.006, x2: x + 0.08, stroke: "currentColor", "stroke-width": 0.014 }, group),
      name: make("text", { x: x + 0.037, y: 0.81, "text-anchor": "middle", "font-size": 0.052 }, group, label(k + 1)) };
  });
  function arc(from, length, r) {
    if (Math.abs(length) < 0.012) return "";
    const reach = Math.sign(length) * Math.min(Math.abs(length), 1.3), to = from + reach, head = Math.min(0.09, Math.abs(reach) * 0.5);
    const [x1, y1] = at(from, r), [x2, y2] = at(to, r), back = to - (Math.sign(reach) * head) / r;
    const [xa, ya] = at(back, r + head * 0.55), [xb, yb] = at(back, r - head * 0.55);
    return `M${x1},${y1}A${r},${r} 0 0 ${reach > 0 ? 0 : 1} ${x2},${y2}M${xa},${ya}L${x2},${y2}L${xb},${yb}`;
  }
  function draw() {
    const query = angles[0], s = forces(query, angles.slice(1, 1 + count), angles.slice(1 + K), tPos, tNeg, attached), [qx, qy] = at(query, 1);
    for (let b = 0; b < total; b++) {
      const [x, y] = at(angles[b], 1), hidden = isPositive(b) && b > count, good = isPositive(b), k = good ? b - 1 : b - 1 - K;
      const weight = b === 0 || hidden ? 0 : good ? s.piPos[k] : s.piNeg[k], slope = b === 0 || hidden ? 0 : good ? s.pullSlopes[k] : s.pushSlopes[k];
      const turned = good ? slope < 0 : slope > 0, size = b === 0 ? 0.1 : 0.05 + 0.11 * Math.sqrt(weight);
      nodes[b].style.display = hidden ? "none" : "";
      set(nodes[b], { transform: `translate(${x},${y})`, "aria-valuenow": degrees(angles[b]),
        "aria-label": b === 0 ? "the query; angle in degrees" : `${good ? "positive" : "negative"} ${k + 1}, weight ${weight.toFixed(2)}; angle in degrees` });
      const [, disc, text] = nodes[b].children, [tx, ty] = at(angles[b], 0.2);
      set(disc, good || b === 0 ? { r: size } : { x: -size, y: -size, width: 2 * size, height: 2 * size });
      set(text, { x: -tx, y: -ty });
      set(lines[b], { x1: qx, y1: qy, x2: x, y2: y, stroke: slope > 0 ? "var(--pull)" : "var(--push)", "stroke-width": b === 0 || hidden ? 0 : 0.004 + 0.08 * Math.min(Math.abs(slope), 1.5),
        "stroke-dasharray": turned ? "0.05 0.05" : "none" });
      if (b === 0) continue;
      const column = columns[b - 1], rival = hidden ? 0 : good ? s.infoncePull[k] : -s.infoncePush[k];
      column.group.style.display = hidden ? "none" : "";
      set(column.bar, { y: base - tall * weight, height: tall * weight });
      set(column.rival, { y1: base - tall * rival, y2: base - tall * rival });
    }
    [s.pull, s.push, s.net].forEach((value, k) => arrows[k].setAttribute("d", arc(query, 0.5 * value, [1.27, 1.35, 1.44][k])));
    const border = attached && tNeg > 0 ? -s.repulsion + 1 / tNeg : 4;
    if (border < 4) {
      const turn = Math.acos(1 - border / 2), [x1, y1] = at(query + turn, 1), [x2, y2] = at(query - turn, 1);
      zone.setAttribute("d", `M${x1},${y1}A1,1 0 ${turn < Math.PI / 2 ? 1 : 0} 0 ${x2},${y2}`);
    } else zone.setAttribute("d", "");
    find("attraction").textContent = s.attraction.toFixed(3); find("attraction-note").textContent = "0 is perfect, 4 the worst";
    find("repulsion").textContent = s.repulsion.toFixed(3); find("repulsion-note").textContent = "−4 is the floor, 0 collapse";
    find("effpos").textContent = s.effectivePositives.toFixed(1); find("effpos-note").textContent = `1 to ${count}`;
    find("effneg").textContent = s.effectiveNegatives.toFixed(1); find("effneg-note").textContent = `1 to ${M}`;
    find("net").textContent = s.net.toFixed(2); find("net-note").textContent = `pull ${s.pull.toFixed(2)}, push ${s.push.toFixed(2)}; + is anticlockwise`;
    const state = { tpos: tPos, tneg: tNeg, count, angle: degrees(query) };
    for (const name in state) { find(name).value = state[name]; find(`${name}-value`).textContent = name === "angle" ? state[name] + "°" : name === "count" ? count : state[name].toFixed(1); }
    find("attached").textContent = `Gradient through the weights: ${attached ? "on" : "off"}`; find("attached").setAttribute("aria-pressed", attached);
    const top = (list) => list.indexOf(Math.max(...list)), p = top(s.piPos), n = top(s.piNeg), percent = (x) => Math.round(100 * x) + " %";
    const even = tPos === 0 && tNeg === 0;
    find("words").textContent = (even ? `Every positive weighs ${percent(1 / count)}, every negative ${percent(1 / M)}: plain contrast. ` :
      `+${p + 1} has ${percent(s.piPos[p])} of the attention among ${count === 1 ? "one positive" : count + " positives"}, −${n + 1} has ${percent(s.piNeg[n])} among the negatives. `) +
      (s.turned ? `${s.turned} ${s.turned === 1 ? "point acts" : "points act"} against ${s.turned === 1 ? "its" : "their"} nature. ` : "No negative pulls and no positive pushes. ") +
      (Math.abs(s.net) < 0.005 ? "Nothing moves the query along the circle." : `The query moves ${s.net > 0 ? "anticlockwise" : "clockwise"}.`);
  }
  const on = (name, change) => find(name).addEventListener("input", (event) => { change(+event.target.value); draw(); });
  on("tpos", (value) => { tPos = value; }); on("tneg", (value) => { tNeg = value; });
  on("count", (value) => { count = value; }); on("angle", (value) => { angles[0] = (value * Math.PI) / 180; });
  const press = (name, change) => find(name).addEventListener("click", () => { change(); draw(); });
  press("reset", restart);
  press("outlier", () => { restart(); angles[3] = angles[0] + 2.6; });
  press("false", () => { restart(); angles[1 + K] = angles[0] - 0.12; tNeg = 6; });
  press("attached", () => { attached = !attached; });
  press("flat", () => { tPos = 0; tNeg = 0; });
  press("collapse", () => { angles = angles.map(() => Math.PI / 2); });
  locked = lock(root, () => { locked = false; });
  draw();
}
