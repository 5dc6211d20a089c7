// The conversation: questions, streamed replies, answers with their citations.

import { $, announce, counted, h } from "./dom.js";
import { closeEvidence, showCitation, showHit } from "./evidence.js";
import { ask, getJSON, isWidget, picture, Refused, store } from "./server.js";

const NEAREST = 3;
const SNIPPET = 220;
let asking = null; // what aborts the question that is being answered
let scope = null; // the document that questions keep to

export const session = {
  id: store.get("session"),
  secret: store.get("secret"),
  keep(answer) {
    if (answer.session) store.set("session", (this.id = answer.session));
    if (answer.session_secret) store.set("secret", (this.secret = answer.session_secret));
  },
  forget() {
    this.id = this.secret = null;
    store.drop("session");
    store.drop("secret");
  },
};

export function startChat(health) {
  const { sources, chunks } = health.library;
  $("empty-note").textContent = sources
    ? `${counted(sources, "document")}, ${counted(chunks, "passage")}.`
    : isWidget ? "" : "The library is empty: add documents to begin.";
  $("ask").onsubmit = (submit) => {
    submit.preventDefault();
    if (asking) asking.abort();
    else send();
  };
  const field = $("question");
  field.onkeydown = (key) => {
    if (key.key === "Enter" && !key.shiftKey && !key.isComposing) {
      key.preventDefault();
      send();
    }
  };
  field.oninput = grow;
  field.disabled = $("send").disabled = false; // until now nothing would have sent what was typed
  if (session.id && session.secret) restore();
  if (!matchMedia("(pointer: coarse)").matches) field.focus();
}

export function newConversation() {
  asking?.abort();
  session.forget();
  closeEvidence();
  $("log").replaceChildren();
  $("empty").hidden = false;
  announce("New conversation");
}

/** Keep questions to one document, or to none. */
export function keepTo(doc, path) {
  scope = path ?? null;
  $("scope").hidden = !scope;
  $("scope").replaceChildren();
  if (!scope) return;
  $("scope").append(
    h("span", {}, "Only in ", h("b", { textContent: doc })),
    h("button", {
      type: "button", className: "text-button", textContent: "All documents",
      onclick: () => { document.dispatchEvent(new CustomEvent("scope", { detail: null })); $("question").focus(); },
    }),
  );
}

const literal = (glob) => glob.replace(/[[*?]/g, "[$&]");

function grow() {
  const field = $("question");
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, innerHeight * 0.4)}px`;
}

async function restore() {
  try {
    const kept = await getJSON(`/api/sessions/${session.id}`, { "x-session-secret": session.secret });
    for (const turn of kept.turns) {
      const shown = begin(turn.question);
      finish(shown, turn.answer);
    }
  } catch (problem) {
    if (problem instanceof Refused && problem.status === 404) session.forget();
  }
}

async function send() {
  const field = $("question");
  const question = field.value.trim();
  if (!question || asking) return;
  field.value = "";
  grow();
  const shown = begin(question);
  announce("Looking through the documents");
  asking = new AbortController();
  working(true);
  const body = { question, user_id: isWidget ? "widget" : "page" };
  if (session.id) body.session_id = session.id;
  if (scope) body.doc = literal(scope);
  try {
    await follow(shown, ask(body, session.secret, asking.signal));
  } catch (problem) {
    if (problem.name === "AbortError") shown.body.replaceChildren(h("p", { className: "muted", textContent: "Stopped." }));
    else fail(shown, problem);
    if (problem.status === 404) session.forget();
  } finally {
    asking = null;
    working(false);
    shown.article.removeAttribute("aria-busy");
  }
}

function working(on) {
  $("send").classList.toggle("stop", on);
  $("send").setAttribute("aria-label", on ? "Stop" : "Ask");
}

async function follow(shown, stream) {
  for await (const { name, data } of stream) {
    if (name === "token") draft(shown, data.text);
    else if (name === "answer") {
      session.keep(data);
      finish(shown, data);
      const found = data.found ? `Answer with ${counted(data.citations.length, "citation")}` : "Nothing found";
      announce(found);
      return;
    } else if (name === "error") throw new Refused(0, data.error);
  }
  throw new Refused(0, "The answer broke off.");
}

// --- one turn

function begin(question) {
  $("empty").hidden = true;
  const body = h("div", { className: "answer" }, h("p", { className: "working" }, "Looking through the documents"));
  const article = h("article", { className: "turn", "aria-busy": "true" },
    h("h3", { className: "asked", textContent: question }), body);
  $("log").append(article);
  article.scrollIntoView({ block: "start" });
  return { article, body, draft: null };
}

function draft(shown, text) {
  if (!shown.draft) {
    shown.draft = h("p", { className: "draft" });
    shown.body.replaceChildren(
      h("p", { className: "working", textContent: "Written by the model, not checked yet" }),
      h("div", { "aria-hidden": "true" }, shown.draft),
    );
  }
  shown.draft.append(text);
}

function fail(shown, problem) {
  shown.body.replaceChildren(h("p", { className: "problem", role: "alert", textContent: problem.message }));
}

function finish(shown, answer) {
  shown.article.removeAttribute("aria-busy");
  shown.body.replaceChildren(
    ...prose(answer),
    ...[computation(answer.computation, answer), cards(answer.records), clarify(answer.clarify), citations(answer),
      nearest(answer), unsupported(answer.unsupported), notes(answer)].filter(Boolean),
  );
}

function prose(answer) {
  if (!answer.found) {
    return [h("p", { className: "not-found", textContent: "Not found in these documents." })];
  }
  return answer.answer.split("\n").filter((line) => line.trim()).map((line) => {
    const made = h("p", { className: "said" });
    for (const part of line.split(/(\[\d+\])/)) {
      const citation = /^\[\d+\]$/.test(part) && answer.citations.find((c) => `[${c.number}]` === part);
      made.append(citation ? chip(citation, answer) : part);
    }
    return made;
  });
}

function where(citation) {
  return citation.page ? `${citation.doc}, page ${citation.page}` : citation.doc;
}

function chip(citation, answer) {
  return h("button", {
    type: "button", className: "chip", textContent: citation.number,
    title: where(citation), "aria-label": `Citation ${citation.number}: ${where(citation)}`,
    "data-citation": citation.citation_id,
    onclick: (click) => showCitation(citation, answer.citations, click.currentTarget),
  });
}

function cut(text) {
  const plain = text.replace(/\s+/g, " ").trim();
  return plain.length > SNIPPET ? `${plain.slice(0, SNIPPET)}…` : plain;
}

function citations(answer) {
  if (!answer.citations.length) return null;
  const rows = answer.citations.map((c) => h("li", {},
    h("button", {
      type: "button", className: "citation", "data-citation": c.citation_id,
      onclick: (click) => showCitation(c, answer.citations, click.currentTarget),
    },
    h("span", { className: "number", textContent: c.number }),
    h("span", { className: "citation-text" },
      h("span", { className: "citation-where" },
        h("b", { textContent: c.doc }), c.page ? ` p. ${c.page}` : null,
        c.title_path.length ? h("span", { className: "muted", textContent: ` ${c.title_path.at(-1)}` }) : null,
        c.verified ? null : h("span", { className: "badge", textContent: "not word for word" })),
      h("q", { textContent: cut(c.quote) })))));
  return h("ol", { className: "citations", "aria-label": "Citations" }, ...rows);
}

function cards(records) {
  if (!records?.length) return null;
  return h("ul", { className: "cards", "aria-label": "Add-ons" }, ...records.map((record) => h("li", { className: "card" },
    icon(record),
    h("div", { className: "card-text" },
      h("p", { className: "card-name" }, link(record), rating(record)),
      record.description ? h("p", { className: "card-description", textContent: record.description }) : null,
      h("p", { className: "muted" }, [record.users !== null ? counted(record.users, "user") : null, record.doc]
        .filter(Boolean).join(" · "))))));
}

function icon(record) {
  const holder = h("span", { className: "card-icon", "aria-hidden": "true", textContent: [...record.name][0] ?? "?" });
  if (record.icon_image) {
    picture(record.icon_image).then((src) => holder.replaceChildren(h("img", { src, alt: "" })), () => {});
  }
  return holder;
}

function link(record) {
  if (!["https:", "http:"].includes(URL.parse(record.url ?? "")?.protocol)) return h("b", { textContent: record.name });
  return h("a", { href: record.url, target: "_blank", rel: "noopener noreferrer", textContent: record.name });
}

function rating(record) {
  if (record.rating === null) return null;
  const said = record.reviews ? `, ${counted(record.reviews, "review")}` : "";
  return h("span", { className: "rating", role: "img", "aria-label": `rated ${record.rating} of 5${said}` },
    h("span", { "aria-hidden": "true", textContent: `★ ${record.rating}` }));
}

function clarify(question) {
  return question ? h("p", { className: "clarify", textContent: question }) : null;
}

function computation(found, answer) {
  if (!found) return null;
  const cells = found.cells.map((cell) => {
    const citation = answer.citations.find((c) => c.number === cell.citation);
    return h("li", {}, [cell.label, ...cell.header].filter(Boolean).join(" › "), ": ", h("b", { textContent: cell.text }), " ",
      citation ? chip(citation, answer) : null);
  });
  const rest = found.cell_count - found.cells.length;
  return h("details", { className: "aside computed", open: true },
    h("summary", { textContent: "How it was computed" }),
    found.expression ? h("p", { className: "expression", textContent: found.expression }) : null,
    found.items.length ? h("p", { textContent: found.items.join(", ") }) : null,
    cells.length ? h("ul", {}, ...cells, rest > 0 ? h("li", { textContent: `and ${counted(rest, "more cell")}` }) : null) : null);
}

function unsupported(claims) {
  if (!claims?.length) return null;
  return h("details", { className: "aside" },
    h("summary", { textContent: `${counted(claims.length, "statement")} left out: not borne out by what it cites` }),
    h("ul", {}, ...claims.map((claim) => h("li", { textContent: claim }))));
}

function nearest(answer) {
  if (answer.found || !answer.results?.length) return null;
  const rows = answer.results.slice(0, NEAREST).map((hit) => h("li", {},
    h("button", { type: "button", className: "citation", onclick: (click) => showHit(hit, click.currentTarget) },
      h("span", { className: "citation-text" },
        h("span", { className: "citation-where" }, h("b", { textContent: hit.doc }), hit.page ? ` p. ${hit.page}` : null),
        h("span", { className: "passage", textContent: cut(hit.text) })))));
  return h("details", { className: "aside", open: true }, h("summary", { textContent: "Nearest passages" }),
    h("ul", { className: "citations" }, ...rows));
}

function notes(answer) {
  const how = !answer.found ? null
    : answer.model === "extractive" ? "Quoted from the documents; no model was used." : `Written by ${answer.model}, checked against what it cites.`;
  const lines = [how, ...(answer.notes ?? [])].filter(Boolean);
  return lines.length ? h("div", { className: "notes muted" }, ...lines.map((line) => h("p", { textContent: line }))) : null;
}
