"use strict";
// Conveniences: open all tables, sort a table, mark a group or a cluster everywhere. The page is complete without them.
const tables = [...document.querySelectorAll("main details")];
if (matchMedia("(min-width: 64rem)").matches) document.querySelector(".menu").open = true;
const button = document.createElement("button");
button.type = "button";
const name = () => { button.textContent = tables.every((each) => each.open) ? "Close all tables" : "Open all tables"; };
button.addEventListener("click", () => {
  const open = !tables.every((each) => each.open);
  for (const each of tables) each.open = open;
  name();
});
const tools = document.createElement("div");
tools.className = "tools";
tools.append(button);
name();
document.querySelector(".contents").append(tools);
// For browsers whose print style cannot open a disclosure.
addEventListener("beforeprint", () => { for (const each of tables) if (!each.classList.contains("long")) each.open = true; name(); });

// A click on a column's title sorts by it, numbers as numbers, and again the other way round.
const number = (text) => { const found = text.replace(/,/g, "").match(/-?(\d+\.?\d*|\.\d+)/); return found ? Number(found[0]) : null; };
const compare = (a, b) => {
  const [x, y] = [number(a), number(b)];
  if (x !== null && y !== null) return x - y;
  if (x !== null || y !== null) return x !== null ? -1 : 1;
  return a.localeCompare(b);
};
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  if (!body || body.rows.length < 3) continue;
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    head.tabIndex = 0;
    head.classList.add("sortable");
    const sort = () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const last = [...body.rows].filter((row) => row.classList.contains("total"));
      const rows = [...body.rows].filter((row) => !row.classList.contains("total"));
      rows.sort((a, b) => (down ? -1 : 1) * compare(a.cells[column].textContent, b.cells[column].textContent));
      body.append(...rows, ...last);
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(); } });
  });
}

// A click on a bar, a point or a row's name marks the same group or cluster in every chart; a second click or Escape ends it.
// A row of a table of clusters is named by its number.
const named = (cell) => {
  const text = cell.textContent.trim();
  const head = cell.closest("table").tHead;
  const number = /^\d+/.exec(text);
  return number && head && head.rows[0].cells[0].textContent.trim() === "cluster" ? `cluster ${number[0]}` : text;
};
let marked = null;
const mark = (key) => {
  marked = key === marked ? null : key;
  const parts = [...document.querySelectorAll(".told[data-mark]")];
  const here = parts.filter((each) => each.dataset.mark === marked);
  for (const each of parts) each.classList.toggle("marked", here.includes(each));
  document.body.classList.toggle("marking", here.length > 0);
  for (const row of document.querySelectorAll("tbody tr")) row.classList.toggle("marked", marked !== null && named(row.cells[0]) === marked);
};
addEventListener("click", (event) => {
  const told = event.target.closest(".told[data-mark]");
  const row = event.target.closest("tbody th");
  if (told) mark(told.dataset.mark);
  else if (row) mark(named(row));
});
addEventListener("keydown", (event) => { if (event.key === "Escape" && marked !== null) mark(marked); });
