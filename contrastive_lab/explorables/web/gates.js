// Four classes, a gate for each pair; contrastive_lab.explorables.gates is the same in Python.
const GATE_PAIRS = [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]];
function gateState(vectors, gate, pair, heat) {
  const [a, b] = GATE_PAIRS[pair];
  const unit = vectors.map((v) => {
    const w = v.map((x, d) => x * gate[d]), l = Math.max(Math.hypot(...w), 1e-12);
    return w.map((x) => x / l);
  });
  const cosines = unit.map((u) => unit.map((v) => u.reduce((sum, x, d) => sum + x * v[d], 0)));
  const way = (i) => {
    let sum = 1;
    for (let c = 0; c < vectors.length; c++) if (c !== a && c !== b) sum += Math.exp((cosines[i][c] - cosines[a][b]) / heat);
    return Math.log(sum);
  };
  return { a, b, cosines, loss: (way(a) + way(b)) / 2, agreement: unit[a].map((x, d) => x * unit[b][d]) };
}
function gateMean(vectors, gates, heat) {
  return gates.reduce((sum, gate, p) => sum + gateState(vectors, gate, p, heat).loss, 0) / gates.length;
}
function gateSplit(numbers, gated) {
  const vectors = [0, 1, 2, 3].map((c) => numbers.slice(4 * c, 4 * c + 4));
  const gates = GATE_PAIRS.map((_, p) => (gated ? numbers.slice(16 + 4 * p, 20 + 4 * p).map((x) => 1 / (1 + Math.exp(-x))) : [1, 1, 1, 1]));
  return [vectors, gates];
}
function gateDescend(numbers, gated, heat, rate) {
  const width = 1e-4, value = (moved) => gateMean(...gateSplit(moved, gated), heat);
  return numbers.map((x, k) => {
    const there = numbers.slice(), back = numbers.slice();
    there[k] = x + width; back[k] = x - width;
    return x - (rate * 4 * (value(there) - value(back))) / (2 * width);
  });
}
function mountGates(root, data) {
  const NS = "http:" + "//www.w3.org/2000/svg", heat = data.temperature, STEPS = 160, RATE = 0.5;
  const find = (name) => root.querySelector(`[data-part="${name}"]`);
  const make = (name, attributes, parent, text) => {
    const node = document.createElementNS(NS, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    return parent.appendChild(node);
  };
  const open = () => GATE_PAIRS.map(() => [1, 1, 1, 1]), GUESS = Math.log(3), FLOOR = Math.log(1 + 2 * Math.exp(-2 / heat));
  const numbered = ["1", "2", "3", "4"].map((k) => "coordinate " + k);
  // Random vectors until the prediction is made: those made by hand already have the cosines that it asks for.
  let vectors = data.random, gates = open(), pair = 0, names = numbered, losses = [], how = "", timer = null;
  const colours = ["#cf0912", "#cf0912", "#3f99ea", "#3f99ea"], round = [1, 0, 1, 0], large = [1, 0, 0, 1];
  const glyph = (c, x, y, parent) => {
    const r = large[c] ? 7.2 : 5.4, look = { fill: colours[c], stroke: "currentColor", "stroke-width": 0.8 };
    if (round[c]) make("circle", { cx: x, cy: y, r, ...look }, parent);
    else make("rect", { x: x - r, y: y - r, width: 2 * r, height: 2 * r, ...look }, parent);
    make("text", { x, y: y + 0.4, "font-size": 7.5, "font-weight": 700, "text-anchor": "middle", "dominant-baseline": "central", style: "fill:#fff" }, parent, data.classes[c]);
  };
  function drawColumns(s) {
    const stage = find("stage"), gate = gates[pair], top = Math.max(...vectors.flat().map(Math.abs), 1e-9);
    stage.replaceChildren();
    [0, 1, 2, 3].forEach((d) => {
      const x = 28 + d * 54;
      make("rect", { class: "band", x: x - 25, y: 16, width: 50, height: 128, rx: 4, fill: "var(--dot)", "fill-opacity": 0.04 + 0.3 * gate[d], stroke: "currentColor",
        "stroke-opacity": 0.3, "stroke-width": 0.6, "stroke-dasharray": gate[d] < 0.05 ? "2 2" : "none" }, stage);
      make("text", { x, y: 11, "font-size": 8, "text-anchor": "middle" }, stage, names[d]);
      make("line", { x1: x - 25, x2: x + 25, y1: 80, y2: 80, stroke: "currentColor", "stroke-opacity": 0.4, "stroke-width": 0.5 }, stage);
      const cell = make("g", { opacity: 0.3 + 0.7 * gate[d] }, stage);
      // Side by side, so that equal values do not hide one another.
      vectors.forEach((v, c) => glyph(c, x - 18 + 12 * c, 80 - (48 * v[d]) / top, cell));
      make("text", { x, y: 155, "font-size": 7, "text-anchor": "middle" }, stage, gate[d] < 0.05 ? "closed" : `gate ${gate[d].toFixed(2)}`);
      const part = s.agreement[d], h = 12 * Math.abs(part);
      make("rect", { x: x - 9, width: 18, y: part > 0 ? 174 - h : 174, height: h, fill: part > 0 ? "var(--pull)" : "var(--push)" }, stage);
      make("line", { x1: x - 14, x2: x + 14, y1: 174, y2: 174, stroke: "currentColor", "stroke-width": 0.5 }, stage);
      make("text", { x: x + 11, y: part > 0 ? 171 : 181, "font-size": 6 }, stage, (part < 0 ? "−" : "+") + Math.abs(part).toFixed(2));
    });
    make("text", { x: 3, y: 189, "font-size": 6.5, opacity: 0.8 }, stage, `bars: what each coordinate adds to the cosine of ${data.classes[s.a]} and ${data.classes[s.b]}`);
  }
  function drawMatrix(s) {
    const svg = find("matrix");
    svg.replaceChildren();
    const at = (k) => 14 + k * 22;
    data.classes.forEach((name, k) => {
      make("text", { x: at(k) + 11, y: 9, "font-size": 8, "text-anchor": "middle", "font-weight": k === s.a || k === s.b ? 700 : 400 }, svg, name);
      make("text", { x: 5, y: at(k) + 14, "font-size": 8, "text-anchor": "middle", "font-weight": k === s.a || k === s.b ? 700 : 400 }, svg, name);
    });
    s.cosines.forEach((row, i) => row.forEach((value, j) => {
      const chosen = (i === s.a && j === s.b) || (i === s.b && j === s.a);
      make("rect", { x: at(j), y: at(i), width: 21, height: 21, fill: value > 0 ? "var(--pull)" : "var(--push)", "fill-opacity": 0.55 * Math.abs(value),
        stroke: "currentColor", "stroke-width": chosen ? 1.8 : 0.3 }, svg);
      make("text", { x: at(j) + 10.5, y: at(i) + 13, "font-size": 6.2, "text-anchor": "middle" }, svg, value.toFixed(2).replace("-", "−"));
    }));
    const left = 118, low = 88, high = 14, y = (loss) => low - ((low - high) * Math.min(loss, 1.6)) / 1.6, x = (k) => left + (100 * k) / STEPS;
    make("text", { x: left, y: 9, "font-size": 6.5 }, svg, how ? `mean loss, ${how}` : "mean loss while training");
    for (const [value, text] of [[GUESS, "log 3: all equal"], [FLOOR, "floor"]]) {
      make("line", { x1: left, x2: 218, y1: y(value), y2: y(value), stroke: "currentColor", "stroke-opacity": 0.6, "stroke-width": 0.6, "stroke-dasharray": "3 2" }, svg);
      make("text", { x: 218, y: y(value) - 2, "font-size": 6, "text-anchor": "end" }, svg, text);
    }
    make("line", { x1: left, x2: left, y1: high, y2: low, stroke: "currentColor", "stroke-opacity": 0.5, "stroke-width": 0.6 }, svg);
    make("polyline", { class: "curve", points: losses.map((loss, k) => `${x(k).toFixed(1)},${y(loss).toFixed(1)}`).join(" "), fill: "none", stroke: "var(--dot)", "stroke-width": 1.6 }, svg);
    make("text", { x: 218, y: 97, "font-size": 6, "text-anchor": "end" }, svg, `${STEPS} steps`);
  }
  function draw() {
    const gate = gates[pair], s = gateState(vectors, gate, pair, heat), mean = gateMean(vectors, gates, heat), pairName = data.classes[s.a] + " and " + data.classes[s.b];
    drawColumns(s); drawMatrix(s);
    const third = Math.max(...[0, 1, 2, 3].filter((c) => c !== s.a && c !== s.b).flatMap((c) => [s.cosines[s.a][c], s.cosines[s.b][c]]));
    find("cosine").textContent = s.cosines[s.a][s.b].toFixed(2).replace("-", "−"); find("third").textContent = `nearest third class ${third.toFixed(2).replace("-", "−")}`;
    find("loss").textContent = s.loss.toFixed(3); find("guess").textContent = `all equal: log 3 = ${GUESS.toFixed(3)}`;
    find("mean").textContent = mean.toFixed(3); find("floor").textContent = `floor ${FLOOR.toFixed(3)}`;
    find("steps").textContent = Math.max(losses.length - 1, 0); find("steps-note").textContent = how || (vectors === data.random ? "random vectors" : "hand-made vectors");
    find("pair").value = pair; find("pair-value").textContent = pairName; find("pair").setAttribute("aria-valuetext", pairName);
    gate.forEach((value, d) => {
      const slider = find("gate" + d), label = `gate ${d + 1}${names === data.coordinates ? `: ${names[d]}` : ""}`;  // what was learned has no name
      slider.value = value; find(`gate${d}-value`).textContent = value.toFixed(2);
      slider.setAttribute("aria-label", label); slider.parentElement.querySelector("span").textContent = label;
    });
    const near = s.cosines[s.a][s.b] > third + 0.02;
    find("words").textContent = `${pairName}: cosine ${s.cosines[s.a][s.b].toFixed(2).replace("-", "−")} under this gate, loss ${s.loss.toFixed(3)}. ` +
      (vectors === data.random ? "Four random vectors, before training." : near ? "The two are nearer to each other than to any third class." : Math.abs(s.loss - GUESS) < 0.02 ? "All classes are equally similar: nothing is learned for this pair." :
        "A third class is nearer: this gate opens the wrong coordinates.");
  }
  function stop() { if (timer !== null) cancelAnimationFrame(timer); timer = null; }
  function learn(gated) {
    stop();
    let numbers = data.random.flat().concat(gated ? new Array(24).fill(0) : []), left = STEPS;
    names = numbered; how = gated ? "a gate for each pair" : "open gate";
    const show = () => { [vectors, gates] = gateSplit(numbers, gated); losses.push(gateMean(vectors, gates, heat)); };
    const step = () => { numbers = gateDescend(numbers, gated, heat, RATE); left--; show(); };
    losses = []; show();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) { while (left) step(); draw(); return; }
    const frame = () => { for (let k = 0; k < 2 && left; k++) step(); draw(); timer = left ? requestAnimationFrame(frame) : null; };
    frame();
  }
  find("pair").addEventListener("input", (event) => { pair = +event.target.value; draw(); });
  [0, 1, 2, 3].forEach((d) => find("gate" + d).addEventListener("input", (event) => {
    stop(); gates = gates.map((gate, p) => (p === pair ? gate.map((g, e) => (e === d ? +event.target.value : g)) : gate)); draw();
  }));
  const byHand = (opened) => { stop(); vectors = data.vectors; gates = opened; names = data.coordinates; losses = []; how = ""; draw(); };
  find("reset").addEventListener("click", () => byHand(open()));
  find("best").addEventListener("click", () => byHand(data.best));
  find("train").addEventListener("click", () => learn(true));
  find("collapse").addEventListener("click", () => learn(false));
  draw();
  lock(root, () => { if (vectors === data.random) byHand(open()); });
}
