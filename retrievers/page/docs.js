// Shows the OpenAPI description of this very server.

import { $, h } from "./dom.js";
import { getJSON } from "./server.js";

function named(schema, all) {
  const reference = schema?.$ref?.split("/").at(-1);
  return reference ? all.components.schemas[reference] : schema ?? {};
}

function kind(schema) {
  const kinds = (schema.anyOf ?? [schema]).map((s) => s.enum?.join(" | ") ?? (s.type === "array" ? `${s.items.type}[]` : s.type));
  return kinds.filter((k) => k !== "null").join(" or ");
}

function fields(rows) {
  if (!rows.length) return null;
  const line = ({ name, place, schema, required, description }) => h("tr", {},
    h("td", {}, h("code", { textContent: name })), h("td", { textContent: place }), h("td", { textContent: kind(schema) }),
    h("td", { textContent: required ? "required" : schema.default !== undefined ? `default ${JSON.stringify(schema.default)}` : "" }),
    h("td", { textContent: description ?? schema.description ?? "" }));
  return h("div", { className: "table-scroll", tabIndex: 0, role: "group", "aria-label": "Inputs" }, h("table", {}, h("tbody", {}, ...rows.map(line))));
}

function inputs(operation, all) {
  const rows = (operation.parameters ?? []).map((p) => ({ ...p, place: p.in }));
  for (const [media, { schema }] of Object.entries(operation.requestBody?.content ?? {})) {
    const found = named(schema, all);
    for (const [name, property] of Object.entries(found.properties ?? {})) {
      rows.push({ name, place: media.split("/").at(-1), schema: property, required: found.required?.includes(name) });
    }
  }
  return fields(rows);
}

const prose = (text) => text.split("`").map((part, n) => (n % 2 ? h("code", { textContent: part }) : part));

function operation(method, path, found, all) {
  const replies = Object.entries(found.responses).map(([status, { description }]) => h("li", {},
    h("code", { textContent: status }), ` ${description}`));
  return h("section", { className: "operation" },
    h("h2", {}, h("span", { className: "method", textContent: method.toUpperCase() }), " ", h("code", { textContent: path })),
    h("p", {}, ...prose(found.description)), inputs(found, all),
    h("details", {}, h("summary", { textContent: "Replies" }), h("ul", {}, ...replies)));
}

try {
  const all = await getJSON("/api/openapi.json");
  $("summary").textContent = `${all.info.summary} Version ${all.info.version}.`;
  $("operations").append(...Object.entries(all.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, found]) => operation(method, path, found, all))));
} catch (problem) {
  $("summary").textContent = problem.message;
}
