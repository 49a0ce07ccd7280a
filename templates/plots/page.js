"use strict";
// everything comes from the page itself; text goes through textContent alone
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const runs = data.experiments;
  const colours = ["#3b7dd8", "#e07b39", "#2e9e6b", "#c8458c", "#8a63d2", "#b8960c", "#17a2b8", "#d64545", "#6b7a8f", "#7a9e2e"];
  const dashes = ["", "6 3", "2 3", "8 3 2 3"];
  const colour = (n) => colours[n % colours.length];
  const dash = (n) => dashes[Math.floor(n / colours.length) % dashes.length];
  const shown = runs.map((_, n) => n < 10);
  const $ = (id) => document.getElementById(id);
  const W = 1000, H = 420, M = { left: 70, right: 20, top: 16, bottom: 44 };

  const svg = (tag, attributes = {}, text) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const html = (tag, text, attributes = {}) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  };
  const short = (value) => {
    if (value === null || value === undefined) return "–";
    if (typeof value !== "number") return typeof value === "string" ? value : JSON.stringify(value);
    return Number.isInteger(value) && Math.abs(value) < 1e7 ? String(value) : String(+value.toPrecision(5));
  };
  const cut = (text, most) => (text.length > most ? text.slice(0, most - 1) + "…" : text);
  const number = (value) => typeof value === "number" && Number.isFinite(value);

  // --- scales -------------------------------------------------------------------------------------------
  const nice = (low, high, count) => {
    const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw)), part = raw / power;
    const step = power * (part < 1.5 ? 1 : part < 3.5 ? 2 : part < 7.5 ? 5 : 10);
    const ticks = [];
    for (let at = Math.ceil(low / step); at * step <= high + step * 1e-9 && ticks.length < 50; at++) ticks.push(+(at * step).toPrecision(12));
    return ticks;
  };
  const linear = (values, from, to) => {
    let low = Infinity, high = -Infinity;
    for (const value of values) { if (value < low) low = value; if (value > high) high = value; }
    if (low === Infinity) { low = 0; high = 1; }
    if (low === high) { const pad = Math.abs(low) / 10 || 1; low -= pad; high += pad; }
    const scale = (value) => from + (value / 2 - low / 2) / (high / 2 - low / 2) * (to - from);
    const ticks = Number.isFinite(high - low) ? nice(low, high, 6) : [low, high];
    const whole = values.every(Number.isInteger) ? ticks.filter(Number.isInteger) : [];
    return { scale, ticks: whole.length > 1 ? whole : ticks, label: short };
  };
  const logarithmic = (values, from, to) => {
    const inner = linear(values.filter((v) => v > 0).map(Math.log10), from, to);
    const whole = inner.ticks.filter(Number.isInteger);
    const ticks = whole.length > 1 ? whole : inner.ticks;
    return { scale: (v) => inner.scale(Math.log10(v)), ticks: ticks.map((t) => 10 ** t), label: (v) => short(+v.toPrecision(2)) };
  };
  const ordinal = (values, from, to) => {
    const names = [...new Set(values)].sort();
    const at = new Map(names.map((name, n) => [name, n]));
    const inner = linear([0, Math.max(names.length - 1, 1)], from, to);
    const few = names.filter((_, n) => n % Math.ceil(names.length / 12) === 0);
    return { scale: (v) => inner.scale(at.get(v)), ticks: few, label: (v) => cut(v, 14) };
  };
  const fitting = (values, from, to) => {
    const known = values.filter((v) => v !== undefined);
    if (known.every(number)) return { ...linear(known, from, to), of: (v) => v };
    return { ...ordinal(known.map(short), from, to), of: short };
  };

  const frame = (label) => svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": label });
  const axes = (root, x, y, xname, yname) => {
    for (const tick of y.ticks) {
      const at = y.scale(tick);
      root.append(svg("line", { class: "grid", x1: M.left, x2: W - M.right, y1: at, y2: at }));
      root.append(svg("text", { x: M.left - 8, y: at + 4, "text-anchor": "end" }, y.label(tick)));
    }
    for (const tick of x.ticks) {
      const at = x.scale(tick);
      root.append(svg("line", { class: "grid", x1: at, x2: at, y1: H - M.bottom, y2: H - M.bottom + 5 }));
      root.append(svg("text", { x: at, y: H - M.bottom + 18, "text-anchor": "middle" }, x.label(tick)));
    }
    root.append(svg("text", { class: "name", x: (W + M.left) / 2, y: H - 8, "text-anchor": "middle" }, xname));
    root.append(svg("text", { class: "name", x: 14, y: H / 2, "text-anchor": "middle", transform: `rotate(-90 14 ${H / 2})` }, cut(yname, 50)));
  };
  const visible = () => runs.map((run, n) => [run, n]).filter(([, n]) => shown[n]);
  const fill = (place, node) => place.replaceChildren(node);

  // --- metrics over steps -------------------------------------------------------------------------------
  const drawCurves = () => {
    const metric = $("metric").value, log = $("log").checked;
    const lines = visible().map(([run, n]) => [run, n, run.history[metric]]).filter(([, , line]) => line);
    $("readout").textContent = "";
    if (!lines.length) return fill($("curves"), html("p", metric ? "None of those shown has this metric." : "No experiment has a history."));
    const usable = (v) => number(v) && (!log || v > 0);
    const xs = lines.flatMap(([, , line]) => line.x), ys = lines.flatMap(([, , line]) => line.y.filter(usable));
    const x = linear(xs, M.left, W - M.right), y = (log ? logarithmic : linear)(ys, H - M.bottom, M.top);
    const root = frame(`${metric} over steps`);
    axes(root, x, y, "step", metric);
    for (const [run, n, line] of lines) {
      let path = "", open = false, count = 0;
      line.x.forEach((at, i) => {
        if (!usable(line.y[i])) { open = false; return; }
        path += `${open ? "L" : "M"}${x.scale(at).toFixed(1)} ${y.scale(line.y[i]).toFixed(1)}`;
        open = true; count++;
        if (line.x.length < 2 || line.x.length < 30) root.append(svg("circle", { class: "lone", r: 2.5, fill: colour(n), cx: x.scale(at), cy: y.scale(line.y[i]) }));
      });
      if (!count) continue;
      const curve = svg("path", { class: "curve", d: path, stroke: colour(n), "stroke-dasharray": dash(n) });
      curve.append(svg("title", {}, run.name));
      root.append(curve);
    }
    const steps = [...new Set(xs)];
    const cross = svg("line", { class: "grid", y1: M.top, y2: H - M.bottom, visibility: "hidden" });
    root.append(cross);
    root.addEventListener("pointermove", (event) => {
      const box = root.getBoundingClientRect(), at = (event.clientX - box.left) / box.width * W;
      let step = steps[0];
      for (const one of steps) if (Math.abs(x.scale(one) - at) < Math.abs(x.scale(step) - at)) step = one;
      cross.setAttribute("x1", x.scale(step)); cross.setAttribute("x2", x.scale(step)); cross.setAttribute("visibility", "visible");
      const said = lines.map(([run, , line]) => [run.name, line.y[line.x.lastIndexOf(step)]]).filter(([, v]) => v !== undefined);
      $("readout").textContent = `step ${short(step)}   ` + said.slice(0, 20).map(([name, v]) => `${name} ${short(v)}`).join("   ");
    });
    fill($("curves"), root);
  };

  // --- scatter ------------------------------------------------------------------------------------------
  const valueOf = (run, column) => {
    const value = run[column.slice(0, column.indexOf("."))][column.slice(column.indexOf(".") + 1)];
    return value === null || (column.startsWith("metrics.") && !number(value)) ? undefined : value;
  };
  const drawScatter = () => {
    const [xname, yname] = [$("x").value, $("y").value];
    const points = visible().filter(([run]) => xname && yname && valueOf(run, xname) !== undefined && valueOf(run, yname) !== undefined);
    if (!points.length) return fill($("scatter"), html("p", "None of those shown has both values."));
    const x = fitting(points.map(([run]) => valueOf(run, xname)), M.left + 20, W - M.right - 20);
    const y = fitting(points.map(([run]) => valueOf(run, yname)), H - M.bottom - 12, M.top + 12);
    const root = frame(`${yname} against ${xname}`);
    axes(root, x, y, xname, yname);
    for (const [run, n] of points) {
      const [a, b] = [valueOf(run, xname), valueOf(run, yname)];
      const dot = svg("circle", { class: "dot", r: 6, fill: colour(n), cx: x.scale(x.of(a)), cy: y.scale(y.of(b)) });
      dot.append(svg("title", {}, `${run.name}\n${xname} ${short(a)}\n${yname} ${short(b)}`));
      root.append(dot);
    }
    fill($("scatter"), root);
  };

  // --- parallel coordinates -----------------------------------------------------------------------------
  const different = (column) => new Set(runs.map((run) => short(valueOf(run, column)))).size > 1;
  const drawParallel = () => {
    const last = $("last").value;
    const names = [...data.params.map((p) => "params." + p).filter(different).slice(0, 8), ...(last ? [last] : [])];
    const points = visible();
    if (names.length < 2 || !points.length) return fill($("parallel"), html("p", "No parameter differs between the experiments, or none is shown."));
    const root = frame("parameters to " + last);
    const at = (n) => 90 + n * (W - 180) / (names.length - 1);
    const scales = names.map((name) => fitting(runs.map((run) => valueOf(run, name)), H - 30, 44));
    for (const [run, n] of points) {
      let path = "", open = false;
      names.forEach((name, i) => {
        const value = valueOf(run, name);
        if (value === undefined) { open = false; return; }
        path += `${open ? "L" : "M"}${at(i).toFixed(1)} ${scales[i].scale(scales[i].of(value)).toFixed(1)}`;
        open = true;
      });
      const line = svg("path", { class: "curve", d: path || "M0 0", stroke: colour(n), "stroke-dasharray": dash(n) });
      line.append(svg("title", {}, run.name + "\n" + names.map((name) => `${name} ${short(valueOf(run, name))}`).join("\n")));
      root.append(line);
    }
    names.forEach((name, i) => {
      root.append(svg("line", { class: "grid", x1: at(i), x2: at(i), y1: 40, y2: H - 26 }));
      root.append(svg("text", { class: "name", x: at(i), y: i % 2 ? 30 : 14, "text-anchor": "middle" }, cut(name, 26)));
      for (const tick of scales[i].ticks) root.append(svg("text", { x: at(i) + 6, y: scales[i].scale(tick) + 4 }, scales[i].label(tick)));
    });
    fill($("parallel"), root);
  };

  // --- table --------------------------------------------------------------------------------------------
  const columns = [["name", (run) => run.name], ["status", (run) => run.status], ["time", (run) => run.time],
    ...data.metrics.map((name) => ["metrics." + name, (run) => run.metrics[name]]),
    ...data.params.map((name) => ["params." + name, (run) => run.params[name]])];
  let order = [-1, 1];
  const before = (a, b) => {
    if (a === undefined || a === null) return b === undefined || b === null ? 0 : 1;
    if (b === undefined || b === null) return -1;
    if (number(a) && number(b)) return order[1] * (a - b);
    return order[1] * (short(a) < short(b) ? -1 : short(a) > short(b) ? 1 : 0);
  };
  const drawTable = () => {
    const head = html("tr");
    columns.forEach(([name], n) => {
      const cell = html("th", undefined, { scope: "col", "aria-sort": order[0] === n ? (order[1] > 0 ? "ascending" : "descending") : "none" });
      const button = html("button", name + (order[0] === n ? (order[1] > 0 ? " ↑" : " ↓") : ""), { type: "button" });
      button.addEventListener("click", () => { order = [n, order[0] === n ? -order[1] : 1]; drawTable(); $("table").querySelectorAll("th button")[n].focus(); });
      cell.append(button);
      head.append(cell);
    });
    const thead = html("thead"), tbody = html("tbody");
    thead.append(head);
    const rows = visible().map(([run]) => run);
    if (order[0] >= 0) rows.sort((a, b) => before(columns[order[0]][1](a), columns[order[0]][1](b)));
    for (const run of rows) {
      const row = html("tr");
      for (const [, value] of columns) row.append(html("td", short(value(run)), { title: short(value(run)), ...(number(value(run)) ? { class: "number" } : {}) }));
      tbody.append(row);
    }
    $("table").replaceChildren(thead, tbody);
  };

  // --- choices ------------------------------------------------------------------------------------------
  const options = (select, names, chosen) => {
    for (const name of names) select.append(html("option", name, { value: name }));
    if (names.includes(chosen)) select.value = chosen;
  };
  const legend = runs.map((run, n) => {
    const button = html("button", undefined, { type: "button", "aria-pressed": String(shown[n]), title: `${run.name} (${run.status})` });
    const swatch = svg("svg", { viewBox: "0 0 22 10", "aria-hidden": "true" });
    swatch.append(svg("line", { x1: 0, x2: 22, y1: 5, y2: 5, stroke: colour(n), "stroke-width": 3, "stroke-dasharray": dash(n) }));
    button.append(swatch, html("span", run.name));
    button.addEventListener("click", () => { shown[n] = !shown[n]; draw(); });
    $("legend").append(button);
    return button;
  });
  const draw = () => {
    legend.forEach((button, n) => button.setAttribute("aria-pressed", String(shown[n])));
    drawCurves(); drawScatter(); drawParallel(); drawTable();
  };
  const columnsOf = (kind, names) => names.map((name) => `${kind}.${name}`);
  const both = [...columnsOf("params", data.params), ...columnsOf("metrics", data.metrics)];
  const varied = columnsOf("params", data.params).find(different);
  options($("metric"), data.histories, data.histories[0]);
  options($("x"), both, varied || both[0]);
  options($("y"), both, columnsOf("metrics", data.metrics)[0]);
  options($("last"), columnsOf("metrics", data.metrics), columnsOf("metrics", data.metrics)[0]);
  for (const [ids, work] of [[["metric", "log"], drawCurves], [["x", "y"], drawScatter], [["last"], drawParallel]]) {
    for (const id of ids) $(id).addEventListener("change", work);
  }
  $("all").addEventListener("click", () => { shown.fill(true); draw(); });
  $("none").addEventListener("click", () => { shown.fill(false); draw(); });
  $("about").textContent = data.about;
  draw();
})();
