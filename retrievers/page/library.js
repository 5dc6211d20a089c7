// The library: its documents and their states, adding documents, and how that goes.

import { keepTo } from "./chat.js";
import { $, announce, counted, h } from "./dom.js";
import { events, getJSON, readFolder, upload } from "./server.js";

const PAGE = 100;
const SHOWN_STATES = { failed: "failed", partial: "partly read", skipped: "not read" };
let limits = { bytes: 0, files: 0 };
let shown = [];
let scoped = null;

export function startLibrary(health) {
  limits = { bytes: health.max_upload_bytes, files: health.max_upload_files };
  $("folders").replaceChildren(...health.folders.map(({ folder, path }) => h("button", {
    type: "button", className: "text-button", textContent: `Read folder ${path}`,
    onclick: () => run(`Reading ${path}`, () => readFolder(folder)),
  })));
  let typing = 0;
  $("filter").oninput = () => {
    clearTimeout(typing);
    typing = setTimeout(refreshSources, 150);
  };
  $("more").onclick = () => list(shown.length);
  $("files").onchange = () => {
    add([...$("files").files]);
    $("files").value = "";
  };
  startDrop();
  document.addEventListener("scope", (changed) => setScope(changed.detail));
  refreshSources();
}

export async function refreshSources() {
  shown = [];
  await list(0);
}

async function list(offset) {
  const asked = new URLSearchParams({ q: $("filter").value, offset, limit: PAGE });
  let found;
  try {
    found = await getJSON(`/api/sources?${asked}`);
  } catch (problem) {
    $("sources-count").textContent = problem.message;
    return;
  }
  shown = offset ? [...shown, ...found.sources] : found.sources;
  $("sources-count").textContent = found.total.toLocaleString("en");
  $("sources").replaceChildren(...shown.map(row));
  $("more").hidden = shown.length >= found.total;
  if (found.total && !offset) $("empty-note").textContent ||= "";
}

function row(source) {
  const name = source.path.split("/").at(-1);
  const state = SHOWN_STATES[source.state];
  const details = [source.reason, ...source.warnings].filter(Boolean);
  const kind = name.includes(".") ? name.split(".").at(-1).slice(0, 4) : "web";
  const facts = [source.pages ? counted(source.pages, "page") : source.chunks ? counted(source.chunks, "passage") : null, state];
  return h("li", { className: `source ${source.state}` },
    h("button", {
      type: "button", className: "source-name", title: source.path, disabled: !source.source,
      "aria-pressed": String(scoped === source.path), onclick: () => setScope(scoped === source.path ? null : source),
    },
    h("span", { className: "kind", "aria-hidden": "true", textContent: kind }),
    h("span", { className: "source-text" },
      h("span", { className: "name", textContent: name }),
      h("span", { className: "facts", textContent: facts.filter(Boolean).join(", ") }))),
    details.length ? h("details", { className: "why" },
      h("summary", { textContent: source.state === "failed" || source.state === "skipped" ? "Why" : counted(details.length, "note") }),
      h("ul", {}, ...details.map((line) => h("li", { textContent: line })))) : null);
}

function setScope(source) {
  scoped = source?.path ?? null;
  keepTo(source?.path.split("/").at(-1), scoped);
  for (const button of $("sources").querySelectorAll(".source-name")) {
    button.setAttribute("aria-pressed", String(button.title === scoped));
  }
}

// --- adding

function startDrop() {
  let inside = 0;
  const hasFiles = (drag) => [...(drag.dataTransfer?.types ?? [])].includes("Files");
  const shade = (on) => document.body.classList.toggle("dropping", on);
  addEventListener("dragenter", (drag) => { if (hasFiles(drag)) { inside += 1; shade(true); } });
  addEventListener("dragleave", (drag) => { if (hasFiles(drag) && (inside -= 1) <= 0) { inside = 0; shade(false); } });
  addEventListener("dragover", (drag) => { if (hasFiles(drag)) drag.preventDefault(); });
  addEventListener("drop", (drop) => {
    if (!hasFiles(drop)) return;
    drop.preventDefault();
    inside = 0;
    shade(false);
    add([...drop.dataTransfer.files]);
  });
}

/** Files in as few uploads as the server takes. */
function* bundles(files) {
  let bundle = [];
  let bytes = 0;
  for (const file of files) {
    if (bundle.length && (bundle.length >= limits.files || bytes + file.size > limits.bytes)) {
      yield bundle;
      [bundle, bytes] = [[], 0];
    }
    bundle.push(file);
    bytes += file.size;
  }
  if (bundle.length) yield bundle;
}

async function add(files) {
  for (const bundle of bundles(files)) {
    const name = bundle.length === 1 ? bundle[0].name : counted(bundle.length, "file");
    await run(name, (sent) => upload(bundle, sent));
  }
}

async function run(name, begin) {
  const job = jobRow(name);
  try {
    const { job: id } = await begin((share) => job.show(`Sending ${name}`, share));
    job.show(`Waiting to read ${name}`, null);
    for await (const { name: kind, data } of events(`/api/ingest/${id}`)) {
      if (kind === "progress") job.show(...standing(name, data));
      else if (kind === "source") job.result(data);
      else if (kind === "done") job.done(data);
    }
  } catch (problem) {
    job.fail(problem.message);
  }
  refreshSources();
}

function standing(name, now) {
  if (now.state === "waiting") return [`Waiting to read ${name}`, null];
  const share = now.total ? now.done / now.total : null;
  return [now.path ? `Reading ${now.path}` : `Reading ${name}`, share];
}

function jobRow(name) {
  const said = h("span", { className: "job-said", textContent: `Sending ${name}` });
  const bar = h("progress", { max: 1, value: 0, "aria-label": `Adding ${name}` });
  const results = h("ul", { className: "job-results" });
  const made = h("li", { className: "job" }, said, bar, results);
  const close = () => bar.replaceWith(h("button", {
    type: "button", className: "text-button", textContent: "Dismiss", onclick: () => made.remove(),
  }));
  $("jobs").prepend(made);
  announce(`Adding ${name}`);
  return {
    show(text, share) {
      said.textContent = text;
      if (share === null) bar.removeAttribute("value");
      else bar.value = share;
    },
    result(found) {
      if (found.state === "ingested" || found.state === "unchanged") return;
      results.append(h("li", { textContent: `${found.path.split("/").at(-1)}: ${found.reason ?? found.state}` }));
    },
    done(job) {
      const { ingested, unchanged, failed, skipped, partial, removed } = job.summary;
      const parts = [[ingested + partial, "added"], [unchanged, "already there"], [removed, "removed"], [failed + skipped, "not read"]];
      said.textContent = job.error ?? (parts.filter(([n]) => n).map(([n, what]) => `${n} ${what}`).join(", ") || "Nothing to do");
      made.classList.add(job.error || failed ? "bad" : "good");
      close();
      announce(`${name}: ${said.textContent}`);
    },
    fail(message) {
      said.textContent = `${name}: ${message}`;
      made.classList.add("bad");
      close();
      announce(said.textContent);
    },
  };
}
