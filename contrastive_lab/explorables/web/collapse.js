// Ranks of one spectrum; contrastive_lab.explorables.collapse.state_at is the same in Python.
function hill(values, q) {
  const total = values.reduce((sum, v) => sum + v, 0), top = Math.max(...values) / total;
  const share = Array.from(values, (v) => v / total).filter((p) => p > 1e-12 * top);
  if (q === 1) return Math.exp(-share.reduce((sum, p) => sum + p * Math.log(p), 0));
  if (q === Infinity) return 1 / top;
  const high = q * Math.log(q > 0 ? top : 1);
  return Math.exp((high + Math.log(share.reduce((sum, p) => sum + Math.exp(q * Math.log(p) - high), 0))) / (1 - q));
}
function squash(values, after, factor) {
  return Array.from(values, (v, k) => (k < after ? v : v * factor)).sort((a, b) => b - a);
}
// Exponent of lambda ~ rank^-alpha over ranks first + 1 ... last, weights 1 / rank.
function exponent(values, first, last) {
  let w = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (let k = first; k < last; k++) {
    const u = 1 / (k + 1), a = Math.log(k + 1), b = Math.log(Math.max(values[k], 1e-12));
    w += u; x += u * a; y += u * b; xx += u * a * a; xy += u * a * b;
  }
  const slope = (w * xy - x * y) / (w * xx - x * x);
  return { alpha: -slope, start: (y - slope * x) / w };
}
function mountCollapse(root, data) {
  const NS = "http:" + "//www.w3.org/2000/svg", E = data.epochs.length - 1, MOST = data.counts.length - 1;
  const start = { encoder: 2, layer: 0, dial: 40, epoch: E, samples: MOST, after: 0, factor: 0, log: false };
  let s = { ...start }, locked = true;
  const find = (name) => root.querySelector(`[data-part="${name}"]`), put = (name, text) => { find(name).textContent = text; };
  const make = (name, attributes, parent, text) => {
    const node = document.createElementNS(NS, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    return parent.appendChild(node);
  };
  for (const e of data.encoders) { e.epochs = e.epochs.map(unpack); e.counts = e.counts.map(unpack); }
  const column = (e, epoch, name) => data.encoders[e].columns[epoch][data.names.indexOf(name)];
  const few = () => s.samples < MOST, size = (e) => data.encoders[e].epochs[s.layer].shape[1];
  function values(e) {
    const one = data.encoders[e], logs = few() ? one.counts[s.layer].row(s.samples) : one.epochs[s.layer].row(s.epoch);
    // The faintest stored value stands for nothing at all: N samples span at most N - 1 directions.
    return Array.from(logs, (v) => (v <= -13.999 ? 0 : Math.pow(10, v)));
  }
  const live = (e) => (e === s.encoder ? squash(values(e), Math.min(s.after, size(e)), Math.pow(10, -s.factor)) : values(e));
  const order = () => (s.dial === 60 ? Infinity : s.dial / (60 - s.dial));
  const q2 = (q) => (q === Infinity ? "∞" : q.toFixed(2).replace(/\.?0+$/, ""));
  // One row for each encoder: name, bar as long as its Hill number, number, kNN.
  const rows = data.encoders.map((one, e) => {
    const row = document.createElement("button"); row.type = "button"; row.dataset.encoder = e;
    row.style.cssText = "display:grid;grid-template-columns:126px 1fr 40px 72px;gap:6px;white-space:nowrap;align-items:center;width:100%;margin:2px 0;text-align:left;padding:2px 8px;font-size:13px";
    row.innerHTML = '<span></span><span style="height:9px;border-radius:3px;background:var(--dot);display:block"></span><span style="text-align:right"></span><span class="small" style="opacity:.75"></span>';
    row.children[0].textContent = one.name;
    row.addEventListener("click", () => { s.encoder = e; s.after = Math.min(s.after, size(e)); draw(); });
    return find("encoders").appendChild(row);
  });
  const plot = find("spectrum");
  const box = { x: 0.11, y: 0.05, w: 0.86, h: 0.62 }, LOW = -8;
  // No variance of any encoder or layer may be cut off.
  let HIGH = 1; for (const one of data.encoders) for (const kept of [...one.epochs, ...one.counts]) for (const v of kept) HIGH = Math.max(HIGH, Math.ceil(v));
  const X = (k, d) => box.x + box.w * (s.log ? Math.log(Math.max(k, 1)) / Math.log(d) : (k - 1) / Math.max(d - 1, 1));
  const Y = (v) => box.y + (box.h * (HIGH - Math.min(HIGH, Math.max(LOW, Math.log10(Math.max(v, 1e-12)))))) / (HIGH - LOW);
  const text = (parent, x, y, words, extra) => make("text", { x, y, "font-size": 0.03, ...extra }, parent, words);
  function spectrum(v, d) {
    plot.replaceChildren();
    for (let p = LOW; p <= HIGH; p += 3) {
      make("line", { x1: box.x, x2: box.x + box.w, y1: Y(10 ** p), y2: Y(10 ** p), stroke: "currentColor", "stroke-opacity": 0.18, "stroke-width": 0.003 }, plot);
      text(plot, box.x - 0.012, Y(10 ** p) + 0.01, `1e${p}`, { "text-anchor": "end" });
    }
    for (const k of s.log ? [1, 2, 4, 8, 16, 32, 64, 128, 256] : [1, d / 4, d / 2, (3 * d) / 4, d].map(Math.round)) if (k <= d) text(plot, X(k, d), 0.715, k, { "text-anchor": "middle" });
    text(plot, box.x + box.w / 2, 0.76, "direction, strongest first: drag the curve down to squash its tail", { "text-anchor": "middle", opacity: 0.75 });
    const path = (list) => list.map((value, k) => `${X(k + 1, d).toFixed(4)},${Y(value).toFixed(4)}`).join(" ");
    if (s.after < d && s.factor > 0) make("polyline", { points: path(values(s.encoder)), fill: "none", stroke: "currentColor", "stroke-opacity": 0.35, "stroke-width": 0.004 }, plot);
    make("polyline", { points: path(v), fill: "none", stroke: "var(--dot)", "stroke-width": 0.009 }, plot);
    if (s.log) {
      const first = 2, last = Math.min(40, Math.floor(d / 2)), fit = exponent(v, first, last), at = (k) => Y(Math.exp(fit.start) * Math.pow(k, -fit.alpha));
      make("line", { x1: X(first + 1, d), x2: X(last, d), y1: at(first + 1), y2: at(last), stroke: "var(--push)", "stroke-width": 0.006, "stroke-dasharray": "0.02 0.014" }, plot);
      text(plot, X(first + 1, d), at(first + 1) - 0.025, `α = ${fit.alpha.toFixed(2)} over ranks ${first + 1} to ${last}`, {});
    }
    const marks = [["q=1", hill(v, 1)], ["q=2", hill(v, 2)], ["q=∞", hill(v, Infinity)]];
    marks.forEach(([name, at], row) => {
      make("line", { x1: X(at, d), x2: X(at, d), y1: box.y, y2: box.y + box.h, stroke: "currentColor", "stroke-opacity": 0.3, "stroke-width": 0.003, "stroke-dasharray": "0.01 0.01" }, plot);
      text(plot, X(at, d) + 0.006, box.y + box.h - 0.015 - 0.035 * row, name, { opacity: 0.8 });
    });
    const h = hill(v, order()), right = X(h, d) > 0.7;
    make("line", { x1: X(h, d), x2: X(h, d), y1: box.y - 0.02, y2: box.y + box.h, stroke: "currentColor", "stroke-width": 0.008, "data-mark": "hill" }, plot);
    text(plot, X(h, d) + (right ? -0.015 : 0.015), box.y + 0.015, `${h.toFixed(1)} directions at q = ${q2(order())}`, { "font-weight": 600, "text-anchor": right ? "end" : "start" });
  }
  function ellipses(v) {
    const svg = find("ellipses"); svg.replaceChildren();
    const scale = 0.155 / Math.sqrt(v[0] + 1e-12);
    [[0, 1, 0.19], [2, 3, 0.53], [9, 10, 0.84]].forEach(([a, b, x]) => {
      if (b >= v.length) return;
      const rx = scale * Math.sqrt(v[a]), ry = scale * Math.sqrt(v[b]);
      make("ellipse", { cx: x, cy: 0.27, rx: Math.max(rx, 0.002), ry: Math.max(ry, 0.002), fill: "var(--dot)", "fill-opacity": 0.3, stroke: "var(--dot)", "stroke-width": 0.005 }, svg);
      text(svg, x, 0.53, `axes ${a + 1} and ${b + 1}`, { "text-anchor": "middle" });
    });
    text(svg, 0.02, 0.04, `one scale for all three; half axis 1 is ${Math.sqrt(v[0]).toPrecision(2)} long`, { opacity: 0.75 });
  }
  function curves() {
    const svg = find("curves"), one = data.encoders[s.encoder], d = size(s.encoder); svg.replaceChildren();
    const px = (e) => 0.1 + (0.66 * e) / Math.max(E, 1), py = (share) => 0.5 - 0.44 * Math.min(1, share);
    for (const share of [0, 0.5, 1]) {
      make("line", { x1: px(0), x2: px(E), y1: py(share), y2: py(share), stroke: "currentColor", "stroke-opacity": 0.18, "stroke-width": 0.003 }, svg);
      text(svg, px(0) - 0.012, py(share) + 0.01, Math.round(share * d), { "text-anchor": "end" });
    }
    data.epochs.forEach((e, k) => { if (k % 2 === 0 || k === E) text(svg, px(k), 0.545, e, { "text-anchor": "middle" }); });
    text(svg, px(E / 2), 0.59, "epoch", { "text-anchor": "middle", opacity: 0.75 });
    const spectra = data.epochs.map((_, e) => Array.from(one.epochs[s.layer].row(e), (v) => Math.pow(10, v)));
    const lines = [["RankMe", "", (e) => column(s.encoder, e, s.layer ? "rankme_representation" : "rankme") / d], ["PR", "0.02 0.012", (e) => hill(spectra[e], 2) / d],
      ["NESum", "0.006 0.012", (e) => hill(spectra[e], Infinity) / d], ["kNN (top: 1)", "0.03 0.01 0.006 0.01", (e) => column(s.encoder, e, "knn")]];
    const ends = [];
    lines.forEach(([name, dash, of], k) => {
      const points = data.epochs.map((_, e) => of(e));
      if (points.some((p) => p === null || Number.isNaN(p) || p === 0)) return;
      const colour = ["var(--dot)", "var(--good)", "var(--bad)", "currentColor"][k];
      make("polyline", { points: points.map((p, e) => `${px(e)},${py(p)}`).join(" "), fill: "none", stroke: colour, "stroke-width": 0.007, "stroke-dasharray": dash }, svg);
      ends.push([name, py(points[E]), colour]);
    });
    ends.sort((a, b) => a[1] - b[1]);
    ends.forEach((end, k) => { if (k) end[1] = Math.max(end[1], ends[k - 1][1] + 0.036); text(svg, px(E) + 0.015, end[1] + 0.01, end[0], { style: `fill:${end[2]}` }); });
    make("line", { x1: px(s.epoch), x2: px(s.epoch), y1: py(1), y2: py(0), stroke: "currentColor", "stroke-width": 0.004 }, svg);
  }
  const lamp = (k, level, words) => { put(`lamp${k}`, ["● good", "◐ doubtful", "○ bad", "– not measured"][level]); find(`lamp${k}`).style.color = ["var(--good)", "inherit", "var(--bad)", "inherit"][level]; put(`lamp${k}-note`, words); };
  function draw() {
    const v = live(s.encoder), d = size(s.encoder), one = data.encoders[s.encoder], q = order(), n = few() ? data.counts[s.samples] : data.probe;
    const epoch = few() ? E : s.epoch, hills = rows.map((_, e) => hill(live(e), q));
    rows.forEach((row, e) => {
      row.setAttribute("aria-pressed", e === s.encoder); row.style.borderWidth = e === s.encoder ? "2px" : "1px"; row.style.fontWeight = e === s.encoder ? 600 : 400;
      row.children[1].style.width = `${(100 * hills[e]) / size(e)}%`; row.children[2].textContent = hills[e].toFixed(1);
      const knn = column(e, epoch, "knn"); row.children[3].textContent = knn === null ? "" : `kNN ${(100 * knn).toFixed(0)} %`;
    });
    spectrum(v, d); ellipses(v); curves();
    const pr = hill(v, 2), trace = v.reduce((sum, x) => sum + x, 0), touched = s.factor > 0 && s.after < d;
    const rankme = touched ? null : few() ? one.rankmes[s.layer][s.samples] : column(s.encoder, s.epoch, s.layer ? "rankme_representation" : "rankme");
    put("directions", hill(v, 0).toFixed(0)); put("directions-note", `of ${d}; N samples span N − 1`);
    put("entropy", hill(v, 1).toFixed(1)); put("entropy-note", "each larger q listens more to the strongest");
    put("ratio", pr.toFixed(1)); put("ratio-note", `IsoScore = (PR − 1)/(D − 1) = ${((pr - 1) / (d - 1)).toFixed(3)}; isotropic ceiling ${(d / (1 + d / n)).toFixed(1)}`);
    put("nesum", hill(v, Infinity).toFixed(1)); put("nesum-note", "= stable rank of the centred rows");
    put("rankme", rankme === null || rankme === undefined ? "–" : rankme.toFixed(1)); put("rankme-note", `the odd one: uncentred, √λ. Centred √λ: ${hill(v.map(Math.sqrt), 1).toFixed(1)}`);
    const unit = s.layer === 0, spread = Math.sqrt(trace), align = column(s.encoder, epoch, "alignment"), share = hill(v, 1) / Math.min(d, n / 4);
    lamp(1, !unit ? 3 : spread < data.lamps[0] ? 2 : spread < data.lamps[1] ? 1 : 0, unit ? `spread ${spread.toFixed(3)} (1: full sphere, 0: one point)` : "rows of the representation are not unit vectors");
    lamp(2, share < 0.1 ? 2 : share < 0.25 ? 1 : 0, `entropy rank ${hill(v, 1).toFixed(1)} of min(D, N/4) = ${Math.min(d, n / 4).toFixed(0)}`);
    lamp(3, align === null ? 3 : align > data.lamps[3] ? 2 : align > data.lamps[2] ? 1 : 0, align === null ? "" : `alignment ${align.toFixed(3)} (0 best, 2 unrelated)`);
    find("dial").value = s.dial; put("dial-value", q2(q)); find("epoch").value = epoch; put("epoch-value", data.epochs[epoch]); find("epoch").style.opacity = few() ? 0.4 : 1;
    find("samples").value = s.samples; put("samples-value", n);
    find("after").max = d; find("after").value = s.after; put("after-value", s.after >= d ? "none" : s.after); find("factor").value = s.factor; put("factor-value", s.factor ? `10^−${s.factor.toFixed(1)}` : "1");
    put("layer", `Layer: ${["embedding", "representation"][s.layer]}`); put("scale", s.log ? "Plain direction axis" : "Both axes logarithmic");
    const ranked = rows.map((_, e) => e).sort((a, b) => hills[b] - hills[a]);
    put("words", `${one.name}, ${["embedding", "representation"][s.layer]}, epoch ${data.epochs[epoch]}, ${n} samples: ${hills[s.encoder].toFixed(1)} of ${d} directions at q = ${q2(q)}, ` +
      `place ${ranked.indexOf(s.encoder) + 1} of ${rows.length}. Most directions at this q: ${data.encoders[ranked[0]].name}.` +
      (few() && n < 4 * d ? ` With N < 4D = ${4 * d} every rank is too low.` : "") + (few() ? " Fewer samples are kept for the last epoch only." : ""));
  }
  const slide = (name, then) => find(name).addEventListener("input", (event) => { s[name] = +event.target.value; if (then) then(); draw(); });
  slide("dial"); slide("epoch", () => { s.samples = MOST; }); slide("samples"); slide("after"); slide("factor");
  function drag(event) {
    const area = plot.getBoundingClientRect(), d = size(s.encoder), x = ((event.clientX - area.left) / area.width - box.x) / box.w, y = ((event.clientY - area.top) / area.height) * 0.8;
    if (event.type === "pointerdown") s.after = Math.max(1, Math.min(d - 1, Math.round(s.log ? Math.pow(d, x) : 1 + x * (d - 1))));
    const here = Math.log10(Math.max(values(s.encoder)[s.after], 1e-12));
    s.factor = Math.round(10 * Math.max(0, Math.min(6, here - (HIGH - ((y - box.y) / box.h) * (HIGH - LOW))))) / 10;
    draw();
  }
  plot.style.cursor = "ns-resize";
  plot.addEventListener("pointerdown", (event) => { if (!locked) { plot.setPointerCapture(event.pointerId); drag(event); } });
  plot.addEventListener("pointermove", (event) => { if (plot.hasPointerCapture(event.pointerId)) drag(event); });
  find("layer").addEventListener("click", () => { s.layer = 1 - s.layer; s.after = size(s.encoder); s.factor = 0; draw(); });
  find("scale").addEventListener("click", () => { s.log = !s.log; draw(); });
  find("reset").addEventListener("click", () => { s = { ...start, after: size(start.encoder) }; draw(); });
  find("collapse").addEventListener("click", () => { s = { ...s, layer: 0, epoch: E, samples: MOST, factor: 0, encoder: data.encoders.findIndex((e) => e.name === "alignment only") }; s.after = size(s.encoder); draw(); });
  s.after = start.after = size(s.encoder);
  locked = lock(root, () => { locked = false; });
  draw();
}
