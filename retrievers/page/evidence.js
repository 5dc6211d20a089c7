// The evidence: the page with the quoted words marked, the table, the figure, the text.

import { $, announce, cellAt, h, tableFrom } from "./dom.js";
import { getJSON, picture } from "./server.js";

const CHUNKS_KEPT = 50;
const chunks = new Map();
const state = { opener: null, all: [], at: 0, turn: 0 };
const covering = matchMedia("(max-width: 1180px)");

export const evidenceIsOpen = () => !$("evidence").hidden;

export function startEvidence() {
  $("evidence-close").onclick = closeEvidence;
  $("previous").onclick = () => step(-1);
  $("next").onclick = () => step(1);
  $("zoom").onclick = () => {
    const large = $("evidence").classList.toggle("large");
    $("zoom").setAttribute("aria-pressed", String(large));
    $("evidence-body").querySelector(".mark")?.scrollIntoView({ block: "center", inline: "center" });
  };
  covering.addEventListener("change", cover);
}

export function closeEvidence() {
  if (!evidenceIsOpen()) return;
  $("evidence").hidden = true;
  document.body.classList.remove("evidence-open");
  pressed(null);
  cover();
  const opener = state.opener;
  state.opener = null;
  if (opener?.isConnected) opener.focus();
}

export function showCitation(citation, all, opener) {
  state.all = all;
  state.at = all.indexOf(citation);
  show(citation, opener);
}

export function showHit(hit, opener) {
  state.all = [];
  show({ ...hit, quote: null, cell: null }, opener);
}

function step(by) {
  const next = state.all[state.at + by];
  if (!next) return;
  state.at += by;
  show(next, null);
}

async function show(cited, opener) {
  const turn = (state.turn += 1);
  if (opener) state.opener = opener;
  open(cited);
  let chunk;
  try {
    chunk = await chunkOf(cited.chunk_id);
  } catch (problem) {
    if (turn === state.turn) $("evidence-body").replaceChildren(h("p", { className: "problem", textContent: problem.message }));
    return;
  }
  if (turn !== state.turn) return;
  const parts = [...sheets(cited, chunk), figure(chunk), table(cited, chunk), text(cited, chunk)];
  $("evidence-body").replaceChildren(...parts.filter(Boolean));
  announce(`Showing ${$("evidence-title").textContent}, ${$("evidence-where").textContent}`);
}

function open(cited) {
  $("evidence").hidden = false;
  document.body.classList.add("evidence-open");
  cover();
  $("evidence-title").textContent = cited.doc;
  const page = cited.page ? `Page ${cited.page}` : null;
  $("evidence-where").textContent = [page, ...cited.title_path.slice(-2)].filter(Boolean).join(" › ");
  $("evidence-body").replaceChildren(h("p", { className: "working", textContent: "Drawing the page" }));
  $("previous").disabled = state.at <= 0;
  $("next").disabled = state.at >= state.all.length - 1;
  for (const id of ["previous", "next"]) $(id).hidden = state.all.length < 2;
  pressed(cited.citation_id);
  $("evidence-title").focus({ preventScroll: true });
}

/** On narrow screens the evidence covers the rest, which then cannot be reached. */
function cover() {
  $("main").inert = evidenceIsOpen() && covering.matches;
}

function pressed(citation) {
  for (const chip of document.querySelectorAll("[data-citation]")) {
    chip.classList.toggle("current", citation !== null && chip.dataset.citation === citation);
  }
}

async function chunkOf(id) {
  if (!chunks.has(id)) {
    chunks.set(id, await getJSON(`/api/chunks/${id}`));
    if (chunks.size > CHUNKS_KEPT) chunks.delete(chunks.keys().next().value);
  }
  return chunks.get(id);
}

// --- the page

function sheets(cited, chunk) {
  const marked = [...new Set(cited.boxes.map((box) => box.page))];
  const wanted = chunk.pages.filter((p) => p.url && (marked.length ? marked.includes(p.page) : p.page === cited.page));
  return wanted.slice(0, 3).map((page) => sheet(page, cited, cited.boxes.filter((box) => box.page === page.page)));
}

function sheet(page, cited, boxes) {
  const made = h("figure", { className: "sheet" });
  made.style.aspectRatio = `${page.width} / ${page.height}`;
  picture(page.url).then((src) => {
    const image = h("img", { src, alt: `Page ${page.page} of ${cited.doc}` });
    image.onload = () => made.querySelector(".mark")?.scrollIntoView({ block: "center", inline: "nearest" });
    made.replaceChildren(image, ...boxes.map(({ box }) => mark(box, page)));
  }, (problem) => {
    made.replaceWith(h("p", { className: "problem", textContent: problem.message }));
  });
  return made;
}

function mark([x0, y0, x1, y1], page) {
  const made = h("span", { className: "mark", "aria-hidden": "true" });
  made.style.left = `${(100 * x0) / page.width}%`;
  made.style.top = `${(100 * y0) / page.height}%`;
  made.style.width = `${(100 * (x1 - x0)) / page.width}%`;
  made.style.height = `${(100 * (y1 - y0)) / page.height}%`;
  return made;
}

// --- what stands there

function part(title, ...children) {
  return h("section", { className: "part" }, h("h3", { textContent: title }), ...children);
}

function figure(chunk) {
  if (!chunk.image_url) return null;
  const holder = h("div", { className: "picture" });
  picture(chunk.image_url).then(
    (src) => holder.replaceChildren(h("img", { src, alt: chunk.described_by_model ?? chunk.text })),
    (problem) => holder.replaceChildren(problem.message),
  );
  const described = chunk.described_by_model
    ? h("p", { className: "muted", textContent: `Described by a model, not the document: ${chunk.described_by_model}` }) : null;
  return part("Figure", holder, described);
}

function table(cited, chunk) {
  const made = chunk.text_as_html ? tableFrom(chunk.text_as_html) : null;
  if (!made) return null;
  const cell = cited.cell ? cellAt(made, cited.cell.row, cited.cell.column) : null;
  if (cell && (cited.quote ?? "").includes(cell.textContent.trim())) cell.classList.add("marked");
  return part("Table", h("div", { className: "table-scroll", tabIndex: 0, role: "group", "aria-label": "Table" }, made));
}

function text(cited, chunk) {
  if (chunk.kind === "image" && !chunk.text) return null;
  const at = cited.quote ? chunk.text.indexOf(cited.quote) : -1;
  const body = h("div", { className: "chunk-text" });
  if (at < 0) body.append(chunk.text);
  else {
    body.append(chunk.text.slice(0, at), h("mark", { textContent: cited.quote }), chunk.text.slice(at + cited.quote.length));
  }
  return part("Text", body);
}
