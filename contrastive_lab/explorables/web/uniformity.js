// Measures of two views on the circle; contrastive_lab.explorables.uniformity.state_at is the same in Python.
function spreadOf(a, t) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) for (let j = 0; j < i; j++) sum += Math.exp(-t * (2 - 2 * Math.cos(a[i] - a[j])));
  return Math.log(sum / ((a.length * (a.length - 1)) / 2));
}
function cosineOf(a) {
  let c = 0, s = 0;
  for (const x of a) { c += Math.cos(x); s += Math.sin(x); }
  return ((c * c + s * s) / a.length - 1) / (a.length - 1);
}
function lossOf(one, two, tau) {
  const all = [...one, ...two], n = one.length;
  let total = 0;
  for (let i = 0; i < 2 * n; i++) {
    let sum = 0;
    const own = Math.cos(all[i] - all[(i + n) % (2 * n)]) / tau;
    for (let j = 0; j < 2 * n; j++) if (j !== i) sum += Math.exp((Math.cos(all[i] - all[j]) - 1) / tau);
    total += Math.log(sum) + 1 / tau - own;
  }
  return total / (2 * n);
}
function uniformityState(one, two, tau, t) {
  const n = one.length, cosine = (cosineOf(one) + cosineOf(two)) / 2, mean = (f) => (f(one) + f(two)) / 2;
  const alignment = Array.from(one).reduce((sum, a, i) => sum + 2 - 2 * Math.cos(a - two[i]), 0) / n;
  const pull = alignment / (2 * tau), push = mean((a) => spreadOf(a, 1 / (2 * tau))), guess = Math.log(2 * n - 1);
  return { alignment, uniformity: mean((a) => spreadOf(a, t)), mean_cosine: cosine, bound: -2 * t * (1 - cosine), loss: lossOf(one, two, tau), pull, push, guess, sum: pull + push + guess };
}
function mountUniformity(root, data) {
  const NS = "http:" + "//www.w3.org/2000/svg", angles = unpack(data.angles), E = data.epochs.length - 1, T = data.temperatures.length;
  const worst = data.circle.slice(0, T).reduce((b, run, k) => (run[E][1] > data.circle[b][E][1] ? k : b), 0);
  const start = { tau: Math.floor(T / 2), epoch: E, t: 2, tie: false, wide: false, alone: false, point: 0 };
  let s = { ...start };
  const palette = ["#3f99ea", "#cf7e00", "#127536", "#d863cf", "#cf0912", "#7e24fc", "#757575", "#3690ab", "#e1756c", "#875187"];
  const find = (name) => root.querySelector(`[data-part="${name}"]`), put = (name, text) => { find(name).textContent = text; };
  const make = (name, attributes, parent, text) => {
    const node = document.createElementNS(NS, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    return parent.appendChild(node);
  };
  const at = (a, r) => [r * Math.cos(a), -r * Math.sin(a)], col = (name) => data.names.indexOf(name);
  const tau = () => (s.alone ? 0.5 : data.temperatures[s.tau]), run = () => (s.alone ? T : s.tau), kernel = () => (s.tie ? 1 / (2 * tau()) : s.t);
  const rows = () => (s.wide ? data.wide : data.circle), named = (k) => (k < T ? `τ = ${data.temperatures[k]}` : s.wide ? data.wideNames[k] : "alignment only");
  // Left: the circle, or for 64 dimensions what tells the two ways of missing the floor apart.
  const stage = find("stage");
  function circle(one, two, t) {
    stage.replaceChildren();
    const points = [], both = [...one, ...two];
    for (let k = 0; k <= 120; k++) {
      const a = (k / 120) * 2 * Math.PI, sum = both.reduce((x, b) => x + Math.exp(25 * (Math.cos(a - b) - 1)), 0);
      points.push(at(a, 1.08 + Math.min(0.42, (sum / both.length) * 0.9)).map((v) => v.toFixed(3)).join(","));
    }
    make("path", { d: `M${points.join("L")}ZM1.08,0A1.08,1.08 0 1 0 -1.08,0A1.08,1.08 0 1 0 1.08,0Z`, fill: "var(--dot)", "fill-opacity": 0.3, "fill-rule": "evenodd", "data-part": "band" }, stage);
    make("circle", { r: 1, fill: "none", stroke: "currentColor", "stroke-opacity": 0.35, "stroke-width": 0.008 }, stage);
    const centre = one[s.point];
    one.forEach((a, i) => {
      const [x1, y1] = at(a, 1), [x2, y2] = at(two[i], 1), near = Math.exp(-t * (2 - 2 * Math.cos(a - centre)));
      make("line", { x1, y1, x2, y2, stroke: "var(--pull)", "stroke-opacity": 0.45, "stroke-width": 0.006 }, stage);
      const dot = make("circle", { cx: x1, cy: y1, r: 0.022 + 0.03 * near, fill: palette[data.labels[i] % 10], "data-point": i }, stage);
      make("title", {}, dot, data.classes[data.labels[i]]);
      dot.addEventListener("pointerenter", () => { if (!locked && s.point !== i) { s.point = i; draw(); } });
    });
    const width = Math.min(Math.PI - 0.01, 2 * Math.asin(Math.min(1, 1 / (2 * Math.sqrt(t)))));
    const [bx, by] = at(centre - width, 0.9), [cx, cy] = at(centre + width, 0.9);
    make("path", { d: `M${bx},${by}A0.9,0.9 0 ${width > Math.PI / 2 ? 1 : 0} 0 ${cx},${cy}`, fill: "none", stroke: "var(--push)", "stroke-width": 0.03, "stroke-linecap": "round" }, stage);
    const [x, y] = at(centre, 1);
    make("circle", { cx: x, cy: y, r: 0.065, fill: "none", stroke: "var(--push)", "stroke-width": 0.016 }, stage);
    make("text", { x: 0, y: 0.02, "text-anchor": "middle", "font-size": 0.1, opacity: 0.75 }, stage, `red: reach of one bump, t = ${t.toFixed(1)}`);
  }
  function diagnosis() {
    stage.replaceChildren();
    const top = Math.max(...data.wide.map((r) => r[E][col("participation_ratio")])), px = (c) => -1.2 + 2.5 * Math.max(0, Math.min(1, c)), py = (p) => 1.15 - (2.3 * Math.log(Math.max(p, 1))) / Math.log(top);
    make("path", { d: `M${px(0)},${py(top)}V${py(1)}H${px(1)}`, fill: "none", stroke: "currentColor", "stroke-opacity": 0.5, "stroke-width": 0.01 }, stage);
    make("text", { x: px(0.5), y: 1.42, "text-anchor": "middle", "font-size": 0.1 }, stage, "mean cosine: a cone →");
    make("text", { transform: "translate(-1.42,0) rotate(-90)", "text-anchor": "middle", "font-size": 0.1 }, stage, "participation ratio: directions →");
    for (const c of [0, 0.5, 1]) make("text", { x: px(c), y: 1.28, "text-anchor": "middle", "font-size": 0.085, opacity: 0.7 }, stage, c);
    for (const p of [1, 2, 4, 8, 16, 32, 64].filter((n) => n <= top)) make("text", { x: -1.24, y: py(p) + 0.03, "text-anchor": "end", "font-size": 0.085, opacity: 0.7 }, stage, p);
    data.wide.forEach((r, k) => {
      const x = px(r[s.epoch][col("mean_cosine")]), y = py(r[s.epoch][col("participation_ratio")]), mine = k === run();
      make("circle", { cx: x, cy: y, r: mine ? 0.07 : 0.035, fill: mine ? "var(--dot)" : "currentColor", "fill-opacity": mine ? 1 : 0.5 }, stage);
      make("text", { x: x > 0.6 ? 1.5 : x + 0.07, y: y - 0.05 - (x > 0.6 ? 0.05 : 0), "text-anchor": x > 0.6 ? "end" : "start", "font-size": 0.085, "font-weight": mine ? 700 : 400, opacity: mine ? 1 : 0.65 }, stage, named(k));
    });
  }
  const plane = find("plane");
  function forces() {
    plane.replaceChildren();
    const floor = data.floors[s.wide ? "64" : "2"], most = Math.max(0.5, ...rows().flat().map((r) => r[0])), low = floor * 1.12;
    const px = (a) => 0.13 + 0.84 * Math.min(1, a / most), py = (u) => 0.07 + (0.68 * u) / low, here = rows()[run()][s.epoch];
    const line = (x1, y1, x2, y2, extra) => make("line", { x1, y1, x2, y2, stroke: "currentColor", "stroke-opacity": 0.4, "stroke-width": 0.004, ...extra }, plane);
    const note = (x, y, words, extra) => make("text", { x, y, "font-size": 0.031, ...extra }, plane, words);
    const bound = Math.max(low, -4 * (1 - here[col("mean_cosine")]));
    const hatch = make("g", { "data-part": "forbidden", "aria-label": "forbidden by Jensen's inequality" }, plane);
    for (let k = 0; k < 24 && bound > low; k++) { const x = 0.13 + 0.035 * k; make("line", { x1: x, x2: x + 0.03, y1: py(low), y2: py(bound), stroke: "var(--push)", "stroke-opacity": 0.35, "stroke-width": 0.004 }, hatch); }
    if (bound > floor) note(0.97, py(bound) - 0.012, `Jensen: not below ${bound.toFixed(2)} with this mean cosine`, { "text-anchor": "end", style: "fill:var(--bad)" });
    line(px(0), py(0), px(most), py(0)); line(px(0), py(0), px(0), py(low));
    line(px(0), py(floor), px(most), py(floor), { "stroke-dasharray": "0.02 0.015", "stroke-opacity": 0.8 });
    note(px(most), py(floor) + 0.035, `floor ${floor.toFixed(2)}: spread evenly`, { "text-anchor": "end" });
    note(0.55, 0.83, "alignment → (0: twins coincide)", { "text-anchor": "middle" });
    note(0, 0, "uniformity (lower: more even)", { transform: "translate(0.03,0.42) rotate(-90)", "text-anchor": "middle" });
    for (const part of [0, 0.25, 0.5, 0.75, 1]) note(0.12, py(floor * part) + 0.01, (floor * part).toFixed(1), { "text-anchor": "end", opacity: 0.7 });
    for (const part of [0.5, 1]) note(px(most * part), 0.055, (most * part).toFixed(2), { "text-anchor": "middle", opacity: 0.7 });
    const top = Math.max(...rows().flat().map((r) => r[col("knn")])), bottom = Math.min(...rows().flat().map((r) => r[col("knn")]));
    const heights = [];
    rows().map((path, k) => [py(path[E][1]) - 0.01, k]).sort((a, b) => a[0] - b[0]).reduce((above, [y, k]) => (heights[k] = Math.max(y, above + 0.026)), -1);
    rows().forEach((path, k) => {
      const mine = k === run();
      make("polyline", { points: path.map((r) => `${px(r[0]).toFixed(4)},${py(r[1]).toFixed(4)}`).join(" "), fill: "none", stroke: mine ? "var(--dot)" : "currentColor", "stroke-opacity": mine ? 1 : 0.25, "stroke-width": mine ? 0.008 : 0.004 }, plane);
      path.forEach((r) => make("circle", { cx: px(r[0]), cy: py(r[1]), r: 0.004 + (mine ? 0.012 : 0.006) * ((r[col("knn")] - bottom) / Math.max(1e-6, top - bottom)), fill: mine ? "var(--dot)" : "currentColor", "fill-opacity": mine ? 1 : 0.35 }, plane));
      const end = path[E];
      note(px(end[0]) + 0.02, heights[k], named(k), { opacity: mine ? 1 : 0.55, "font-weight": mine ? 700 : 400, "font-size": 0.027, "text-anchor": px(end[0]) > 0.8 ? "end" : "start" });
    });
    if (data.yours && s.wide) {
      make("polyline", { points: data.yours.path.map(([a, u]) => `${px(a)},${py(u)}`).join(" "), fill: "none", stroke: "var(--pull)", "stroke-width": 0.009, "stroke-dasharray": "0.02 0.01" }, plane);
      const [a, u] = data.yours.path[data.yours.path.length - 1];
      note(px(a) + 0.015, py(u) + 0.03, `your run, ${data.yours.dim} dimensions`, { style: "fill:var(--good)", "font-weight": 700 });
    }
    make("circle", { cx: px(here[0]), cy: py(here[1]), r: 0.02, fill: "var(--dot)", stroke: "currentColor", "stroke-width": 0.005, "data-part": "now" }, plane);
  }
  function bars(loss, pull, push, guess, tied) {
    const svg = find("bars"), sum = pull + push + guess; svg.replaceChildren();
    const high = Math.max(guess, sum, loss, pull + guess) * 1.05, low = Math.min(0, guess + push), X = (v) => 0.02 + (0.95 * (v - low)) / (high - low);
    const bar = (row, from, to, colour, words) => {
      make("rect", { x: X(Math.min(from, to)), width: Math.max(0.002, Math.abs(X(to) - X(from))), y: 0.02 + 0.13 * row, height: 0.055, fill: colour, "fill-opacity": 0.55 }, svg);
      make("text", { x: 0.02, y: 0.115 + 0.13 * row, "font-size": 0.03 }, svg, words);
    };
    bar(0, guess, guess + push, "var(--push)", `push: uniformity at t = 1/(2τ) = ${tied.toFixed(1)}: ${push.toFixed(2)}, from log M = ${guess.toFixed(2)}`);
    bar(1, guess + push, sum, "var(--pull)", `pull: alignment/(2τ) = ${pull.toFixed(2)}, up to ${sum.toFixed(2)}`);
    bar(2, 0, loss, "currentColor", `the loss itself: ${loss.toFixed(2)} (the sum is off by ${((100 * (sum - loss)) / Math.max(loss, 1e-9)).toFixed(1).replace("-0.0", "0.0")} %)`);
    make("line", { x1: X(sum), x2: X(sum), y1: 0.01, y2: 0.35, stroke: "currentColor", "stroke-width": 0.004, "stroke-dasharray": "0.012 0.01" }, svg);
  }
  function draw() {
    const row = rows()[run()][s.epoch], t = kernel(), floor = data.floors[s.wide ? "64" : "2"], one = angles.row(Math.min(run(), T), s.epoch, 0), two = angles.row(Math.min(run(), T), s.epoch, 1);
    let loss, pull, push, guess, tuned = null;
    if (s.wide) {
      diagnosis();
      loss = row[col("loss")]; pull = row[0] / (2 * tau()); push = row[col("uniformity_tied")]; guess = Math.log(2 * data.probe - 1);
    } else {
      circle(one, two, t);
      const state = uniformityState(one, two, tau(), t);
      ({ loss, pull, push, guess } = state); tuned = state.uniformity;
    }
    forces(); bars(loss, pull, push, guess, 1 / (2 * tau()));
    put("alignment", row[0].toFixed(3)); put("alignment-note", "0 is best, 2 unrelated");
    put("uniformity", row[1].toFixed(3)); put("uniformity-note", `${Math.round((100 * row[1]) / floor)} % of the floor ${floor.toFixed(3)}`);
    put("tuned", tuned === null ? "–" : tuned.toFixed(3)); put("tuned-note", `t = ${t.toFixed(2)}${s.tie ? ", tied to τ" : ""}`);
    put("cosine", row[col("mean_cosine")].toFixed(3)); put("cosine-note", "0: no cone, 1: one point");
    put("knn", (100 * row[col("knn")]).toFixed(1) + " %"); put("knn-note", "on the backbone; large dots: high");
    find("tau").value = s.tau; put("tau-value", s.alone ? "none" : tau()); find("epoch").value = s.epoch; put("epoch-value", data.epochs[s.epoch]);
    find("t").value = Math.log(t); put("t-value", t.toFixed(2)); put("dims", s.wide ? "Show the circle" : "Show 64 dimensions"); put("tie", s.tie ? "Release t" : "Tie t to τ: t = 1/(2τ)");
    const cone = row[col("mean_cosine")] > 0.15, share = row[1] / floor;
    put("words", `${s.wide ? "64 dimensions" : "The circle"}, ${named(run())}, epoch ${data.epochs[s.epoch]}: uniformity is ${Math.round(100 * share)} % of the floor. ` +
      (row[1] > -0.1 ? "All images lie in nearly the same place." : cone ? "The points still sit in a cone (or an arc): their mean cosine is above zero." : share > 0.9 ? "The points are spread almost evenly." : "There is no cone left, but the points are not spread evenly.") +
      ` The two forces and log(candidates) add up to ${(pull + push + guess).toFixed(2)}, the loss is ${loss.toFixed(2)}.`);
  }
  find("tau").addEventListener("input", (event) => { s.tau = +event.target.value; s.alone = false; draw(); });
  find("epoch").addEventListener("input", (event) => { s.epoch = +event.target.value; draw(); });
  find("t").addEventListener("input", (event) => { s.t = Math.exp(+event.target.value); s.tie = false; draw(); });
  find("tie").addEventListener("click", () => { s.t = kernel(); s.tie = !s.tie; draw(); });
  find("dims").addEventListener("click", () => { s.wide = !s.wide; draw(); });
  find("reset").addEventListener("click", () => { s = { ...start }; draw(); });
  find("collapse").addEventListener("click", () => { s.alone = true; s.epoch = E; draw(); });
  stage.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key], count = data.labels.length;
    if (!step || locked || s.wide) return;
    s.point = (s.point + step + count) % count; event.preventDefault(); draw();
  });
  let locked = true;
  locked = lock(root, () => { locked = false; s.tau = worst; draw(); });
  draw();
}
