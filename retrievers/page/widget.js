// Puts the chat into the bottom right corner of another site's page:
//   <script src="http://HOST:8631/widget.js" data-token="…" data-label="Ask our handbook" async></script>
// The chat stands in a frame of its own origin; it can neither read this page nor be read by it.
(() => {
  const script = document.currentScript;
  const { origin } = new URL(script.src);
  const label = script.dataset.label || "Ask the documents";
  const host = document.createElement("div");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { position: fixed; right: 20px; bottom: 20px; z-index: 2147483000; color-scheme: light dark; }
    button { width: 56px; height: 56px; border: 0; border-radius: 18px; background: #1d1c1a; cursor: pointer; padding: 0;
      box-shadow: 0 6px 24px rgb(0 0 0 / .28); display: grid; place-items: center; margin-left: auto; }
    button:focus-visible { outline: 3px solid #3b82c4; outline-offset: 3px; }
    svg { width: 34px; height: 34px; display: block; }
    iframe { display: none; width: min(400px, calc(100vw - 40px)); height: min(620px, calc(100dvh - 116px));
      border: 0; border-radius: 16px; margin-bottom: 12px; background: Canvas; box-shadow: 0 12px 48px rgb(0 0 0 / .32); }
    .open iframe { display: block; }
    @media (max-width: 480px) {
      .open iframe { position: fixed; inset: 0 0 auto 0; width: 100vw; height: calc(100dvh - 88px); border-radius: 0; }
    }`);
  root.adoptedStyleSheets = [sheet];

  const box = document.createElement("div");
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-label", label);
  button.setAttribute("aria-expanded", "false");
  const ns = "http://www.w3.org/2000/svg";
  const icon = document.createElementNS(ns, "svg");
  icon.setAttribute("viewBox", "0 0 32 32");
  icon.setAttribute("aria-hidden", "true");
  for (const [d, colour, width] of [
    ["M6 17h20", "#ffd600", 8], ["M8 8h16M8 25h13", "#fbfaf7", 2.4], ["M8 17h11", "#1d1c1a", 2.4],
  ]) {
    const line = document.createElementNS(ns, "path");
    line.setAttribute("d", d);
    line.setAttribute("stroke", colour);
    line.setAttribute("stroke-width", width);
    icon.append(line);
  }
  button.append(icon);
  box.append(button);
  root.append(box);

  let frame = null;
  function show(open) {
    if (open && !frame) {
      frame = document.createElement("iframe");
      frame.title = label;
      frame.referrerPolicy = "no-referrer";
      frame.src = `${origin}/widget#token=${encodeURIComponent(script.dataset.token || "")}`;
      box.prepend(frame);
    }
    box.classList.toggle("open", open);
    button.setAttribute("aria-expanded", String(open));
    if (open) frame.focus();
    else button.focus();
  }
  button.addEventListener("click", () => show(!box.classList.contains("open")));
  host.addEventListener("keydown", (key) => { if (key.key === "Escape") show(false); });
  addEventListener("message", (message) => {
    if (frame && message.source === frame.contentWindow && message.data?.pincite === "close") show(false);
  });
  if (document.body) document.body.append(host);
  else addEventListener("DOMContentLoaded", () => document.body.append(host));
})();
