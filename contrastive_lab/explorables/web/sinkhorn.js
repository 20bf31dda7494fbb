// Balanced codes step by step; contrastive_lab.explorables.sinkhorn.state_at is the same in Python.
const logsum = (v) => { const top = Math.max(...v); return top + Math.log(v.reduce((s, x) => s + Math.exp(x - top), 0)); };
const softmaxOf = (v) => { const level = logsum(v); return v.map((x) => Math.exp(x - level)); };
function codesOf(scores, epsilon, steps, balance) {
  const B = scores.length, K = scores[0].length;
  let logs = scores.map((row) => row.map((s) => s / epsilon));
  if (!balance) return logs.map(softmaxOf);
  const all = logsum(logs.flat());
  logs = logs.map((row) => row.map((x) => x - all + Math.log(B)));
  for (let step = 1; step <= steps; step++) {
    if (step % 2) {
      const level = logs[0].map((_, k) => logsum(logs.map((row) => row[k])) - Math.log(B / K));
      logs = logs.map((row) => row.map((x, k) => x - level[k]));
    } else logs = logs.map((row) => { const level = logsum(row); return row.map((x) => x - level); });
  }
  return logs.map((row) => row.map(Math.exp));
}
function sinkhornState(one, two, epsilon, steps, balance, tau) {
  const B = one.length, K = one[0].length;
  const [c1, c2] = [one, two].map((s) => codesOf(s, epsilon, steps, balance));
  const sums = c1.map((row) => row.reduce((a, b) => a + b, 0));
  const scaled = (codes) => codes.map((row) => { const total = row.reduce((a, b) => a + b, 0); return row.map((x) => x / total); });
  const [r1, r2] = [scaled(c1), scaled(c2)], [p1, p2] = [one, two].map((s) => s.map((row) => softmaxOf(row.map((x) => x / tau))));
  const cross = (q, p) => -q.reduce((sum, x, k) => sum + x * Math.log(p[k]), 0);
  const masses = one[0].map((_, k) => c1.reduce((sum, row) => sum + row[k], 0));
  const entropy = r1.reduce((sum, row) => sum - row.reduce((s, q) => s + (q > 0 ? q * Math.log(q) : 0), 0), 0) / B / Math.log(K);
  const used = new Set(r1.map((row) => row.indexOf(Math.max(...row)))).size;
  const each = r1.map((q, b) => cross(q, p2[b]));
  const loss = r1.reduce((sum, q, b) => sum + cross(q, p2[b]) + cross(r2[b], p1[b]), 0) / (2 * B);
  return { codes: c1, rows: r1, masses, sums, entropy, used, loss, each, prediction: p2, imbalance: Math.max(...masses.map((m) => Math.abs((m * K) / B - 1))) };
}
function mountSinkhorn(root, data) {
  const NS = "http:" + "//www.w3.org/2000/svg", first = data.networks[data.start], B = first[0].length, K = first[0][0].length, log2 = (x) => x.toFixed(2);
  let network = data.start, epsilon = data.epsilon, steps = data.steps, image = 0, balance = true;
  const find = (name) => root.querySelector(`[data-part="${name}"]`);
  const make = (name, attributes, parent, text) => {
    const node = document.createElementNS(NS, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    return parent.appendChild(node);
  };
  const set = (node, attributes) => { for (const key in attributes) node.setAttribute(key, attributes[key]); };
  const stage = find("stage"), BAR = 2.6;
  stage.setAttribute("viewBox", `-1.5 ${-BAR - 1.9} ${K + 4.6} ${B + BAR + 2.2}`);
  const small = { "font-size": 0.5 };
  if (data.sheet) make("image", { href: data.sheet, x: -1.3, y: 0, width: 1, height: B, preserveAspectRatio: "none", style: "image-rendering:pixelated" }, stage);
  const mark = make("rect", { x: -1.42, width: K + 1.5, height: 1, fill: "var(--dot)", "fill-opacity": 0.18 }, stage);
  for (let b = 0; b <= B; b++) make("line", { x1: 0, x2: K, y1: b, y2: b, stroke: "currentColor", "stroke-opacity": 0.16, "stroke-width": 0.03 }, stage);
  for (let k = 0; k <= K; k++) make("line", { x1: k, x2: k, y1: 0, y2: B, stroke: "currentColor", "stroke-opacity": 0.16, "stroke-width": 0.03 }, stage);
  const squares = first[0].map(() => first[0][0].map(() => make("rect", { fill: "var(--dot)" }, stage)));
  const tops = first[0][0].map((_, k) => [make("rect", { x: k + 0.18, width: 0.64, fill: "var(--dot)" }, stage), make("text", { x: k + 0.5, y: -0.2, "text-anchor": "middle", ...small }, stage)]);
  const level = -0.8 - BAR / 3;  // the line B / K stands a third of the way up
  make("line", { x1: -0.1, x2: K + 0.1, y1: level, y2: level, stroke: "currentColor", "stroke-dasharray": "0.2 0.15", "stroke-width": 0.06 }, stage);
  make("text", { x: K + 0.25, y: level + 0.18, ...small }, stage, `B / K = ${+(B / K).toFixed(2)}`);
  make("text", { x: 0, y: -BAR - 1.2, ...small, opacity: 0.8 }, stage, "mass of each prototype");
  const rights = first[0].map((_, b) => [make("rect", { x: K + 0.25, y: b + 0.2, height: 0.6, fill: "currentColor", "fill-opacity": 0.4 }, stage), make("text", { y: b + 0.68, ...small }, stage)]);
  const swap = find("swap"), base = 0.5, width = 1.2 / K;
  make("line", { x1: 0.05, x2: 1.27, y1: base, y2: base, stroke: "currentColor", "stroke-opacity": 0.5, "stroke-width": 0.004 }, swap);
  const bars = first[0][0].map((_, k) => {
    make("text", { x: 0.06 + width * (k + 0.5), y: base + 0.055, "font-size": 0.04, "text-anchor": "middle" }, swap, k + 1);
    return [make("rect", { x: 0.06 + width * k + width * 0.12, width: width * 0.36, fill: "var(--dot)" }, swap),
      make("rect", { x: 0.06 + width * k + width * 0.52, width: width * 0.36, fill: "none", stroke: "currentColor", "stroke-width": 0.006 }, swap)];
  });
  const title = make("text", { x: 0.06, y: 0.045, "font-size": 0.044 }, swap);
  make("text", { x: 0.66, y: base + 0.11, "font-size": 0.04, "text-anchor": "middle", opacity: 0.8 }, swap, "prototype");
  stage.addEventListener("click", (event) => {
    if (find("image").disabled) return;
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(stage.getScreenCTM().inverse());
    if (place.y >= 0 && place.y < B) { image = Math.floor(place.y); draw(); }
  });
  function draw() {
    const [one, two] = data.networks[network], s = sinkhornState(one, two, epsilon, steps, balance, data.tau), even = B / K, lnK = Math.log(K);
    const largest = Math.max(1, ...s.codes.flat());
    s.codes.forEach((row, b) => row.forEach((q, k) => {
      const side = 0.94 * Math.sqrt(q / largest);
      set(squares[b][k], { x: k + 0.5 - side / 2, y: b + 0.5 - side / 2, width: side, height: side });
    }));
    s.masses.forEach((m, k) => {
      const height = Math.min(BAR, (m / even) * (BAR / 3)), off = Math.abs(m / even - 1) > 0.5;
      set(tops[k][0], { y: -0.8 - height, height, fill: off ? "var(--push)" : "var(--dot)" });
      tops[k][1].textContent = m < 0.005 ? "0" : m >= 9.95 ? m.toFixed(0) : m.toFixed(1);
    });
    s.sums.forEach((m, b) => { const length = Math.min(2, m); set(rights[b][0], { width: length }); set(rights[b][1], { x: K + 0.35 + length }); rights[b][1].textContent = log2(m); });
    set(mark, { y: image });
    s.rows[image].forEach((q, k) => { set(bars[k][0], { y: base - 0.4 * q, height: 0.4 * q }); const p = s.prediction[image][k]; set(bars[k][1], { y: base - 0.4 * p, height: 0.4 * p }); });
    title.textContent = `scene ${image + 1}: cross-entropy ${log2(s.each[image])}`;
    const low = Math.min(...s.masses), high = Math.max(...s.masses);
    find("masses").textContent = `${log2(low)} … ${log2(high)}`; find("masses-note").textContent = `even: B / K = ${+even.toFixed(2)}; off by at most ${Math.round(100 * s.imbalance)} %`;
    find("used").textContent = s.used; find("used-note").textContent = `of ${K} prototypes`;
    find("entropy").textContent = s.entropy.toFixed(3); find("entropy-note").textContent = "times ln K; 0 is one prototype, 1 all alike";
    find("loss").textContent = s.loss.toFixed(3); find("loss-note").textContent = `scores without information cost ln K = ${lnK.toFixed(3)}`;
    find("epsilon").value = Math.log(epsilon); find("epsilon-value").textContent = epsilon.toFixed(epsilon < 0.1 ? 3 : 2);
    find("steps").value = steps; find("steps-value").textContent = balance ? `${steps / 2} sweeps` : "off";
    find("image").value = image + 1; find("image-value").textContent = image + 1;
    for (const name in data.networks) find(`net-${name}`).setAttribute("aria-pressed", name === network);
    const last = !balance ? "Softmax of each row, nothing balances." : steps === 0 ? "Before the first step." : steps % 2 ? "The columns were scaled last: they are even, row sums are off." : `The rows were scaled last: each adds up to 1, column sums are off by at most ${Math.round(100 * s.imbalance)} %.`;
    const top = s.masses.indexOf(high);
    find("words").textContent = `${data.names[network]}, ε = ${epsilon.toFixed(3)}. ${last} Prototype ${top + 1} holds most, ${log2(high)} of ${B} scenes; ` +
      `${s.used} of ${K} prototypes are somebody's favourite; the loss is ${log2(s.loss)}, ${s.loss < lnK - 0.005 ? log2(lnK - s.loss) + " below" : "not below"} ln K.`;
  }
  find("epsilon").addEventListener("input", (event) => { epsilon = Math.exp(+event.target.value); draw(); });
  find("steps").addEventListener("input", (event) => { steps = +event.target.value; balance = true; draw(); });
  find("image").addEventListener("input", (event) => { image = +event.target.value - 1; draw(); });
  find("step").addEventListener("click", () => { steps = Math.min(steps + 1, +find("steps").max); balance = true; draw(); });
  find("reset").addEventListener("click", () => { network = data.start; epsilon = data.epsilon; steps = 0; balance = true; draw(); });
  find("collapse").addEventListener("click", () => { balance = false; network = "softmax" in data.networks ? "softmax" : network; draw(); });
  for (const name in data.networks) find(`net-${name}`).addEventListener("click", () => { network = name; draw(); });
  lock(root, () => {});
  draw();
}
