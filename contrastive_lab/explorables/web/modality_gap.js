// Two modalities and their gap; contrastive_lab.explorables.modality_gap is the same in Python.
function slide(p, q, move) {
  const length = Math.sqrt(1 - 2 * move * p + move * move);
  return [(p - move) / length, q / length];
}
function toyLoss(longitudes, tilt, scale, exchanged) {
  const rad = longitudes.map((a) => (a * Math.PI) / 180), n = rad.length, order = rad.map((_, i) => (exchanged && i < 2 ? 1 - i : i));
  const s = rad.map((a) => order.map((k) => scale * Math.cos((tilt * Math.PI) / 180) * Math.cos(a - rad[k])));
  const lse = (row) => { const top = Math.max(...row); return top + Math.log(row.reduce((sum, v) => sum + Math.exp(v - top), 0)); };
  let total = 0;
  for (let i = 0; i < n; i++) total += lse(s[i]) + lse(s.map((row) => row[i])) - 2 * s[i][i];
  return total / (2 * n);
}
function mountGap(root, data) {
  const NS = "http:" + "//www.w3.org/2000/svg", names = Object.keys(data.runs), runs = {}, shares = data.shares;
  for (const name of names) {
    const raw = data.runs[name];
    runs[name] = { ...raw, plane: unpack(raw.plane), numbers: unpack(raw.numbers), sweep: unpack(raw.sweep) };
  }
  const still = shares.indexOf(0), closed = shares.indexOf(1);
  let name = names[0], tau = 0, epoch = 0, share = still, timer = null, top = 1, tilt = 0, scale = 14, exchanged = true;
  const find = (part) => root.querySelector(`[data-part="${part}"]`);
  const put = (part, words) => { find(part).textContent = words; };
  const make = (kind, attributes, parent, text) => {
    const node = document.createElementNS(NS, kind);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    return parent.appendChild(node);
  };
  const set = (node, attributes) => { for (const key in attributes) node.setAttribute(key, attributes[key]); };
  const X = "var(--dot)", Y = "#cf7e00", INK = "currentColor", thin = { fill: "none", stroke: INK, "stroke-opacity": 0.35, "stroke-width": 0.008 };
  const line = (parent, x1, y1, x2, y2, more) => make("line", { x1, y1, x2, y2, stroke: INK, "stroke-opacity": 0.45, "stroke-width": 0.004, ...more }, parent);
  const bead = (parent) => make("circle", { r: 0.014, fill: X, stroke: INK, "stroke-width": 0.004 }, parent);
  const stage = find("stage"), P = Math.min(...names.map((key) => runs[key].plane.shape[3]));
  make("circle", { r: 1, ...thin }, stage);
  line(stage, -1, 0, 1, 0, { "stroke-opacity": 0.25 }); line(stage, 0, -0.03, 0, 0.03);
  const wedges = [X, Y].map((fill) => make("path", { fill, "fill-opacity": 0.16 }, stage));
  const lines = Array.from({ length: 40 }, () => line(stage, 0, 0, 0, 0, { "stroke-opacity": 0.3 }));
  const ones = Array.from({ length: P }, () => make("circle", { r: 0.018, fill: X }, stage));
  const others = Array.from({ length: P }, () => make("path", { d: "M0,-0.026L0.023,0.016L-0.023,0.016Z", fill: "none", stroke: Y, "stroke-width": 0.009 }, stage));
  const bridge = line(stage, 0, 0, 0, 0, { "stroke-width": 0.016, "stroke-opacity": 0.9 });
  const label = [X, Y].map((c, k) => make("text", { x: -1.08, y: -1.02 + 0.09 * k, "font-size": 0.075, style: "fill:" + c }, stage));
  make("text", { x: 1.08, y: 1.09, "font-size": 0.065, "text-anchor": "end", opacity: 0.75 }, stage, "direction of the gap →");
  const recallChart = find("recall-chart"), timeChart = find("time-chart"), bar = find("bar");
  const rx = (s) => 0.1 + (0.86 * (s - shares[0])) / (shares[shares.length - 1] - shares[0]), ry = (v) => 0.33 - (0.27 * v) / top;
  const tx = (e) => 0.1 + (0.86 * e) / (runs[name].epochs.length - 1), ty = (v) => 0.33 - (0.27 * v) / 1.6;
  const text = (parent, x, y, words, more) => make("text", { x, y, "font-size": 0.032, ...more }, parent, words);
  line(recallChart, rx(-0.5), ry(0), rx(1.5), ry(0)); line(recallChart, rx(-0.5), ry(0), rx(-0.5), ry(1));
  const marks = [0, 0.5, 1].map((v) => text(recallChart, 0.09, ry(v) + 0.012, "", { "text-anchor": "end" }));
  for (const [s, words, side] of [[0, "as trained", "middle"], [1, "closed", "middle"], [1.5, "beyond", "end"], [-0.5, "wider", "start"]]) text(recallChart, rx(s), 0.372, words, { "text-anchor": side });
  for (const s of [0, 1]) line(recallChart, rx(s), ry(0), rx(s), ry(1), { "stroke-dasharray": "0.01 0.01", "stroke-opacity": 0.3 });
  text(recallChart, 0.1, 0.04, "partners found first, by share of the gap closed");
  const recallPath = make("polyline", { fill: "none", stroke: X, "stroke-width": 0.008 }, recallChart), recallDot = bead(recallChart);
  const band = make("rect", { x: 0.1, width: 0.86, fill: INK, "fill-opacity": 0.18 }, timeChart);
  line(timeChart, 0.1, ty(0), 0.96, ty(0)); line(timeChart, 0.1, ty(0), 0.1, ty(1.6));
  for (const v of [0, 0.5, 1, 1.5]) text(timeChart, 0.09, ty(v) + 0.012, v.toFixed(1), { "text-anchor": "end" });
  text(timeChart, 0.1, 0.04, "gap over the epochs; grey: two unrelated samples");
  const dashes = ["none", "0.03 0.012", "0.012 0.012", "0.03 0.01 0.006 0.01"];
  const paths = dashes.map((dash) => make("polyline", { fill: "none", stroke: INK, "stroke-dasharray": dash }, timeChart));
  const ends = dashes.map(() => text(timeChart, 0.965, 0, "", { "text-anchor": "end", "font-size": 0.028 }));
  const ticks = make("g", {}, timeChart), timeDot = bead(timeChart);
  const squared = make("rect", { x: 0.1, y: 0.055, height: 0.05, fill: "var(--push)" }, bar), rest = make("rect", { y: 0.055, height: 0.05, fill: "var(--dot)" }, bar);
  text(bar, 0.1, 0.04, "alignment = gap² (red) + rest (blue), to scale, 0 to 2.2");
  line(bar, 0.1, 0.11, 0.96, 0.11); for (const v of [0, 1, 2]) text(bar, 0.1 + (0.86 * v) / 2.2, 0.143, v, { "text-anchor": "middle" });
  function wedge(node, angle, half) {
    const at = (a) => `${Math.cos(a).toFixed(4)},${(-Math.sin(a)).toFixed(4)}`;
    node.setAttribute("d", `M0,0L${at(angle - half)}A1,1 0 0 0 ${at(angle + half)}Z`);
  }
  function draw() {
    const run = runs[name], plane = run.plane, size = run.numbers.row(tau, epoch), before = size[0], s = shares[share];
    const sweep = (k) => Array.from(run.sweep.row(tau, epoch, k)), gaps = sweep(0), aligns = sweep(1), recalls = sweep(2);
    const gap = gaps[share], recall = recalls[share], align = aligns[share], floor = Math.sqrt(2 / run.count);
    const place = (m, i) => { const [a, b] = slide(plane.at(tau, epoch, m, i, 0), plane.at(tau, epoch, m, i, 1), ((m ? -1 : 1) * s * before) / 2); return [a, -b]; };
    const centre = [[0, 0], [0, 0]];
    for (let i = 0; i < P; i++) {
      const one = place(0, i), other = place(1, i);
      set(ones[i], { cx: one[0], cy: one[1] }); set(others[i], { transform: `translate(${other[0]},${other[1]})` });
      if (i < lines.length) set(lines[i], { x1: one[0], y1: one[1], x2: other[0], y2: other[1] });
      for (const k of [0, 1]) { centre[0][k] += one[k] / P; centre[1][k] += other[k] / P; }
    }
    set(bridge, { x1: centre[0][0], y1: centre[0][1], x2: centre[1][0], y2: centre[1][1] });
    const half = (cone) => Math.acos(Math.sqrt(Math.min(Math.max(cone, 0), 1)));
    wedges.forEach((w, k) => { wedge(w, Math.atan2(-centre[k][1], centre[k][0]), half(size[k + 1])); w.style.display = s ? "none" : ""; });
    label[0].textContent = `● ${run.names[0]}`; label[1].textContent = `△ ${run.names[1]}`;
    top = [0.1, 0.2, 0.4].find((t) => t > Math.max(...recalls)) || 1; marks.forEach((m, k) => { m.textContent = `${50 * k * top} %`; });
    recallPath.setAttribute("points", recalls.map((v, k) => `${rx(shares[k])},${ry(v)}`).join(" "));
    set(recallDot, { cx: rx(s), cy: ry(recall) });
    set(band, { y: ty(floor), height: ty(0) - ty(floor) });
    ticks.replaceChildren(); run.epochs.forEach((e, k) => text(ticks, tx(k), 0.372, e, { "text-anchor": "middle" }));
    paths.forEach((path, t) => {
      const shown = t < run.temperatures.length, at = (e) => run.numbers.at(t, e, 0);
      path.setAttribute("points", shown ? run.epochs.map((_, e) => `${tx(e)},${ty(at(e))}`).join(" ") : "");
      set(path, { "stroke-width": t === tau ? 0.012 : 0.005, "stroke-opacity": t === tau ? 1 : 0.55 });
      ends[t].textContent = shown && t === tau ? `τ = ${run.temperatures[t]}` : "";
      if (shown) set(ends[t], { y: ty(at(run.epochs.length - 1)) - 0.02 });
    });
    set(timeDot, { cx: tx(epoch), cy: ty(gap) });
    const scaled = 0.86 / 2.2, share2 = gap * gap;
    squared.setAttribute("width", share2 * scaled); set(rest, { x: 0.1 + share2 * scaled, width: Math.max(align - share2, 0) * scaled });
    put("gap", gap.toFixed(3)); put("gap-note", `0 to 2; two unrelated samples: ${floor.toFixed(3)}`);
    put("recall", (100 * recall).toFixed(1) + " %"); put("recall-note", `of ${run.count} pairs; chance ${(100 / run.count).toFixed(1)} %, as trained ${(100 * recalls[still]).toFixed(1)} %`);
    put("alignment", align.toFixed(3)); put("alignment-note", `= ${share2.toFixed(3)} + ${(align - share2).toFixed(3)}, never below gap²`);
    put("cones", `${size[1].toFixed(2)} / ${size[2].toFixed(2)}`); put("cones-note", "as trained; 1 is a ray, 0 no cone");
    find("tau").max = run.temperatures.length - 1; find("epoch").max = run.epochs.length - 1;
    find("share").value = share; find("tau").value = tau; find("epoch").value = epoch;
    put("share-value", Math.round(100 * s) + " %"); put("tau-value", run.temperatures[tau]); put("epoch-value", run.epochs[epoch]);
    for (const key of names) find(`run-${key}`).setAttribute("aria-pressed", key === name);
    const change = 100 * (recall - recalls[still]);
    find("words").textContent = `${run.title}, temperature ${run.temperatures[tau]}, epoch ${run.epochs[epoch]}: gap ${gap.toFixed(2)}, ${Math.round((100 * share2) / align)} % of alignment is the gap. ` +
      (share === still ? `Partners are found first in ${(100 * recall).toFixed(0)} % of cases.` :
        `With ${Math.round(100 * s)} % closed by hand, retrieval changes by ${change.toFixed(1)} points to ${(100 * recall).toFixed(1)} %.`);
  }
  const sphere = find("sphere"), toyChart = find("toy-chart"), lift = 0.35, turn = 0.52;
  make("circle", { r: 1, ...thin }, sphere);
  const view = (lon, lat) => { const a = lon - turn; return [Math.cos(lat) * Math.sin(a), -(Math.sin(lat) * Math.cos(lift) - Math.cos(lat) * Math.cos(a) * Math.sin(lift))]; };
  const parallel = (lat) => Array.from({ length: 41 }, (_, k) => view(turn + ((k - 20) / 20) * 1.45, lat).map((v) => v.toFixed(3)).join(",")).join(" ");
  make("polyline", { ...thin, points: parallel(0) }, sphere);
  const upper = make("polyline", { ...thin, "stroke-dasharray": "0.03 0.03" }, sphere);
  const links = data.longitudes.map(() => line(sphere, 0, 0, 0, 0, { "stroke-width": 0.014 }));
  const pins = data.longitudes.map((a) => { const [x, y] = view((a * Math.PI) / 180, 0); return make("circle", { cx: x, cy: y, r: 0.04, fill: X }, sphere); });
  const rings = data.longitudes.map(() => make("circle", { r: 0.04, fill: "none", stroke: Y, "stroke-width": 0.018 }, sphere));
  const qx = (a) => 0.12 + (0.84 * a) / 85;
  line(toyChart, 0.12, 0.6, 0.96, 0.6); line(toyChart, 0.12, 0.6, 0.12, 0.08);
  for (const a of [0, 20, 40, 60, 80]) text(toyChart, qx(a), 0.645, a + "°", { "text-anchor": "middle" });
  text(toyChart, 0.54, 0.7, "tilt", { "text-anchor": "middle" }); text(toyChart, 0.12, 0.05, "loss against the tilt; bar: the lowest");
  const toyPath = make("polyline", { fill: "none", stroke: X, "stroke-width": 0.008 }, toyChart), toyBest = line(toyChart, 0, 0.08, 0, 0.6, { "stroke-dasharray": "0.012 0.012" });
  const toyDot = bead(toyChart), levels = [0, 1].map((k) => text(toyChart, 0.11, k ? 0.1 : 0.6, "", { "text-anchor": "end" }));
  function drawToy() {
    const curve = Array.from({ length: 86 }, (_, a) => toyLoss(data.longitudes, a, scale, exchanged)), low = Math.min(...curve), high = Math.max(...curve);
    const best = curve.indexOf(low), qy = (v) => 0.6 - (0.5 * (v - low * 0.9)) / Math.max(high - low * 0.9, 1e-9), lat = (tilt * Math.PI) / 180;
    toyPath.setAttribute("points", curve.map((v, a) => `${qx(a)},${qy(v)}`).join(" "));
    set(toyDot, { cx: qx(tilt), cy: qy(curve[tilt]) }); set(toyBest, { x1: qx(best), x2: qx(best) });
    levels[0].textContent = (low * 0.9).toFixed(2); levels[1].textContent = high.toFixed(2);
    upper.setAttribute("points", parallel(lat));
    data.longitudes.forEach((_, i) => {
      const k = exchanged && i < 2 ? 1 - i : i, [x, y] = view((data.longitudes[k] * Math.PI) / 180, lat), [a, b] = view((data.longitudes[i] * Math.PI) / 180, 0);
      set(rings[i], { cx: x, cy: y }); set(links[i], { x1: a, y1: b, x2: x, y2: y, stroke: k === i ? "var(--pull)" : "var(--push)", "stroke-opacity": 0.8 });
    });
    find("tilt").value = tilt; put("tilt-value", tilt + "°"); find("scale").value = Math.log(scale); put("scale-value", scale.toFixed(scale < 10 ? 1 : 0));
    find("right").textContent = exchanged ? "Put the exchanged texts right" : "Exchange two texts";
    find("toy-words").textContent = `Scale ${scale.toFixed(1)} (temperature ${(1 / scale).toFixed(3)}): loss ${curve[tilt].toFixed(3)} at ${tilt}°, lowest ${low.toFixed(3)} at ${best}°. ` +
      `A tilt multiplies every cosine by cos(tilt): the softmax sees the scale ${(scale * Math.cos(lat)).toFixed(1)}.`;
  }
  const stop = () => { clearInterval(timer); timer = null; find("play").textContent = "Play training"; };
  const calm = window.matchMedia && window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  find("play").addEventListener("click", () => {
    const last = runs[name].epochs.length - 1;
    if (timer) return stop();
    if (calm) { epoch = last; return draw(); }
    epoch = 0; draw(); find("play").textContent = "Pause";
    timer = setInterval(() => { if (!root.isConnected || epoch >= last) return stop(); epoch++; draw(); }, 500);
  });
  const on = (part, act) => find(part).addEventListener("input", (event) => { stop(); act(+event.target.value); });
  on("share", (v) => { share = v; draw(); }); on("tau", (v) => { tau = v; draw(); }); on("epoch", (v) => { epoch = v; draw(); });
  on("tilt", (v) => { tilt = v; drawToy(); }); on("scale", (v) => { scale = Math.exp(v); drawToy(); });
  const click = (part, act) => find(part).addEventListener("click", () => { stop(); act(); draw(); });
  click("close", () => { share = closed; }); click("collapse", () => { epoch = 0; share = still; });
  click("reset", () => { tau = 0; epoch = runs[name].epochs.length - 1; share = still; });
  for (const key of names) click(`run-${key}`, () => { name = key; tau = Math.min(tau, runs[key].temperatures.length - 1); epoch = Math.min(epoch, runs[key].epochs.length - 1); });
  find("right").addEventListener("click", () => { exchanged = !exchanged; drawToy(); });
  find("best").addEventListener("click", () => { let low = Infinity; for (let a = 0; a <= 85; a++) { const v = toyLoss(data.longitudes, a, scale, exchanged); if (v < low - 1e-12) { low = v; tilt = a; } } drawToy(); });
  epoch = runs[name].epochs.length - 1;
  lock(root, () => {});
  draw(); drawToy();
}
