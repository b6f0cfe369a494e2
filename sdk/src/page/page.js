"use strict";
// Everything here adds to a page that can be read without it.
const byId = (id) => document.getElementById(id);
const element = (name, attributes, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

// What is packed into the page: gzip, in base64.
async function unpacked(id) {
  const bytes = Uint8Array.from(atob(byId(id).textContent.trim()), (c) => c.charCodeAt(0));
  return JSON.parse(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text());
}

function save(name, text) {
  const link = element("a", { href: URL.createObjectURL(new Blob([text], { type: "application/json" })), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}

// The steps from an input to its answer, as one picture that is moved by hand. Nothing moves unless somebody presses play.
function mover(section) {
  const strip = section.querySelector(".steps"), steps = [...strip.querySelectorAll("img")], curves = section.querySelector("svg");
  const picture = element("img", {}), says = element("output", {});
  const slider = element("input", { type: "range", min: 0, max: steps.length - 1, value: 0, "aria-label": "step on the way" });
  const play = element("button", { type: "button" }, "play");
  const xs = curves.querySelector(".curve").getAttribute("points").split(" ").map((point) => point.split(",")[0]);
  const here = curves.appendChild(document.createElementNS(curves.namespaceURI, "path"));
  here.setAttribute("class", "here");
  let playing = 0;
  const show = () => {
    const step = steps[slider.value];
    picture.src = step.src;
    picture.alt = says.textContent = step.alt;
    slider.setAttribute("aria-valuetext", step.alt);
    here.setAttribute("d", `M${xs[slider.value]} 6V110`);
  };
  const stop = () => {
    clearInterval(playing);
    playing = 0;
    play.textContent = "play";
  };
  slider.addEventListener("input", () => { stop(); show(); });
  play.addEventListener("click", () => {
    if (playing) return stop();
    if (Number(slider.value) === steps.length - 1) slider.value = 0;
    play.textContent = "pause";
    playing = setInterval(() => {
      slider.value = Number(slider.value) + 1;
      show();
      if (Number(slider.value) === steps.length - 1 || !section.isConnected) stop();
    }, 180);
  });
  strip.hidden = true;
  strip.before(element("div", { class: "mover" }, picture, element("div", {}, play, slider), says, curves));
  show();
}

// What a script adds to answers that stand in `root`.
function enhance(root) { root.querySelectorAll(".way").forEach(mover); }

// A list of answers: sorting, filtering, opening.
function list(table) {
  const body = table.tBodies[0], rows = [...body.rows], count = byId("count");
  let answers = null;
  const filters = { pair: byId("pair"), status: byId("status"), words: byId("words") };
  const apply = () => {
    let shown = 0;
    const words = filters.words.value.toLowerCase();
    for (const row of rows) {
      const fits = (!filters.pair.value || row.dataset.pair === filters.pair.value) && (!filters.status.value || row.dataset.status === filters.status.value) &&
        (!words || row.textContent.toLowerCase().includes(words));
      row.hidden = !fits;
      if (row.more) row.more.hidden = !fits || !row.open;
      shown += fits;
    }
    count.textContent = `${shown} of ${rows.length} shown`;
  };
  for (const filter of Object.values(filters)) filter.addEventListener("input", apply);
  table.tHead.querySelectorAll("button").forEach((button) => button.addEventListener("click", () => {
    const head = button.closest("th"), column = head.cellIndex, down = head.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const number = rows.every((row) => row.cells[column].dataset.value !== undefined);
    rows.sort((a, b) => (down ? -1 : 1) * (number ? value(a) - value(b) : value(a).localeCompare(value(b))));
    for (const row of rows) body.append(row, ...(row.more ? [row.more] : []));
  }));
  rows.forEach((row, i) => {
    const button = element("button", { type: "button", class: "open", "aria-expanded": "false" }, "open");
    row.cells[0].append(" ", button);
    button.addEventListener("click", async () => {
      try {
        answers ??= await unpacked("answers");
        if (!row.more) {
          const cell = element("td", { colspan: row.cells.length });
          cell.innerHTML = answers[i].html;  // written by the program, and the page's policy lets nothing in it run
          enhance(cell);
          row.more = element("tr", {}, cell);
          row.after(row.more);
        }
        row.open = !row.open;
        row.more.hidden = !row.open;
        button.setAttribute("aria-expanded", String(row.open));
        button.textContent = row.open ? "close" : "open";
      } catch {
        button.replaceWith("(this browser cannot open it)");
      }
    });
  });
  byId("records").addEventListener("click", async () => {
    answers ??= await unpacked("answers");
    save("records.jsonl", answers.map((answer) => JSON.stringify(answer.record)).join("\n") + "\n");
  });
  document.querySelectorAll(".needs-script").forEach((part) => { part.hidden = false; });
  apply();
}

document.querySelectorAll("table.list").forEach(list);
enhance(document);
