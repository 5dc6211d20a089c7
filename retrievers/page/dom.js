// Small helpers to make elements. Text is always set as text: nothing of a document is ever read as markup here.

export const $ = (id) => document.getElementById(id);

/** An element with properties, `data-`/`aria-` attributes (names with a hyphen) and children. */
export function h(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (name.includes("-") || name === "role" || name === "for") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const TABLE_TAGS = new Set(["TABLE", "THEAD", "TBODY", "TFOOT", "TR", "TH", "TD", "CAPTION", "BR", "SUP", "SUB"]);
const TABLE_ATTRIBUTES = new Set(["rowspan", "colspan", "scope"]);

/** A table from HTML that the server has made safe; made safe again here, as it comes from a document. */
export function tableFrom(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const table = parsed.querySelector("table");
  return table ? copied(table) : null;
}

function copied(node) {
  const made = document.createElement(node.tagName);
  for (const { name, value } of node.attributes) if (TABLE_ATTRIBUTES.has(name)) made.setAttribute(name, value);
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) made.append(child.data);
    else if (child.nodeType === Node.ELEMENT_NODE) {
      made.append(TABLE_TAGS.has(child.tagName) ? copied(child) : child.textContent);
    }
  }
  return made;
}

/** The cell of a table's grid, spans counted; rows and columns from 0. */
export function cellAt(table, row, column) {
  const taken = [];
  for (const [r, tr] of [...table.rows].entries()) {
    let c = 0;
    for (const cell of tr.cells) {
      while (taken[r]?.[c]) c += 1;
      for (let down = 0; down < cell.rowSpan; down += 1) {
        for (let right = 0; right < cell.colSpan; right += 1) ((taken[r + down] ??= [])[c + right]) = cell;
      }
      c += cell.colSpan;
    }
  }
  return taken[row]?.[column] ?? null;
}

let saying = 0;
/** Have a screen reader say something. */
export function announce(text) {
  clearTimeout(saying);
  $("status").textContent = "";
  saying = setTimeout(() => { $("status").textContent = text; }, 50);
}

/** `1 page`, `2 pages`. */
export const counted = (n, name) => `${n.toLocaleString("en")} ${name}${n === 1 ? "" : "s"}`;
