// The page put together: layout, token, keys.

import { startChat, newConversation } from "./chat.js";
import { $ } from "./dom.js";
import { closeEvidence, evidenceIsOpen, startEvidence } from "./evidence.js";
import { startLibrary } from "./library.js";
import { getJSON, isWidget, Refused, setToken } from "./server.js";

document.documentElement.dataset.mode = isWidget ? "widget" : "page";

const narrow = matchMedia("(max-width: 820px)");

function showLibrary(open) {
  document.body.classList.toggle("library-open", open);
  $("library").inert = narrow.matches && !open;
  $("main").inert = narrow.matches && open;
  if (!narrow.matches) return;
  (open ? $("library-close") : $("library-open")).focus();
}

function layOut() {
  const hidden = document.body.classList.contains("library-open");
  $("library").inert = isWidget || (narrow.matches && !hidden);
  $("main").inert = narrow.matches && hidden;
}

function onKey(key) {
  if (key.key !== "Escape" || key.defaultPrevented) return;
  if (evidenceIsOpen()) closeEvidence();
  else if (narrow.matches && document.body.classList.contains("library-open")) showLibrary(false);
  else if (isWidget) parent.postMessage({ pincite: "close" }, "*"); // says nothing but that the key was pressed
}

function login() {
  const dialog = $("login");
  dialog.oncancel = (cancel) => cancel.preventDefault();
  $("login-form").onsubmit = (submit) => {
    submit.preventDefault();
    setToken($("token").value.trim());
    dialog.close();
    start();
  };
  dialog.showModal();
}

async function start() {
  let health;
  try {
    health = await getJSON("/api/health");
  } catch (problem) {
    if (problem instanceof Refused && problem.status === 401 && !isWidget) login();
    else $("empty-note").textContent = problem.message;
    return;
  }
  startChat(health);
  if (health.role === "owner" && !isWidget) startLibrary(health);
  else document.documentElement.dataset.role = "widget";
}

$("library-open").onclick = () => showLibrary(true);
$("library-close").onclick = () => showLibrary(false);
for (const id of ["new", "new-small"]) {
  $(id).onclick = () => {
    newConversation();
    if (narrow.matches) showLibrary(false);
    $("question").focus();
  };
}
document.addEventListener("keydown", onKey);
narrow.addEventListener("change", layOut);
layOut();
startEvidence();
start();
