"use strict";
// Headings of tables become buttons that sort; the table of students gets a field that finds names.
const value = (row, column) => {
  const cell = row.cells[column];
  return cell.dataset.sort ?? cell.textContent.trim();
};
const order = (a, b) => {
  const numbers = [a, b].map((text) => (text === "" || text === "–" ? -Infinity : Number(text)));
  if (numbers.every((number) => !Number.isNaN(number))) return numbers[0] === numbers[1] ? 0 : numbers[0] - numbers[1];
  return a.localeCompare(b, undefined, { numeric: true, sensitivity: "base" });
};
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const before = heading.getAttribute("aria-sort");
      const first = heading.classList.contains("number") ? "descending" : "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      const now = before === first ? other : first;
      for (const one of headings) one.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", now);
      const sign = now === "ascending" ? 1 : -1;
      const rows = [...body.rows].map((row) => [value(row, column), row]);
      rows.sort((a, b) => sign * order(a[0], b[0]));
      body.append(...rows.map((pair) => pair[1]));
    });
  });
}
for (const table of document.querySelectorAll("table.filtered")) {
  const label = document.createElement("label");
  const field = document.createElement("input");
  const count = document.createElement("output");
  field.type = "search";
  label.className = "filter";
  label.append("Find ", field, " ", count);
  table.parentElement.before(label);
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
      shown += row.hidden ? 0 : 1;
    }
    count.textContent = wanted ? String(shown) : "";
  });
}
