"use strict";
(() => {
  const SHOWN = 10; // pages that are built at a time
  const SVG = "http://www.w3.org/2000/svg";
  const COLOURS = {
    Title: "#c1121f", NarrativeText: "#1d6fb8", ListItem: "#2a8f5b", Table: "#8a3ffc", Image: "#d1660a",
    FigureCaption: "#b0207e", Header: "#6b7280", Footer: "#6b7280", PageNumber: "#6b7280", Formula: "#00838f",
    CodeSnippet: "#5d4037", UncategorizedText: "#7a7a00",
  };
  const index = JSON.parse(document.getElementById("index").textContent);
  const byId = (id) => document.getElementById(id);
  const parts = new Map(); // "source/part" -> promise of its pages
  const arriving = new Map();
  const hidden = new Set();
  const texts = new Map(); // "source/page" -> what can be searched, in lower case
  let filters = {};

  function make(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined) node.setAttribute(name, value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }
  const colour = (category) => COLOURS[category] || "#555555";
  const percent = (share) => (share === null ? "" : `${(share * 100).toFixed(1)} % of its text kept`);
  const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

  // --- data ---------------------------------------------------------------------------------------

  // A part of a source's pages stands in this file, or in a script beside it that hands it over here.
  window.pinciteReport = (key, pages) => {
    const ready = arriving.get(key);
    if (ready) ready(pages);
  };

  function load(source, number) {
    const key = `${source.id}/${number}`;
    if (!parts.has(key)) parts.set(key, fetchPart(source, number, key));
    return parts.get(key);
  }

  function fetchPart(source, number, key) {
    const inline = byId(`part-${source.id}-${number}`);
    if (inline) return Promise.resolve(JSON.parse(inline.textContent)).then((pages) => remember(source, pages));
    return new Promise((resolve, reject) => {
      arriving.set(key, resolve);
      const script = make("script", { src: `${index.files}/${source.id}-${number}.js` });
      script.onerror = () => reject(new Error(`${index.files} is not beside this page`));
      document.head.append(script);
    }).then((pages) => remember(source, pages));
  }

  function remember(source, pages) {
    for (const page of pages) {
      const all = page.elements.flatMap((e) => [e.text, e.summary || "", ...(e.cells || []).map((cell) => cell[5])]);
      texts.set(`${source.id}/${page.page}`, all.join("\n").toLowerCase());
    }
    return pages;
  }

  async function pageData(source, page) {
    const found = await load(source, page.part);
    return found.find((one) => one.page === page.page);
  }

  // --- filters ------------------------------------------------------------------------------------

  function readFilters() {
    const kept = byId("kept").value;
    return {
      state: byId("state").value,
      category: byId("category").value,
      tier: byId("tier").value,
      kept: kept === "" ? null : Number(kept) / 100,
      words: byId("words").value.trim().toLowerCase(),
    };
  }

  const pageFilters = () => filters.category || filters.tier || filters.kept !== null || filters.words;

  function matches(source, page) {
    if (filters.category && !page.counts[filters.category]) return false;
    if (filters.tier && page.tier !== filters.tier) return false;
    if (filters.kept !== null && !(page.kept !== null && page.kept < filters.kept)) return false;
    if (!filters.words || source.path.toLowerCase().includes(filters.words)) return true;
    return (texts.get(`${source.id}/${page.page}`) || "").includes(filters.words);
  }

  function matchingPages(source) {
    if (filters.state && source.state !== filters.state) return null;
    const pages = source.pages.filter((page) => matches(source, page));
    if (pages.length || !pageFilters()) return pages;
    const named = filters.words && !filters.category && !filters.tier && filters.kept === null;
    return named && source.path.toLowerCase().includes(filters.words) ? pages : null;
  }

  let turn = 0;
  async function apply() {
    const own = ++turn;
    filters = readFilters();
    if (filters.words) await loadAll(own);
    if (own !== turn) return;
    let sources = 0;
    let pages = 0;
    for (const source of index.sources) {
      const found = matchingPages(source);
      source.node.hidden = found === null;
      sources += found === null ? 0 : 1;
      pages += found === null ? 0 : found.filter((page) => page.page).length;
      source.shown = found || [];
      if (source.node.open) fill(source);
    }
    byId("found").textContent = `${plural(sources, "source")}, ${plural(pages, "page")}`;
  }

  async function loadAll(own) {
    let done = 0;
    for (const source of index.sources) {
      for (const number of new Set(source.pages.map((page) => page.part))) {
        if (own !== turn) return;
        byId("found").textContent = `reading ${plural(++done, "part")}\u2026`;
        try {
          await load(source, number);
        } catch (error) {
          byId("found").textContent = error.message;
          return;
        }
      }
    }
  }

  // --- sources ------------------------------------------------------------------------------------

  function addSource(source) {
    const facts = [
      source.pages.length ? plural(source.pages.filter((p) => p.page).length || 0, "page") : null,
      source.lost.length ? plural(source.lost.length, "warning") : null,
      source.seconds ? `${source.seconds.toFixed(2)} s` : null,
      source.kept === null ? null : percent(source.kept),
    ].filter((fact) => fact && !fact.startsWith("0 page"));
    const summary = make(
      "summary", {},
      make("span", { class: "path" }, source.path),
      make("span", { class: `state ${source.state}` }, source.state),
      ...facts.map((fact) => make("span", { class: "fact" }, fact)),
      source.reason ? make("span", { class: "note" }, source.reason) : null,
    );
    source.node = make("details", { class: "source", id: source.anchor }, summary);
    source.shown = source.pages;
    source.node.addEventListener("toggle", () => source.node.open && fill(source));
    byId("sources").append(source.node);
  }

  function fill(source) {
    source.node.querySelector(".inside")?.remove();
    const inside = make("div", { class: "inside" });
    if (source.lost.length) {
      inside.append(make("ul", { class: "warnings" }, ...source.lost.map((text) => make("li", {}, text))));
    }
    if (source.undrawn) inside.append(make("p", { class: "note" }, source.undrawn));
    if (source.left) inside.append(make("p", { class: "note" }, `${plural(source.left, "more page")} left out of this report`));
    source.node.append(inside);
    showMore(source, inside, 0);
  }

  function showMore(source, inside, start) {
    for (const page of source.shown.slice(start, start + SHOWN)) inside.append(addPage(source, page));
    const left = source.shown.length - start - SHOWN;
    if (left <= 0) return;
    const more = make("button", { type: "button", class: "more" }, `Show more (${plural(left, "page")} left)`);
    const go = () => {
      watcher.disconnect();
      more.remove();
      showMore(source, inside, start + SHOWN);
    };
    const watcher = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && go(), { rootMargin: "400px" });
    more.addEventListener("click", go);
    inside.append(more);
    watcher.observe(more);
  }

  // --- pages --------------------------------------------------------------------------------------

  function addPage(source, page) {
    const facts = [page.tier && `read by: ${page.tier}`, page.reasons.join(", "), percent(page.kept), page.ms ? `${page.ms} ms` : null];
    const title = page.page ? `Page ${page.page}` : "Outline";
    const node = make(
      "article", { class: page.width ? "page" : "page outline", "aria-label": `${title} of ${source.path}` },
      make("header", {}, make("h2", {}, title), ...facts.filter(Boolean).map((fact) => make("span", { class: "fact" }, fact))),
    );
    pageData(source, page).then(
      (data) => node.append(...drawPage(source, page, data)),
      (error) => node.append(make("p", { class: "note" }, error.message)),
    );
    return node;
  }

  function drawPage(source, page, data) {
    const items = data.elements.map((element, i) => addElement(element, i + 1));
    const list = make("ol", { class: "elements", "aria-label": "Elements in reading order" }, ...items);
    return page.width ? [drawSheet(source, page, data, items), list] : [list];
  }

  function drawSheet(source, page, data, items) {
    const sheet = make("div", { class: "sheet" });
    sheet.style.aspectRatio = `${page.width} / ${page.height}`;
    if (data.picture) {
      sheet.append(make("img", { src: data.picture, alt: `Page ${page.page} of ${source.path}`, loading: "lazy", decoding: "async" }));
    }
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${page.width} ${page.height}`);
    svg.setAttribute("aria-hidden", "true");
    data.elements.forEach((element, i) => element.boxes.forEach((box, k) => addBox(svg, element, box, k ? null : i + 1, items[i])));
    sheet.append(svg);
    return sheet;
  }

  function addBox(svg, element, [x0, y0, x1, y1], number, item) {
    const group = document.createElementNS(SVG, "g");
    const rect = document.createElementNS(SVG, "rect");
    const shade = colour(element.category);
    for (const [name, value] of Object.entries({ x: x0, y: y0, width: x1 - x0, height: y1 - y0, fill: shade, stroke: shade })) {
      rect.setAttribute(name, value);
    }
    group.dataset.category = element.category;
    group.style.display = hidden.has(element.category) ? "none" : "";
    group.append(rect);
    if (number !== null) {
      const label = document.createElementNS(SVG, "text");
      label.setAttribute("x", Math.max(1, x0 - 4));
      label.setAttribute("y", Math.max(8, y0 + 3));
      label.setAttribute("fill", shade);
      label.textContent = number;
      group.append(label);
    }
    const light = (on) => [rect, item].forEach((node) => node.classList.toggle("on", on));
    for (const node of [rect, item]) {
      node.addEventListener("mouseenter", () => light(true));
      node.addEventListener("mouseleave", () => light(false));
    }
    item.addEventListener("focus", () => light(true));
    item.addEventListener("blur", () => light(false));
    rect.addEventListener("click", () => item.focus());
    svg.append(group);
  }

  // --- elements -----------------------------------------------------------------------------------

  function addElement(element, number) {
    const sure = element.confidence === null || !element.text ? "" : ` \u00b7 read with ${Math.round(element.confidence * 100)} % confidence`;
    const from = element.continued ? ` \u00b7 goes on from page ${element.continued}` : "";
    const item = make("li", { tabindex: "0", class: element.category.toLowerCase() });
    item.dataset.category = element.category;
    item.style.borderColor = colour(element.category);
    item.append(make("span", { class: "chip" }, `${number} ${element.category}${sure}${from}`));
    if (element.cells && element.cells.length) item.append(make("div", { class: "table" }, addTable(element.cells)));
    else if (element.text) item.append(marked(element.text));
    if (element.picture) item.append(make("img", { src: element.picture, alt: element.text || "picture", loading: "lazy" }));
    if (element.summary) item.append(make("p", { class: "said" }, `A model describes it: ${element.summary}`));
    return item;
  }

  function marked(text) {
    const words = filters.words;
    const node = make("p");
    let at = 0;
    const low = words ? text.toLowerCase() : "";
    for (let found = words ? low.indexOf(words) : -1; found >= 0; found = low.indexOf(words, at)) {
      node.append(text.slice(at, found), make("mark", {}, text.slice(found, found + words.length)));
      at = found + words.length;
    }
    node.append(text.slice(at));
    return node;
  }

  function addTable(cells) {
    const table = make("table");
    const rows = new Map();
    for (const [row, , rowspan, colspan, header, text] of cells) {
      if (!rows.has(row)) rows.set(row, table.appendChild(make("tr")));
      const spans = { rowspan: rowspan > 1 ? rowspan : null, colspan: colspan > 1 ? colspan : null };
      rows.get(row).append(make(header ? "th" : "td", spans, text));
    }
    return table;
  }

  // --- the page -----------------------------------------------------------------------------------

  function addLegend() {
    const legend = byId("legend");
    for (const category of index.categories) {
      const swatch = make("span", { class: "swatch" });
      swatch.style.borderColor = colour(category);
      swatch.style.background = `${colour(category)}33`;
      legend.append(toggle(category, (on) => {
        hidden[on ? "delete" : "add"](category);
        for (const box of document.querySelectorAll(".sheet g")) {
          if (box.dataset.category === category) box.style.display = on ? "" : "none";
        }
      }, swatch));
    }
    legend.append(toggle("reading order", (on) => document.body.classList.toggle("no-order", !on)));
  }

  function toggle(name, act, swatch = null) {
    const box = make("input", { type: "checkbox", checked: "" });
    box.addEventListener("change", () => act(box.checked));
    return make("label", {}, box, swatch, name);
  }

  function addChoices(id, values) {
    byId(id).append(...values.map((value) => make("option", { value }, value)));
  }

  function start() {
    byId("about").textContent = `${index.library}, ${index.made}`;
    for (const [name, value] of index.totals) byId("totals").append(make("div", {}, make("dt", {}, name), make("dd", {}, value)));
    addChoices("state", index.states);
    addChoices("category", index.categories);
    addChoices("tier", index.tiers);
    addLegend();
    index.sources.forEach(addSource);
    const form = byId("filters");
    let waiting = null;
    form.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(apply, 150);
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(apply));
    apply();
    const named = location.hash && byId(location.hash.slice(1));
    if (named && named.tagName === "DETAILS") named.open = true;
    else if (index.sources.length === 1) index.sources[0].node.open = true;
  }

  start();
})();
