(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Code, as a whole.
  const button = document.getElementById("show-code");
  const folds = all("details.code");
  if (button && folds.length) {
    let open = false;
    button.hidden = false;
    button.addEventListener("click", () => {
      open = !open;
      for (const fold of folds) fold.open = open;
      button.textContent = open ? "Hide all code" : "Show all code";
    });
  }

  // Contents stay in sight beside the text, and are folded where they would stand before it.
  const contents = document.getElementById("contents");
  const narrow = matchMedia("(max-width: 63.99rem)");
  if (contents) {
    const fit = () => { contents.open = !narrow.matches; };
    fit();
    narrow.addEventListener("change", fit);
  }

  // Only what can be scrolled is worth a stop of the tab key.
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth + 1) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  for (const region of all(".scroll, .picture, pre")) sizes.observe(region);

  // On a phone a table of words is set as a list, and some readers then forget what it was.
  const roles = { table: "table", thead: "rowgroup", tbody: "rowgroup", tr: "row", td: "cell" };
  for (const table of all("table.words")) {
    for (const part of [table, ...all("thead, tbody, tr, td, th", table)]) {
      const name = part.localName;
      part.setAttribute("role", roles[name] || (part.scope === "row" ? "rowheader" : "columnheader"));
    }
  }

  // Sorting: up, down, and as it was.
  const collator = new Intl.Collator("en-GB", { numeric: true, sensitivity: "base" });
  const missing = /^(|–|—|no bound|nan|none)$/i;
  const figure = /^[<>≤≥~≈]?\s*([+−-]?)\s*£?\s*([+−-]?)(\d[\d,]*(?:\.\d+)?|\.\d+)\s*(%|k|m|bn)?\*{0,3}$/i;
  const scale = { k: 1e3, m: 1e6, bn: 1e9 };
  const words = (row, place) => row.cells[place].textContent.trim();
  const value = (text) => {
    const found = figure.exec(text);
    if (!found) return NaN;
    const [, before, after, digits, unit] = found;
    const negative = /[−-]/.test(before + after);
    return (negative ? -1 : 1) * digits.replaceAll(",", "") * (scale[(unit || "").toLowerCase()] || 1);
  };
  const ordered = (rows, place, down) => {
    const told = rows.filter((row) => !missing.test(words(row, place)));
    const untold = rows.filter((row) => missing.test(words(row, place)));
    const numeric = told.every((row) => !Number.isNaN(value(words(row, place))));
    const compare = numeric ? (a, b) => value(a) - value(b) : collator.compare;
    told.sort((a, b) => (down ? -1 : 1) * compare(words(a, place), words(b, place)));
    return [...told, ...untold];
  };
  const status = document.createElement("p");
  status.id = "sort-status";
  status.className = "visually-hidden";
  status.setAttribute("role", "status");
  document.querySelector("main").append(status);

  for (const table of all("main table")) {
    const body = table.tBodies[0];
    const heads = table.tHead && table.tHead.rows.length === 1 ? [...table.tHead.rows[0].cells] : [];
    const rows = body ? [...body.rows] : [];
    const plain = table.tBodies.length === 1 && rows.every((row) => row.cells.length === heads.length);
    const spans = table.querySelector("table, thead [colspan], tbody [colspan], [rowspan]");
    if (!plain || spans || rows.length < 3) continue;
    heads.forEach((head, place) => {
      if (head.localName !== "th") return;
      const sorter = document.createElement("button");
      sorter.type = "button";
      sorter.className = "sort";
      sorter.append(...head.childNodes);
      head.append(sorter);
      sorter.addEventListener("click", () => {
        const was = head.getAttribute("aria-sort");
        const now = { ascending: "descending", descending: null }[was];
        const order = now === undefined ? "ascending" : now;
        for (const other of heads) other.removeAttribute("aria-sort");
        if (order) head.setAttribute("aria-sort", order);
        body.append(...(order ? ordered(rows, place, order === "descending") : rows));
        status.textContent = order
          ? `Sorted by ${sorter.textContent}, ${order}`
          : "In the order of the notebook";
      });
    });
  }
})();
