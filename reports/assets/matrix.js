"use strict";
(() => {
  const begun = performance.now(), root = document.documentElement;
  const css = name => getComputedStyle(root).getPropertyValue(name).trim();
  const scaled = (v, units) => {
    for (const [name, factor] of units) if (Math.abs(v) >= factor * 0.9995) return +(v / factor).toPrecision(3) + " " + name;
    const [name, factor] = units[units.length - 1];
    return +(v / factor).toPrecision(3) + " " + name;
  };
  const units = { "B/s": [["TB/s", 1e12], ["GB/s", 1e9], ["MB/s", 1e6], ["kB/s", 1e3], ["B/s", 1]], s: [["s", 1], ["ms", 1e-3], ["µs", 1e-6], ["ns", 1e-9]] };
  // Shares come as 16 bits each, in 1/10000; 0 is none.
  const decode = text => {
    const raw = atob(text), shares = new Uint16Array(raw.length / 2);
    for (let i = 0; i < shares.length; i++) shares[i] = raw.charCodeAt(2 * i) | raw.charCodeAt(2 * i + 1) << 8;
    return shares;
  };
  const channels = colour => {
    const c = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    c.fillStyle = colour;
    c.fillRect(0, 0, 1, 1);
    return c.getImageData(0, 0, 1, 1).data;
  };
  // A colour for each hundredth of a share: red up to half, pale from 95 % to 105 %, blue from 130 % on.
  const palette = () => {
    const late = channels(css("--late")), even = channels(css("--even")), early = channels(css("--early")), list = new Uint32Array(131);
    for (let i = 0; i <= 130; i++) {
      const down = Math.min(1, Math.max(0, (95 - i) / 45)), up = Math.min(1, Math.max(0, (i - 105) / 25));
      const mix = k => even[k] + (late[k] - even[k]) * down + (early[k] - even[k]) * up;
      list[i] = 0xff000000 | mix(2) << 16 | mix(1) << 8 | mix(0);
    }
    return list;
  };
  const left = 110, top = 70;
  const draw = (m, box) => {
    const n = m.ranks.length, room = Math.max(160, box.clientWidth - left - 8), cell = Math.max(1, Math.min(34, Math.floor(room / n)));
    const bin = Math.max(1, Math.ceil(n / room)), side = Math.ceil(n / bin); // a dot shows the worst of its pairs
    const small = document.createElement("canvas");
    small.width = small.height = side;
    const paper = small.getContext("2d"), image = paper.createImageData(side, side), dots = new Uint32Array(image.data.buffer), colours = palette();
    const worst = new Uint16Array(side * side);
    for (let f = 0; f < n; f++) for (let t = 0; t < n; t++) {
      const s = m.shares[f * n + t], at = Math.floor(f / bin) * side + Math.floor(t / bin);
      if (s && (!worst[at] || s < worst[at])) worst[at] = s;
    }
    for (let i = 0; i < worst.length; i++) if (worst[i]) dots[i] = colours[Math.min(130, Math.round(worst[i] / 100))];
    paper.putImageData(image, 0, 0);
    const size = side * cell, ratio = devicePixelRatio || 1, canvas = box.querySelector("canvas");
    canvas.width = (left + size + 2) * ratio;
    canvas.height = (top + size + 2) * ratio;
    canvas.style.width = left + size + 2 + "px";
    canvas.style.height = top + size + 2 + "px";
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.imageSmoothingEnabled = false;
    pen.fillStyle = css("--grid");
    pen.fillRect(left, top, size, size);
    pen.drawImage(small, left, top, size, size);
    pen.strokeStyle = css("--bd");
    pen.strokeRect(left - 0.5, top - 0.5, size + 1, size + 1);
    labels(m, pen, cell / bin, size);
    m.at = (x, y) => {
      const t = Math.floor((x - left) / cell) * bin, f = Math.floor((y - top) / cell) * bin;
      if (x < left || y < top || f >= n || t >= n) return undefined;
      let best = [f, t];
      for (let i = f; i < Math.min(n, f + bin); i++) for (let j = t; j < Math.min(n, t + bin); j++) {
        const s = m.shares[i * n + j];
        if (s && (!m.shares[best[0] * n + best[1]] || s < m.shares[best[0] * n + best[1]])) best = [i, j];
      }
      return best;
    };
  };
  // The hosts' names, as many as there is room for, and lines between them.
  const labels = (m, pen, cell, size) => {
    pen.fillStyle = css("--mut");
    pen.font = "11px system-ui, sans-serif";
    const starts = m.ranks.flatMap((r, i) => (i === 0 || r.host !== m.ranks[i - 1].host ? [i] : []));
    let last = -Infinity;
    for (const i of starts) {
      const at = i * cell;
      if (starts.length < m.ranks.length && cell * (m.ranks.length / starts.length) >= 6 && i > 0) {
        pen.beginPath();
        pen.moveTo(left + at, top); pen.lineTo(left + at, top + size);
        pen.moveTo(left, top + at); pen.lineTo(left + size, top + at);
        pen.stroke();
      }
      if (at - last < 14) continue;
      last = at;
      const text = m.hosts[m.ranks[i].host].slice(0, 16);
      pen.textAlign = "right";
      pen.fillText(text, left - 6, top + at + Math.max(9, Math.min(cell, 34) / 2 + 4));
      pen.save();
      pen.translate(left + at + Math.max(9, Math.min(cell, 34) / 2 + 4), top - 6);
      pen.rotate(-Math.PI / 3);
      pen.textAlign = "left";
      pen.fillText(text.slice(0, 10), 0, 0);
      pen.restore();
    }
  };
  const named = (m, i) => {
    const r = m.ranks[i];
    return "rank " + i + " (" + m.hosts[r.host] + (r.device ? "/" + r.device : "") + (r.nic ? ", " + r.nic : "") + ")";
  };
  const describe = (m, [f, t]) => {
    const share = m.shares[f * m.ranks.length + t] / 1e4, a = m.ranks[f], b = m.ranks[t];
    const head = named(m, f) + " → " + named(m, t);
    if (f === t || !share) return head + ": not measured";
    const reference = m.references[a.host === b.host ? 0 : a.rail === b.rail ? 1 : 2];
    const value = m.unit === "s" ? reference / share : reference * share;
    return head + ": " + scaled(value, units[m.unit]) + ", " + Math.round(100 * share) + " % of its peers";
  };
  const boxes = [...document.querySelectorAll(".matrix")].map(box => {
    const m = JSON.parse(document.querySelector(`script[data-for="${box.id}"]`).textContent);
    m.shares = decode(m.shares);
    const said = box.querySelector(".said"), canvas = box.querySelector("canvas");
    canvas.addEventListener("mousemove", e => {
      const at = m.at(e.offsetX, e.offsetY);
      said.textContent = at ? describe(m, at) : "";
    });
    draw(m, box);
    return [m, box];
  });
  const redraw = () => boxes.forEach(([m, box]) => draw(m, box));
  root.dataset.drawn = String(boxes.length);
  root.dataset.took = String(performance.now() - begun);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("resize", redraw);
  addEventListener("beforeprint", () => { root.dataset.theme = "light"; root.dataset.print = "1"; redraw(); });
  addEventListener("afterprint", () => { delete root.dataset.theme; delete root.dataset.print; redraw(); });
})();
