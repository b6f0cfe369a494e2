"use strict";
// Adds to a page that can be read without it.
const byId = (id) => document.getElementById(id);
const make = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

// What is packed into the page: gzip in base64.
async function unpacked(id) {
  return JSON.parse(await new Response(new Blob([bytesOf(byId(id).textContent)]).stream().pipeThrough(new DecompressionStream("gzip"))).text());
}

function save(name, data) {
  const href = URL.createObjectURL(new Blob([data]));
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
}

// The steps from an input to its answer, as one picture that is moved by hand. Nothing moves unless somebody presses play.
function mover(section) {
  const strip = section.querySelector(".steps"), steps = [...strip.querySelectorAll("img")], curves = section.querySelector("svg");
  const picture = make("img"), says = make("output");
  const slider = make("input", { type: "range", max: steps.length - 1, value: 0, ariaLabel: "step on the way" });
  const play = make("button", { type: "button" }, "play");
  const xs = curves.querySelector(".curve").getAttribute("points").split(" ").map((point) => point.split(",")[0]);
  const here = curves.appendChild(document.createElementNS(curves.namespaceURI, "path"));
  here.setAttribute("class", "here");
  let playing = 0;
  const show = () => {
    const step = steps[slider.value];
    picture.src = step.src;
    picture.alt = says.textContent = step.alt;
    slider.ariaValueText = step.alt;
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
  strip.before(make("div", { className: "mover" }, picture, make("div", {}, play, slider), says, curves));
  show();
}

// What a script adds to answers that stand in `root`.
function enhance(root) { root.querySelectorAll(".way").forEach(mover); }

// What a list of answers is saved as: a file, what stands before its lines, a line, what stands behind.
const tables = {
  records: ["records.jsonl", "", ({ record }) => `${JSON.stringify(record)}\n`, ""],
  csv: ["answers.csv", "no.,fact,foil,status,answer is foil,input,answer\r\n", ({ csv }) => csv, ""],
  latex: ["answers.tex", "\\begin{tabular}{rlllrll}\nno. & fact & foil & status & answer is foil & input & answer \\\\\n", ({ latex }) => latex, "\\end{tabular}\n"],
};

// A list of answers: sorting, filtering, opening, saving. The answers are given, or in the page.
function list(table, answers) {
  const body = table.tBodies[0], rows = [...body.rows], count = byId("count");
  const fits = (row) => ["pair", "status"].every((kind) => ["", row.dataset[kind]].includes(byId(kind).value)) &&
    row.textContent.toLowerCase().includes(byId("words").value.toLowerCase());
  const apply = () => {
    let shown = 0;
    for (const row of rows) {
      row.hidden = !fits(row);
      if (row.more) row.more.hidden = row.hidden || !row.open;
      shown += !row.hidden;
    }
    count.textContent = `${shown} of ${rows.length} shown`;
  };
  for (const id of ["pair", "status", "words"]) byId(id).addEventListener("input", apply);
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
    const button = make("button", { type: "button", className: "open", ariaExpanded: "false" }, "open");
    row.cells[0].append(" ", button);
    button.addEventListener("click", async () => {
      try {
        answers ??= await unpacked("answers");
        if (!row.more) {
          const cell = make("td", { colSpan: row.cells.length });
          cell.innerHTML = `<h2>${answers[i].title}</h2>${answers[i].article}`;  // written by the program, and the policy lets nothing in it run
          enhance(cell);
          row.more = make("tr", {}, cell);
          row.after(row.more);
        }
        row.open = !row.open;
        row.more.hidden = !row.open;
        button.ariaExpanded = String(row.open);
        button.textContent = row.open ? "close" : "open";
      } catch {
        button.replaceWith("(this browser cannot open it)");
      }
    });
  });
  for (const [id, [name, before, line, after]] of Object.entries(tables)) byId(id).addEventListener("click", async () => {
    answers ??= await unpacked("answers");
    save(name, before + answers.map(line).join("") + after);
  });
  document.querySelectorAll(".needs-script").forEach((part) => { part.hidden = false; });
  apply();
}

document.querySelectorAll("table.list").forEach((table) => list(table));
enhance(document);
