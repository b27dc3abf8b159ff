"use strict";
// Filter and search the rows of all tables, choose the score of the figures, and switch between
// light and dark.
(() => {
  const search = document.getElementById("search");
  const kinds = [...document.querySelectorAll("#kinds input")];

  function apply() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = new Set(kinds.filter((box) => box.checked).map((box) => box.value));
    for (const section of document.querySelectorAll("main > section:not(.notes)")) {
      const counts = { measured: 0, published: 0, all: 0 };
      for (const row of section.querySelectorAll("tr[data-kind]")) {
        const published = row.dataset.kind === "published";
        // of a published result all texts, such as its source; of a recipe name, marks and config
        const cells = published ? [...row.querySelectorAll(".t")] : [row.cells[0]];
        const text = cells.map((cell) => cell.textContent).join(" ").toLowerCase();
        const fits = shown.has(row.dataset.kind) && words.every((word) => text.includes(word));
        row.hidden = !fits;
        counts[published ? "published" : "measured"] += fits;
        counts.all += published;
      }
      section.querySelector(".none").hidden = counts.measured > 0;
      const count = section.querySelector(".count");
      if (count) {
        const some = counts.published < counts.all;
        count.textContent = some ? `${counts.published} of ${counts.all}` : counts.all;
      }
    }
  }

  // A cell sorts by its first text or number, not by the deviation, interval or marks behind it.
  const PREFIXES = { k: 1e3, M: 1e6, G: 1e9, T: 1e12 };
  function addSortValue(cell) {
    const first = cell.firstChild;
    if (cell.dataset.sort !== undefined || !first || first.nodeType !== Node.TEXT_NODE) return;
    const found = /^(-?[\d.]+(?:e[+-]?\d+)?)(?: ([kMGT])(?!\w))?/.exec(first.data);
    if (cell.tagName === "TH") cell.dataset.sort = first.data.trim();
    else if (found) cell.dataset.sort = found[1] * (PREFIXES[found[2]] || 1);
  }

  document.addEventListener("click", (event) => {
    const table = event.target.closest("thead") && event.target.closest("table");
    if (table && !table.dataset.prepared) {
      table.dataset.prepared = "yes";
      table.querySelectorAll("tbody th, tbody td:not(.t)").forEach(addSortValue);
    }
  }, true);

  // Links to further files of a run, relative to its record; for rows that are near the screen.
  function addLinks(run) {
    if (run.childElementCount > 1) return;
    const record = run.querySelector("a");
    const folder = record.getAttribute("href").replace(/[^/]*$/, "");
    const seed = record.textContent.replace(/^record/, "");
    for (const file of run.dataset.more.split(" ")) {
      const colon = file.indexOf(":");
      const link = document.createElement("a");
      link.href = folder + file.slice(colon + 1);
      link.textContent = file.slice(0, colon) + seed;
      run.append(link, " ");
    }
  }

  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      target.querySelectorAll("[data-more]").forEach(addLinks);
    }
  }, { rootMargin: "100%" });
  document.querySelectorAll("tr:has([data-more])").forEach((row) => near.observe(row));
  // paper has no screen: all rows and links are printed
  window.addEventListener("beforeprint", () => {
    document.documentElement.classList.remove("first");
    document.querySelectorAll("[data-more]").forEach(addLinks);
  });

  for (const choice of document.querySelectorAll(".choose")) {
    choice.hidden = false;
    const figures = [...choice.nextElementSibling.querySelectorAll("[data-metric]")];
    const list = choice.querySelector("select");
    const draw = () => figures.forEach((each) => { each.hidden = each.dataset.metric !== list.value; });
    list.addEventListener("change", draw);
    draw(); // a browser may restore another choice
  }

  search.addEventListener("input", apply);
  kinds.forEach((box) => box.addEventListener("change", apply));
  // a browser may restore a text or a choice of an earlier visit
  if (search.value || kinds.some((box) => !box.checked)) apply();

  const root = document.documentElement;
  // The first rows of each table are drawn at once, the others after them; unless the browser
  // scrolls to a place, which would move.
  const afterFrame = (call) => requestAnimationFrame(() => setTimeout(call));
  const visit = performance.getEntriesByType("navigation")[0]?.type;
  const isFresh = visit !== "reload" && visit !== "back_forward";
  if (isFresh && !location.hash) root.classList.add("first");
  afterFrame(() => {
    root.classList.remove("first");
    afterFrame(() => performance.mark("drawn"));
  });

  document.getElementById("theme").addEventListener("click", () => {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const now = root.dataset.theme || system;
    root.dataset.theme = now === "dark" ? "light" : "dark";
  });
})();
