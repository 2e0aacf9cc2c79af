(() => {
  "use strict";
  const all = (what, from = document) => [...from.querySelectorAll(what)];
  const form = document.getElementById("find");
  const status = document.getElementById("status");
  const words = document.getElementById("words");
  const group = document.getElementById("group");
  const selects = all("select[data-name]", form);
  const fold = (text) => text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  const order = new Intl.Collator("en-GB", { numeric: true }).compare;
  let sorted = "";

  const rows = all("tbody tr[data-p]").map((line) => {
    const given = JSON.parse(line.dataset.p);
    // A chart's words are the same in every row.
    const cells = [...line.children].filter((cell) => !cell.querySelector("svg"));
    const section = line.closest("section");
    const heads = all("h2, .what", section);
    const said = [...heads, ...cells].map((part) => part.textContent);
    said.push(...Object.entries(given).flat());
    return { line, given, section, text: fold(said.join(" ")), group: line.dataset.group || section.id };
  });

  const filter = () => {
    const wanted = fold(words.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const fits =
        wanted.every((word) => row.text.includes(word)) &&
        (!group || !group.value || group.value === row.group) &&
        selects.every((s) => !s.value || "=" + row.given[s.dataset.name] === s.value);
      row.line.hidden = !fits;
      shown += fits;
    }
    for (const section of all("main section")) {
      section.hidden = !rows.some((row) => row.section === section && !row.line.hidden);
    }
    all(".map").forEach(paint);
    status.textContent = `${shown} of ${rows.length} shown${sorted}`;
  };

  const paint = (map) => {
    const section = map.closest("section");
    const by = map.querySelector(".by");
    const label = by ? by.value : map.querySelector(".shown").textContent;
    map.querySelector(".shown").textContent = label;
    all(".legend", map).forEach((legend, place) => {
      legend.hidden = by ? place !== by.selectedIndex : false;
    });
    const cells = new Map();
    for (const row of rows) {
      const place = row.line.dataset.place;
      if (row.section !== section || row.line.hidden || place === undefined) continue;
      const cell = all("td[data-c]", row.line).find((td) => td.dataset.label === label);
      if (!cells.has(place) || (cell && !cells.get(place).cell)) cells.set(place, { row, cell });
    }
    for (const tile of all("a.tile[data-place]", map)) {
      const place = tile.dataset.place;
      const found = cells.get(place);
      const cell = found && found.cell;
      const said = cell ? `${label} ${cell.textContent}` : found ? "no number" : "not in the list shown";
      tile.className = "tile " + (cell ? cell.dataset.c : "none");
      tile.title = `${place}: ${said}`;
      tile.querySelector("b").textContent = cell ? cell.textContent.split(" (")[0] : "–";
      if (found) tile.href = found.row.line.querySelector("th a").getAttribute("href");
    }
  };

  const sort = (head, place) => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    const numeric = head.dataset.sort === "number";
    const key = (line) => {
      const cell = line.children[place];
      if (!numeric) return cell.textContent.trim();
      return cell.dataset.v === undefined ? null : Number(cell.dataset.v);
    };
    const gone = (value) => value === null || value === "–";
    const body = head.closest("table").tBodies[0];
    const lines = [...body.rows].map((line) => ({ line, value: key(line) }));
    // What is missing comes last, whichever way.
    lines.sort((a, b) => {
      if (gone(a.value) || gone(b.value)) return gone(a.value) - gone(b.value);
      const apart = numeric ? a.value - b.value : order(a.value, b.value);
      return up ? apart : -apart;
    });
    body.append(...lines.map((entry) => entry.line));
    all("th", head.parentElement).forEach((th) => th.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    sorted = `; sorted by ${head.textContent}, ${up ? "lowest" : "highest"} first`;
    filter();
  };

  for (const head of all("th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(head, [...head.parentElement.children].indexOf(head)));
  }
  all(".pick").forEach((pick) => {
    pick.hidden = false;
    pick.addEventListener("change", () => paint(pick.closest(".map")));
  });
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  // A browser that goes back fills in what was asked for before.
  addEventListener("pageshow", filter);
})();
