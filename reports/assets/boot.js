"use strict";
(() => {
  const root = document.documentElement;
  const css = name => getComputedStyle(root).getPropertyValue(name).trim();
  const digits = v => +v.toPrecision(3);
  const scaled = (v, units) => {
    for (const [name, factor] of units) if (Math.abs(v) >= factor * 0.9995) return digits(v / factor) + " " + name;
    const [name, factor] = units[units.length - 1];
    return v === 0 ? "0" : digits(v / factor) + " " + name;
  };
  const element = (tag, text, name) => {
    const e = document.createElement(tag);
    if (text !== undefined) e.textContent = text;
    if (name) e.className = name;
    return e;
  };
  // Tooltips are built from text nodes: what a host is called is never read as HTML.
  const tip = (head, items) => {
    const box = element("div", undefined, "tip");
    box.append(element("div", head, "key"));
    for (const p of items) {
      if (!p.data || p.data.tip === undefined) continue;
      const row = element("div"), dot = element("i");
      dot.style.background = typeof p.color === "string" ? p.color : css("--fg");
      row.append(dot);
      if (items.length > 1 || p.seriesType === "line") row.append(element("b", p.seriesName));
      row.append(p.data.tip);
      box.append(row);
    }
    return box;
  };
  const bytes = v => scaled(v, [["TiB", 2 ** 40], ["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 1024], ["B", 1]]);
  const functions = {
    bytes,
    rate: v => scaled(v, [["TB/s", 1e12], ["GB/s", 1e9], ["MB/s", 1e6], ["kB/s", 1e3], ["B/s", 1]]),
    time: v => scaled(v, [["s", 1], ["ms", 1e-3], ["µs", 1e-6], ["ns", 1e-9]]),
    times: v => digits(v) + "×",
    short: p => (typeof p.value === "number" ? String(digits(p.value)) : ""),
    cell: p => { const v = p.value[2]; return Math.abs(v) < 0.05 ? "0" : (v > 0 ? "+" : "−") + Math.abs(v).toFixed(1); },
    sizeTip: ps => tip(bytes(ps[0].axisValue), ps),
    barTip: ps => tip(ps[0].name.replace("\n", ": "), ps.slice(0, 1)),
    itemTip: p => tip(p.name, [p]),
    band: (params, api) => {
      const at = i => api.coord([api.value(i), api.value(i + 1)]), top = i => api.coord([api.value(i), api.value(i + 2)]);
      return { type: "polygon", shape: { points: [at(0), at(3), top(3), top(0)] }, style: { fill: api.visual("color"), opacity: 0.22 } };
    },
    whisker: (params, api) => {
      const a = api.coord([api.value(0), api.value(2)]), b = api.coord([api.value(1), api.value(2)]), h = 6, stroke = css("--fg");
      const stick = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke, lineWidth: 1.6 } });
      return { type: "group", children: [stick(a[0], a[1], b[0], b[1]), stick(a[0], a[1] - h, a[0], a[1] + h), stick(b[0], b[1] - h, b[0], b[1] + h)] };
    },
  };
  // Options are data: "css:--name" becomes a colour of the page, "fn:name" one of the functions above.
  const revive = (key, v) => {
    if (typeof v !== "string") return v;
    if (/^css:--\w+$/.test(v)) return css(v.slice(4));
    if ((key === "formatter" || key === "renderItem") && v.startsWith("fn:") && Object.hasOwn(functions, v.slice(3))) return functions[v.slice(3)];
    return v;
  };
  const theme = () => {
    const axis = {
      axisLine: { lineStyle: { color: css("--bd") } }, axisTick: { lineStyle: { color: css("--bd") } },
      axisLabel: { color: css("--mut") }, splitLine: { lineStyle: { color: css("--grid") } }, nameTextStyle: { color: css("--mut") },
    };
    return {
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: css("--fg") },
      legend: { textStyle: { color: css("--fg") }, inactiveColor: css("--bd"), itemWidth: 18, itemHeight: 10 },
      tooltip: { backgroundColor: css("--bg"), borderColor: css("--bd"), textStyle: { color: css("--fg") }, confine: true },
      toolbox: { iconStyle: { borderColor: css("--mut") } },
      visualMap: { textStyle: { color: css("--mut") } },
      axisPointer: { lineStyle: { color: css("--mut") }, shadowStyle: { color: css("--grid"), opacity: 0.6 } },
      categoryAxis: axis, valueAxis: axis, logAxis: axis,
    };
  };
  const charts = new Map();
  let drawn = 0;
  const draw = el => {
    const option = JSON.parse(document.querySelector(`script[data-for="${el.id}"]`).textContent, revive);
    charts.get(el)?.dispose();
    const cells = option.series[0].type === "heatmap" ? option.series[0].data.length : 0;
    const chart = echarts.init(el, theme(), { renderer: cells > 2000 ? "canvas" : "svg" });
    charts.set(el, chart);
    if (option.group) { chart.group = option.group; delete option.group; }
    option.backgroundColor = "transparent";
    chart.on("finished", () => {
      if (el.dataset.done) return;
      el.dataset.done = "1";
      root.dataset.drawn = String(++drawn);
    });
    chart.setOption(option);
  };
  const elements = [...document.querySelectorAll(".chart")];
  const redraw = () => elements.forEach(draw);
  redraw();
  echarts.connect("sizes");
  const resized = new ResizeObserver(entries => {
    for (const { target } of entries) charts.get(target)?.resize();
  });
  elements.forEach(e => resized.observe(e));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("beforeprint", () => {
    root.dataset.theme = "light";
    root.dataset.print = "1";
    document.querySelectorAll("details").forEach(d => { d.open = true; });
    redraw();
  });
  addEventListener("afterprint", () => {
    delete root.dataset.theme;
    delete root.dataset.print;
    redraw();
  });
})();
