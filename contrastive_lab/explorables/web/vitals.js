// Strips of runs over their epochs; lamps come from Python (contrastive_lab.diagnosis.lights), nothing is judged here.
function mountVitals(root, data) {
  const NS = "http:" + "//www.w3.org/2000/svg", WIDE = 120, HIGH = 26;
  const MARK = { good: "●", watch: "▲", ill: "■", none: "" };
  const find = (name) => root.querySelector(`[data-part="${name}"]`);
  const style = document.createElement("style");
  style.textContent = `.clab .strips{display:grid;grid-template-columns:repeat(auto-fill,minmax(255px,1fr));gap:10px 18px;margin:8px 0}
.clab .strip{border-top:3px solid var(--mine);padding-top:4px;min-width:0}
.clab .strip h4{margin:0 0 2px;font-size:14px;font-weight:600}
.clab .sign{display:grid;grid-template-columns:86px 1fr 44px 16px;gap:6px;align-items:center;font-size:12px;line-height:1.2;margin:2px 0}
.clab .sign svg{height:24px;max-height:none;overflow:hidden;cursor:crosshair}
.clab .sign output{font-size:12px}
.clab .sign b,.clab .small b{font-size:12px;text-align:center}
.clab b.good{color:#1f9a4c}.clab b.watch{color:#cf7e00}.clab b.ill{color:#e2343c}
.clab .strip p{margin:3px 0 0;font-size:12px;opacity:.85}`;
  root.append(style);
  const make = (name, attributes, parent) => {
    const node = document.createElementNS(NS, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    return parent.appendChild(node);
  };
  const add = (name, parent, text, kind) => {
    const node = document.createElement(name);
    if (text !== undefined) node.textContent = text;
    if (kind) node.className = kind;
    return parent.appendChild(node);
  };
  let epoch = data.last, locked = true, broken = false;
  const slider = find("epoch"), x = (e) => 2 + (WIDE - 4) * e / data.last;
  const y = (sign, value) => HIGH - 2 - (HIGH - 4) * Math.min(1, Math.max(0, (value - sign.low) / (sign.high - sign.low)));
  const reached = (run) => run.epochs.reduce((best, e, i) => (e <= epoch ? i : best), 0);
  const rows = [];
  const cards = data.runs.map((run) => {
    const card = add("div", find("strips"), undefined, "strip");
    card.setAttribute("role", "group");
    card.style.setProperty("--mine", run.colour);
    card.dataset.run = run.label;
    card.setAttribute("aria-label", run.label);
    add("h4", card, run.label);
    for (const sign of data.signs) {
      const known = run.values[sign.key].filter((v) => v !== null);
      if (!known.length) continue;
      const line = add("div", card, undefined, "sign");
      line.title = `${sign.title}: ${sign.meaning}`;
      add("span", line, sign.title);
      const svg = make("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", preserveAspectRatio: "none",
        "aria-label": `${sign.title} of ${run.label}, from ${known[0].toFixed(sign.digits)}${sign.unit} to ${known.at(-1).toFixed(sign.digits)}${sign.unit}` }, line);
      make("rect", { x: 0.5, y: 0.5, width: WIDE - 1, height: HIGH - 1, fill: "currentColor", "fill-opacity": 0.04 }, svg);
      if (sign.ideal !== null) make("line", { x1: 0, x2: WIDE, y1: y(sign, sign.ideal), y2: y(sign, sign.ideal), stroke: "currentColor",
        "stroke-opacity": 0.5, "stroke-dasharray": "3 3", "stroke-width": 0.8 }, svg);
      const points = run.epochs.map((e, i) => [e, run.values[sign.key][i]]).filter(([, v]) => v !== null);
      make("polyline", { points: points.map(([e, v]) => `${x(e)},${y(sign, v)}`).join(" "), fill: "none", stroke: run.colour,
        "stroke-width": 1.6, "vector-effect": "non-scaling-stroke" }, svg);
      if (points.length === 1) make("circle", { cx: x(points[0][0]), cy: y(sign, points[0][1]), r: 2, fill: run.colour }, svg);
      const cursor = make("line", { y1: 0, y2: HIGH, stroke: "currentColor", "stroke-opacity": 0.55, "stroke-width": 0.8 }, svg);
      const value = add("output", line), lamp = add("b", line);
      const follow = (event) => {
        if (locked) return;
        const box = svg.getBoundingClientRect(), at = (event.clientX - box.left) / box.width;
        set(Math.round(Math.min(1, Math.max(0, (at * WIDE - 2) / (WIDE - 4))) * data.last), true);
      };
      svg.addEventListener("pointermove", follow);
      svg.addEventListener("pointerdown", follow);
      rows.push({ run, sign, cursor, value, lamp });
    }
    add("p", card, run.ill.length ? run.ill[0] : "");
    if (run.broken) card.hidden = true;
    return card;
  });
  function draw() {
    for (const { run, sign, cursor, value, lamp } of rows) {
      const place = reached(run), shown = run.values[sign.key][place], light = run.lights[sign.key][place];
      cursor.setAttribute("x1", x(Math.min(epoch, run.epochs.at(-1)))); cursor.setAttribute("x2", x(Math.min(epoch, run.epochs.at(-1))));
      value.textContent = shown === null ? "–" : shown.toFixed(sign.digits) + sign.unit;
      lamp.textContent = MARK[light]; lamp.className = light; lamp.title = light === "none" ? "" : light;
    }
    const seen = data.runs.filter((run) => !run.broken || broken);
    const ill = seen.map((run) => [run.label, data.signs.filter((s) => run.lights[s.key][reached(run)] === "ill").map((s) => s.title)]);
    const bad = ill.filter(([, signs]) => signs.length).map(([label, signs]) => `${label} (${signs.join(", ")})`);
    find("words").textContent = `Epoch ${epoch} of ${data.last}. ` + (bad.length ? `Red lamps: ${bad.join("; ")}.` : "No lamp is red.");
    slider.value = epoch; find("epoch-value").textContent = epoch;
    slider.setAttribute("aria-valuetext", `epoch ${epoch} of ${data.last}`);
  }
  function set(value, tell) {
    if (value === epoch) return;
    epoch = value; draw();
    if (!tell) return;
    document.dispatchEvent(new CustomEvent("clab:epoch", { detail: { epoch, last: data.last, source: root.id } }));
    for (const other of document.querySelectorAll('.clab input[type=range][data-part="epoch"]')) {
      if (other === slider || other.disabled || other.closest(".clab").querySelector('[data-part="strips"]')) continue;
      const low = +other.min, high = +other.max, listed = (other.dataset.epochs || "").split(",").filter(Boolean).map(Number);
      const near = listed.reduce((best, e, i) => (Math.abs(e - epoch) < Math.abs(listed[best] - epoch) ? i : best), 0);
      const target = listed.length ? low + near : low + Math.round((high - low) * epoch / data.last);
      if (+other.value !== target) { other.value = target; other.dispatchEvent(new Event("input", { bubbles: true })); }
    }
  }
  slider.addEventListener("input", () => set(+slider.value, true));
  document.addEventListener("clab:epoch", (event) => {
    if (!root.isConnected || event.detail.source === root.id || locked) return;
    set(Math.max(0, Math.min(data.last, Math.round(event.detail.epoch))), false);
  });
  const show = (value) => {
    broken = value;
    data.runs.forEach((run, i) => { if (run.broken) cards[i].hidden = !broken; });
    draw();
  };
  find("reset").addEventListener("click", () => { show(false); set(data.last, true); });
  find("collapse")?.addEventListener("click", () => show(true));
  locked = lock(root, () => { locked = false; });
  draw();
}
