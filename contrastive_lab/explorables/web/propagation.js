// Pixel propagation on one map; contrastive_lab.explorables.propagation.state_at is the same in Python.
function unpackCosines(text, depth) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), packed = new Int8Array(bytes.buffer), P = (Math.sqrt(8 * packed.length + 1) - 1) / 2;
  const rows = Array.from({ length: P }, () => new Float64Array(P));
  let at = 0;
  for (let i = 0; i < P; i++) for (let j = i; j < P; j++) rows[i][j] = rows[j][i] = packed[at++] / depth;
  return rows;
}
function spreadOf(rows) {
  let sum = 0; const P = rows.length;
  rows.forEach((row, i) => row.forEach((x, j) => { if (i !== j) sum += x; }));
  return 1 - sum / (P * (P - 1));
}
function product(a, b) {  // a times b transposed; both symmetric or rows of equal length
  return a.map((row) => { const out = new Float64Array(b.length); for (let j = 0; j < b.length; j++) { let s = 0; const other = b[j]; for (let k = 0; k < row.length; k++) s += row[k] * other[k]; out[j] = s; } return out; });
}
function propagateState(near, query, gamma) {
  const weights = near.map((row) => row.map((x) => Math.pow(Math.max(x, 0), gamma)));
  const gram = product(product(weights, near), weights), length = gram.map((row, i) => Math.sqrt(Math.max(row[i], 1e-12)));
  const after = gram.map((row, i) => row.map((x, j) => Math.min(1, Math.max(-1, x / length[i] / length[j]))));
  const total = weights[query].reduce((a, b) => a + b, 0);
  let entropy = 0;
  for (const w of weights[query]) if (w > 0) entropy -= (w / total) * Math.log(w / total);
  return { before: near[query], weights: weights[query], after: after[query], listened: Math.exp(entropy), spread: spreadOf(after), spread_before: spreadOf(near) };
}
function aurocOf(heat, inside, query) {
  let wins = 0, pairs = 0;
  heat.forEach((a, i) => { if (i !== query && inside[i]) heat.forEach((b, j) => { if (j !== query && !inside[j]) { pairs++; wins += a > b ? 1 : a === b ? 0.5 : 0; } }); });
  return pairs ? wins / pairs : NaN;
}
function mountPropagation(root, data) {
  const NS = "http:" + "//www.w3.org/2000/svg", side = data.side, names = Object.keys(data.names), P = side * side;
  const tables = {};
  let gamma = data.gamma, scene = 0, network = data.start, query = data.queries[0], locked = true;
  const find = (name) => root.querySelector(`[data-part="${name}"]`);
  const make = (name, attributes, parent, text) => {
    const node = document.createElementNS(NS, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    return parent.appendChild(node);
  };
  const stage = find("stage"), titles = ["scene", "cosine before", "weight in the sum", "cosine after"];
  const panels = titles.map((title, n) => {
    const g = make("g", { transform: `translate(${n * 14},0)` }, stage);
    const label = make("text", { x: 6, y: -0.45, "font-size": 0.85, "text-anchor": "middle" }, g, title);
    const image = n === 0 ? make("image", { width: side, height: side, preserveAspectRatio: "none", style: "image-rendering:pixelated" }, g) : null;
    if (n) make("rect", { width: side, height: side, fill: "none", stroke: "currentColor", "stroke-opacity": 0.4, "stroke-width": 0.06 }, g);
    const cells = n === 0 ? [] : Array.from({ length: P }, (_, k) => make("rect", { x: k % side, y: Math.floor(k / side), width: 1, height: 1, fill: "var(--dot)" }, g));
    const outline = make("path", { fill: "none", stroke: n ? "currentColor" : "#fff", "stroke-width": 0.14 }, g);
    const mark = make("rect", { width: 1, height: 1, fill: "none", stroke: "var(--push)", "stroke-width": 0.24 }, g);
    const range = make("text", { x: 6, y: side + 1.05, "font-size": 0.75, "text-anchor": "middle", opacity: 0.8 }, g);
    g.addEventListener("click", (event) => {
      if (locked) return;
      const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(g.getScreenCTM().inverse()), c = Math.floor(p.x), r = Math.floor(p.y);
      if (c >= 0 && c < side && r >= 0 && r < side) { query = r * side + c; draw(); }
    });
    return { label, image, cells, outline, mark, range };
  });
  function edges(objects) {
    let d = "";
    objects.forEach((o, k) => {
      const c = k % side, r = Math.floor(k / side);
      if (c + 1 < side && objects[k + 1] !== o) d += `M${c + 1},${r}v1`;
      if (r + 1 < side && objects[k + side] !== o) d += `M${c},${r + 1}h1`;
    });
    return d;
  }
  const cosines = () => { const key = `${network}/${scene}`; return (tables[key] = tables[key] || unpackCosines(data.cosines[network][scene], data.depth)); };
  function draw() {
    const near = cosines(), s = propagateState(near, query, gamma), objects = data.objects[scene], inside = objects.map((o) => o === objects[query]);
    [null, s.before, s.weights, s.after].forEach((heat, n) => {
      const p = panels[n];
      if (heat) {  // from the least to the largest, but never a range below 0.05: a flat map must look flat
        const high = Math.max(...heat), least = Math.min(...heat), low = Math.min(least, high - 0.05);
        p.cells.forEach((cell, k) => cell.setAttribute("fill-opacity", ((heat[k] - low) / (high - low)).toFixed(3)));
        p.range.textContent = `${least.toFixed(2)} (pale) to ${high.toFixed(2)}`;
      }
      else p.image.setAttribute("href", data.scenes[scene]);
      p.outline.setAttribute("d", edges(objects));
      p.mark.setAttribute("x", query % side); p.mark.setAttribute("y", Math.floor(query / side));
    });
    const before = aurocOf(s.before, inside, query), after = aurocOf(s.after, inside, query), kind = objects[query] ? `object ${objects[query]}` : "the background";
    find("listened").textContent = s.listened.toFixed(1); find("listened-note").textContent = `of ${P}`;
    find("auroc").textContent = `${before.toFixed(2)} → ${after.toFixed(2)}`; find("auroc-note").textContent = `before → after; 0.5 is blind; the cell lies on ${kind}`;
    find("spread").textContent = `${s.spread_before.toFixed(2)} → ${s.spread.toFixed(2)}`; find("spread-note").textContent = "1 - mean cosine of all pairs; 0: all cells alike";
    find("gamma").value = Math.log(gamma); find("gamma-value").textContent = gamma.toFixed(2);
    find("query").value = query; find("query-value").textContent = `row ${Math.floor(query / side) + 1}, ${(query % side) + 1}`;
    for (const name of names) find(`net-${name}`).setAttribute("aria-pressed", name === network);
    find("words").textContent = `${data.names[network]}, γ = ${gamma.toFixed(2)}: the chosen cell on ${kind} listens to about ${s.listened.toFixed(1)} of ${P} cells. ` +
      (s.spread < 0.005 ? "After propagation all cells are alike: the map has collapsed." : `Cells differ by ${s.spread.toFixed(2)} after propagation, ${s.spread_before.toFixed(2)} before.`);
  }
  find("gamma").addEventListener("input", (event) => { gamma = Math.exp(+event.target.value); draw(); });
  find("query").addEventListener("input", (event) => { query = +event.target.value; draw(); });
  find("scene").addEventListener("click", () => { scene = (scene + 1) % data.scenes.length; query = data.queries[scene]; draw(); });
  find("reset").addEventListener("click", () => { gamma = data.gamma; scene = 0; network = data.start; query = data.queries[0]; draw(); });
  find("collapse").addEventListener("click", () => { gamma = Math.exp(+find("gamma").min); network = "pixpro"; draw(); });
  for (const name of names) find(`net-${name}`).addEventListener("click", () => { network = name; draw(); });
  lock(root, () => { locked = false; });
  draw();
}
