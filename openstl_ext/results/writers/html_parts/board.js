"use strict";
// Filter and search the rows of all tables, and switch between light and dark.
(() => {
  const search = document.getElementById("search");
  const kinds = [...document.querySelectorAll("#kinds input")];

  function apply() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = new Set(kinds.filter((box) => box.checked).map((box) => box.value));
    for (const section of document.querySelectorAll("main > section[id]")) {
      let any = false;
      for (const row of section.querySelectorAll("tr[data-kind]")) {
        const text = row.cells[0].textContent.toLowerCase();
        const fits = shown.has(row.dataset.kind) && words.every((word) => text.includes(word));
        row.hidden = !fits;
        any = any || fits;
      }
      section.querySelector(".none").hidden = any;
    }
  }

  search.addEventListener("input", apply);
  kinds.forEach((box) => box.addEventListener("change", apply));

  const root = document.documentElement;
  document.getElementById("theme").addEventListener("click", () => {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const now = root.dataset.theme || system;
    root.dataset.theme = now === "dark" ? "light" : "dark";
  });
})();
