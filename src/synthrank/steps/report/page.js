// Draws figures with Vega-Embed and tables with DataTables, and shows example queries. Texts are never parsed as HTML.

const data = JSON.parse(document.getElementById("data").textContent);
const root = document.documentElement;
const small = window.matchMedia("(max-width: 640px)");
const narrow = () => small.matches;

function make(tag, text, attributes = {}) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

// Light and dark

const DARK = {
  "#000000": "#ffffff", "#222222": "#dddddd", "#333333": "#cccccc", "#555555": "#b5bec6", "#777777": "#9aa3ab",
  "#888888": "#8a949d", "#cccccc": "#4a545d", "#e5e5e5": "#323a42", "#f0f0f0": "#2a3138", "#ffffff": "#15191d",
  "#0072B2": "#4aa8e0", "#D55E00": "#f08a3c",
};

function recoloured(value) {
  if (typeof value === "string") return DARK[value] ?? value;
  if (Array.isArray(value)) return value.map(recoloured);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key === "datasets" ? item : recoloured(item)]));
}

const themeButton = document.getElementById("theme");
let dark = window.matchMedia("(prefers-color-scheme: dark)").matches;

function paint() {
  root.classList.toggle("dark", dark);
  themeButton.textContent = dark ? "Light colours" : "Dark colours";
  return drawAll();
}

// Figures

function fitted(name) {
  const spec = structuredClone(data.figures[name]);
  const config = spec.config ??= {};
  const labels = { labelColor: "#333333", titleColor: "#333333", domainColor: "#888888", tickColor: "#888888" };
  config.axis = { ...labels, ...config.axis };
  config.legend = { labelColor: "#333333", titleColor: "#333333", ...config.legend };
  config.header = { labelColor: "#333333", ...config.header };
  if (narrow()) {
    if (spec.columns) spec.columns = 1;
    if (spec.hconcat) { spec.vconcat = spec.hconcat; delete spec.hconcat; }
    for (const part of [spec.spec ?? spec, ...(spec.vconcat ?? [])]) if (part.width > 130 && name !== "rules") part.width = 130;
    if (spec.facet) spec.facet.header = { ...spec.facet.header, labelExpr: "split(datum.label, ', ')" };
    config.legend = { ...config.legend, columns: 1 };
    config.axisX = { ...config.axisX, titleAnchor: "end" };
  }
  return dark ? recoloured(spec) : spec;
}

const SMALLEST = 0.85;  // smaller drawings would be unreadable, so they scroll horizontally instead

async function draw(place) {
  const name = place.dataset.figure;
  const actions = narrow() ? false : { export: true, source: false, compiled: false, editor: false };
  // Without `ast`, Vega compiles text to functions, which the content security policy forbids. logLevel 1 hides the
  // warnings about layers without rows.
  await window.vegaEmbed(place, fitted(name), { ast: true, renderer: "svg", logLevel: 1, actions, downloadFileName: name });
  const picture = place.querySelector("svg.marks");
  const fits = place.clientWidth / picture.getAttribute("width");
  if (fits < 1) place.scrollLeft = name === "rules" ? (place.scrollWidth - place.clientWidth) / 2 : 0;
  if (narrow() && fits < 1 && fits > SMALLEST) Object.assign(picture.style, { maxWidth: "100%", height: "auto" });
}

let turn = 0;

async function drawAll() {
  const mine = ++turn;
  for (const place of document.querySelectorAll("[data-figure]")) {
    if (mine !== turn) return;  // the colours or the width changed: a later call draws all figures again
    try {
      await draw(place);
    } catch (error) {
      place.replaceChildren(make("p", `This figure could not be drawn (${error.message}). Its table has the same numbers.`));
    }
  }
  if (mine === turn) root.dataset.drawn = dark ? "dark" : "light";
}

// Tables

const LANGUAGE = { search: "Search", lengthMenu: "_MENU_ rows", info: "_START_ to _END_ of _TOTAL_",
  infoFiltered: "(of _MAX_)", infoEmpty: "no rows", zeroRecords: "No matching rows.", emptyTable: "The table is empty." };

function tabulate(node) {
  const heads = [...node.querySelectorAll("thead th")];
  const columns = heads.map(head => head.dataset.kind === "number" ? { type: "num" } : { type: "string" });
  const table = new window.DataTable(node, {
    columns, order: [], pageLength: narrow() ? 10 : 15, lengthMenu: [10, 15, 50, { label: "all", value: -1 }],
    language: LANGUAGE, autoWidth: false,
    layout: { topStart: "search", topEnd: "pageLength", bottomStart: "info", bottomEnd: "paging" },
  });
  const choices = node.closest("section.table").querySelector(".choices");
  heads.forEach((head, place) => {
    if (head.dataset.kind !== "choice") return;
    const label = make("label", head.textContent.trim());
    const select = make("select");
    select.append(new Option("all", ""));
    const texts = table.column(place, { order: "index" }).nodes().toArray().map(cell => cell.textContent);
    const words = [...new Set(texts)];
    for (const word of words) select.append(new Option(word || "(empty)", word === "" ? "(empty)" : word));
    const choose = () => {
      const word = select.value;
      table.column(place).visible(word === "");  // all rows have the chosen value
      const wanted = word === "(empty)" ? "" : word;
      table.column(place).search(word === "" ? "" : (cell, row, number) => texts[number] === wanted).draw();
    };
    select.addEventListener("change", choose);
    if (head.dataset.key === node.dataset.firstChoice) { select.value = words[0]; choose(); }
    label.append(select);
    choices.append(label);
    choices.hidden = false;
  });
  const scroller = node.closest(".dt-layout-table");
  scroller.tabIndex = 0;
  scroller.setAttribute("role", "region");
  scroller.setAttribute("aria-label", "table, scrolls horizontally");
}

// Example queries

const KINDS = {
  written: "Training queries: human and generated passages, raw replies",
  ranked: "Test queries: the ranking of each ranker",
  ordered: "Candidates ranked by a language model, raw replies",
};

const ENDS = { stop: "complete", length: "truncated at the token limit", blocked: "blocked by the provider" };

function card(title) {
  const node = make("div", undefined, { class: "card" });
  node.append(make("h4", title));
  return node;
}

function folded(title, text) {
  const node = make("details");
  node.append(make("summary", title), make("pre", text, { tabindex: "0" }));
  return node;
}

function side(cards) {
  const node = make("div", undefined, { class: "side" });
  node.append(...cards);
  return node;
}

function showWritten(example) {
  const passages = example.passages.map(item => {
    const node = card(item.by);
    for (const one of item.texts) node.append(make("p", one.text), make("p", `grade ${one.grade}`, { class: "small" }));
    if (!item.texts.length) node.append(make("p", "No passage was generated for this query, or its reply was dropped.", { class: "small" }));
    return node;
  });
  const replies = example.replies.map(item => {
    const node = card(item.by);
    const fate = item.dropped ? `dropped (${item.dropped})` : "used as a passage";
    node.append(make("p", `${ENDS[item.ended] ?? item.ended}; ${fate}`, { class: "small" }), make("pre", item.text, { tabindex: "0" }));
    node.append(folded("Prompt", item.asked.map(turn => `[${turn.role}]\n${turn.text}`).join("\n\n")));
    return node;
  });
  const parts = [make("h3", "Training passages"), side(passages)];
  if (replies.length) parts.push(make("h3", "Raw replies"), side(replies));
  return parts;
}

function listed(order, example) {
  const node = card(order.by);
  const list = make("ol", undefined, { class: "order" });
  for (const name of order.ids) {
    const item = make("li");
    const text = example.texts[name] ?? "";
    const fold = make("details");
    const head = make("summary");
    if (example.relevant.includes(name)) head.append(make("span", "✓ relevant ", { class: "good" }));
    head.append(make("span", text.length > 90 ? `${text.slice(0, 90)} …` : text || name));
    fold.append(head, make("p", text), make("p", name, { class: "small" }));
    item.append(fold);
    list.append(item);
  }
  node.append(order.ids.length ? list : make("p", "No passage was retrieved for this query.", { class: "small" }));
  return node;
}

function showOrders(example) {
  const parts = [];
  if (example.relevant.length) {
    const node = card("Relevant passages");
    for (const name of example.relevant) node.append(make("p", example.texts[name] ?? name));
    parts.push(node);
  }
  parts.push(make("h3", "Rankings, best passage first"),
    side(example.orders.map(order => listed(order, example))));
  if (example.asks) {
    parts.push(make("h3", `Raw replies behind the ranking: ${example.asks.length} of ${example.all_asks}`));
    parts.push(side(example.asks.map((ask, place) => {
      const node = card(`Reply ${place + 1}`);
      const notes = ask.notes.length ? `; ${ask.notes.join("; ")}` : "";
      node.append(make("p", `${ask.status}${notes}`, { class: "small" }), make("pre", ask.text, { tabindex: "0" }));
      return node;
    })));
  }
  return parts;
}

function browse() {
  const kinds = document.getElementById("kind"), queries = document.getElementById("query");
  const place = document.getElementById("example");
  const full = Object.keys(KINDS).filter(kind => data.examples[kind].length);
  if (!full.length) return;
  document.getElementById("examples").hidden = false;
  for (const kind of full) kinds.append(new Option(KINDS[kind], kind));
  const show = () => {
    const example = data.examples[kinds.value][Number(queries.value)];
    const parts = kinds.value === "written" ? showWritten(example) : showOrders(example);
    place.replaceChildren(make("p", example.query, { class: "asked" }), ...parts);
  };
  const fill = () => {
    queries.replaceChildren();
    const groups = new Map();
    data.examples[kinds.value].forEach((example, number) => {
      if (!groups.has(example.group)) {
        groups.set(example.group, make("optgroup", undefined, { label: example.group }));
        queries.append(groups.get(example.group));
      }
      groups.get(example.group).append(new Option(example.query, String(number)));
    });
    queries.value = "0";
    show();
  };
  kinds.addEventListener("change", fill);
  queries.addEventListener("change", show);
  fill();
}

root.classList.add("scripted");
themeButton.hidden = false;
themeButton.addEventListener("click", () => { dark = !dark; paint(); });
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", event => { dark = event.matches; paint(); });
small.addEventListener("change", drawAll);
for (const node of document.querySelectorAll("table.data")) tabulate(node);
browse();
await paint();
root.dataset.ready = "yes";
