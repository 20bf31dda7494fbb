// Two spaces of one network; contrastive_lab.explorables.separation.state_at is the same in Python.
function separationState(salient, target, probes) {
  const sums = [0, 0], counts = [0, 0];
  target.forEach((group, i) => { sums[group] += Math.hypot(salient[2 * i], salient[2 * i + 1]); counts[group]++; });
  return { probes, background: sums[0] / counts[0], targets: sums[1] / counts[1],
    separation: { digit: probes[1] - probes[0], texture: probes[2] - probes[3] } };
}
function mountSeparation(root, data) {
  const NS = "http:" + "//www.w3.org/2000/svg", tables = { common: unpack(data.common), salient: unpack(data.salient) };
  const find = (name) => root.querySelector(`[data-part="${name}"]`);
  const put = (node, attributes) => { for (const key in attributes) node.setAttribute(key, attributes[key]); return node; };
  const make = (name, attributes, parent, words) => {
    const node = parent.appendChild(put(document.createElementNS(NS, name), attributes));
    if (words !== undefined) node.textContent = words;
    return node;
  };
  const COLOURS = ["#1f77b4", "#e07b00", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#a9a910", "#17a5b5"];
  const LAST = data.epochs.length - 1, BROKEN = data.arms.length - 1, SIDE = 284;
  let weight = 0, epoch = 0, broken = false, byDigit = true;  // where training leads is the question
  const maps = ["common", "salient"].map((space) => {
    const picture = find(space), values = tables[space], reach = 1.05 * Math.max(Math.abs(data[space].low), data[space].high);
    make("text", { x: 8, y: 12, "font-size": 12, "font-weight": 600 }, picture, `${space} space`);
    make("rect", { x: 8, y: 20, width: SIDE, height: SIDE, fill: "none", stroke: "currentColor", "stroke-opacity": 0.4 }, picture);
    make("path", { d: `M8,${20 + SIDE / 2}h${SIDE}M${8 + SIDE / 2},20v${SIDE}`, stroke: "currentColor", "stroke-opacity": 0.25, "stroke-dasharray": "3 3" }, picture);
    const dots = data.target.map((target, i) => {
      const dot = make("circle", target ? { r: 3.1 } : { r: 3, fill: "none", stroke: "currentColor", "stroke-opacity": 0.6 }, picture);
      make("title", {}, dot, `${target ? `digit ${data.digit[i]} over ${data.textures[data.texture[i]]}` : `plain ${data.textures[data.texture[i]]}`}`);
      return dot;
    });
    return { values, dots, x: (v) => 8 + SIDE * (0.5 + v / (2 * reach)), y: (v) => 20 + SIDE * (0.5 - v / (2 * reach)) };
  });
  function draw() {
    const arm = broken ? BROKEN : weight, s = separationState(tables.salient.row(arm, epoch), data.target, data.probes[arm][epoch]);
    for (const map of maps) {
      const row = map.values.row(arm, epoch);
      map.dots.forEach((dot, i) => {
        put(dot, { cx: map.x(row[2 * i]).toFixed(1), cy: map.y(row[2 * i + 1]).toFixed(1) });
        if (data.target[i]) put(dot, { fill: COLOURS[byDigit ? data.digit[i] : data.texture[i]] });
      });
    }
    const percent = (share) => `${Math.round(100 * share)} %`, fresh = data.probes[arm][0];
    s.probes.forEach((share, k) => {
      find(`p${k}`).textContent = percent(share);
      find(`n${k}`).textContent = `chance ${percent(data.chance[k])}, random weights ${percent(fresh[k])}; ${k === 1 || k === 2 ? "should be high" : "should be at chance: a leak"}`;
    });
    find("name").textContent = broken ? "no background set (λ = 10)" : `λ = ${data.lambdas[weight]}`;
    find("lambda").value = weight; find("lambda-value").textContent = broken ? "10" : data.lambdas[weight];
    find("lambda").setAttribute("aria-valuetext", `lambda ${broken ? 10 : data.lambdas[weight]}`);
    find("epoch").value = epoch; find("epoch-value").textContent = data.epochs[epoch];
    find("epoch").setAttribute("aria-valuetext", `epoch ${data.epochs[epoch]}`);
    find("colour").textContent = byDigit ? "Colour by patch" : "Colour by digit";
    find("words").textContent = `${find("name").textContent}, epoch ${data.epochs[epoch]}: in this view background (hollow) lies ${s.background.toFixed(1)} from the origin of the salient space, targets ${s.targets.toFixed(1)}. ` +
      `Colours show the ${byDigit ? "digit" : "patch"} of targets. ` + (broken ? "Nothing marks the origin: this network never saw a plain background." : "");
  }
  find("lambda").addEventListener("input", (event) => { weight = +event.target.value; broken = false; draw(); });
  find("epoch").addEventListener("input", (event) => { epoch = +event.target.value; draw(); });
  find("colour").addEventListener("click", () => { byDigit = !byDigit; draw(); });
  find("broken").addEventListener("click", () => { broken = true; epoch = LAST; draw(); });
  find("reset").addEventListener("click", () => { weight = 0; epoch = 0; broken = false; byDigit = true; draw(); });
  lock(root, () => {});
  draw();
}
