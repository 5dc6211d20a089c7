// Talks to the server: its token, JSON, streams of events, pictures, uploads.

export const isWidget = location.pathname === "/widget";

const store = {
  get(key) { try { return sessionStorage.getItem(key); } catch { return null; } },
  set(key, value) { try { sessionStorage.setItem(key, value); } catch { /* storage is off: keep it for this page */ } },
  drop(key) { try { sessionStorage.removeItem(key); } catch { /* as above */ } },
};
export { store };

let token = store.get("token");
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  setToken(given);
  history.replaceState(null, "", location.pathname + location.search); // not to be left in the address bar
}

export function setToken(value) {
  token = value;
  store.set("token", value);
}

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function headers(more = {}) {
  return token ? { authorization: `Bearer ${token}`, ...more } : more;
}

async function checked(response) {
  if (response.ok) return response;
  let said = response.statusText;
  try { said = (await response.json()).error ?? said; } catch { /* not from us: the status must do */ }
  throw new Refused(response.status, said);
}

async function fetched(path, options = {}) {
  try {
    return await checked(await fetch(path, { ...options, headers: headers(options.headers) }));
  } catch (problem) {
    if (problem instanceof Refused || problem.name === "AbortError") throw problem;
    throw new Refused(0, "The server does not answer.");
  }
}

export async function getJSON(path, more) {
  return (await fetched(path, { headers: more })).json();
}

/** Event name and data of each server-sent event. */
export async function* events(path, options = {}) {
  const response = await fetched(path, { ...options, headers: { accept: "text/event-stream", ...options.headers } });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    held += value;
    const parts = held.split("\n\n");
    held = parts.pop();
    for (const part of parts) {
      const lines = part.split("\n");
      const name = lines.find((line) => line.startsWith("event: "))?.slice(7);
      const data = lines.find((line) => line.startsWith("data: "))?.slice(6);
      if (name && data) yield { name, data: JSON.parse(data) };
    }
  }
}

export function ask(body, secret, signal) {
  const more = { "content-type": "application/json", ...(secret ? { "x-session-secret": secret } : {}) };
  return events("/api/question", { method: "POST", headers: more, body: JSON.stringify(body), signal });
}

const KEPT_PICTURES = 12;
const pictures = new Map();

/** The address of a picture that was fetched with the token; the last few are kept. */
export async function picture(path) {
  if (!pictures.has(path)) {
    const loading = fetched(path).then((r) => r.blob()).then((blob) => URL.createObjectURL(blob));
    pictures.set(path, loading);
    loading.catch(() => pictures.delete(path));
    if (pictures.size > KEPT_PICTURES) {
      const [oldest, address] = pictures.entries().next().value;
      pictures.delete(oldest);
      address.then((url) => URL.revokeObjectURL(url), () => {});
    }
  }
  return pictures.get(path);
}

/** Upload files; `onSent` is told the share that is sent, 0 to 1. */
export function upload(files, onSent) {
  const form = new FormData();
  for (const file of files) form.append("files", file, file.name);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/ingest");
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.responseType = "json";
    request.upload.onprogress = (e) => { if (e.lengthComputable) onSent(e.loaded / e.total); };
    request.onerror = () => reject(new Refused(0, "The upload broke off."));
    request.onload = () => {
      if (request.status === 202) resolve(request.response);
      else reject(new Refused(request.status, request.response?.error ?? request.statusText));
    };
    request.send(form);
  });
}

export async function readFolder(folder) {
  const form = new FormData();
  form.append("folder", folder);
  return (await fetched("/api/ingest", { method: "POST", body: form })).json();
}
