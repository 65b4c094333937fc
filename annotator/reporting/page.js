"use strict";
// Shows the hands that the filters let through: cards of this page, or lines of the list of all hands.
const form = document.querySelector(".filters");
const cards = [...document.querySelectorAll("section.hand[data-id]")];
const list = document.getElementById("list");
const source = document.getElementById("rows");
const rows = source ? JSON.parse(source.textContent) : cards.map((card) => ({ card, ...card.dataset }));
const ORDERS = {
  project: null,
  doubt: (a, b) => b.severity - a.severity,
  unsure: (a, b) => a.confidence - b.confidence,
  corrected: (a, b) => b.corrections - a.corrections,
};
const STEP = 200; // lines of the list that are shown at once
let shown = STEP;

function doubtful(row, kind) {
  if (kind === "none") return !row.kinds;
  if (kind === "any") return Boolean(row.kinds);
  return !kind || row.kinds.split(" ").includes(kind);
}

function wanted(value) {
  const text = value("text").toLowerCase();
  return rows.filter(
    (row) =>
      (!value("state") || row.state === value("state")) &&
      (!value("side") || row.side === value("side")) &&
      doubtful(row, value("doubt")) &&
      (!value("corrected") || (row.corrections > 0) === (value("corrected") === "yes")) &&
      (!text || row.text.toLowerCase().includes(text)),
  );
}

function line(row) {
  const made = document.createElement("tr");
  const link = document.createElement("a");
  link.href = encodeURI(row.page) + "#" + encodeURIComponent(row.id);
  link.textContent = row.id;
  const cells = [link, row.state, row.side, row.confidence.toFixed(2), row.corrections, row.photo, row.doubts];
  for (const cell of cells) made.insertCell().append(cell);
  return made;
}

function show() {
  const found = wanted((name) => form.elements[name].value);
  const order = ORDERS[form.elements.order.value];
  if (order) found.sort(order);
  form.querySelector("output").textContent = found.length + " of " + rows.length + " hands";
  if (list) {
    list.tBodies[0].replaceChildren(...found.slice(0, shown).map(line));
    document.getElementById("more").hidden = found.length <= shown;
  } else {
    const visible = new Set(found);
    for (const row of rows) row.card.hidden = !visible.has(row);
    const place = document.getElementById("cards");
    for (const row of order ? found : rows) place.append(row.card);
  }
}

form.hidden = false;
form.addEventListener("input", () => { shown = STEP; show(); });
form.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("more")?.addEventListener("click", () => { shown += STEP; show(); });
show();
