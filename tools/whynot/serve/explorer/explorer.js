"use strict";
// The explorer, after page.js. The fields at the top are one state; asking makes a job of it, and every answer is a card that remembers the state it was asked in.
// What somebody typed, and what files and packs are called, is only ever put into the page as text.
(() => {
const ui = new Proxy({}, { get: (_, id) => document.getElementById(id) });
const options = (values, first = []) => [...first, ...values.map((value) => make("option", { value }, value))];

// The only place where HTML is put in: `article` and `row` come from the program, which escapes all that was typed, and the policy of this page lets
// no script in them run.
const fromServer = (html, into) => Object.assign(into, { innerHTML: html });

class Quiet extends Error {}  // nothing to tell: somebody wanted it, or it stands there already

// An error stays until somebody closes it.
function complain({ message, constructor }) {
  if (constructor === Quiet || [...ui.errors.children].some((line) => line.firstChild.textContent === message)) return;
  const line = make("div", { className: "error", role: "alert" }, make("span", {}, message));
  line.append(button("Close", () => line.remove()));
  ui.errors.append(line);
}
const safely = (action) => async (...given) => {
  try { await action(...given); } catch (error) { complain(error); }
};
const on = (target, event, action) => target.addEventListener(event, safely(action));
function button(content, action, properties) {
  const made = make("button", { type: "button", ...properties }, content);
  on(made, "click", action);
  return made;
}

// Jobs.

const underWay = new Set();  // their paths; they end with this page
let limits = {};

async function request(path, method, job) {
  const body = job && JSON.stringify(job);
  if (body?.length > limits.body) throw new Error("That is more than the program takes at once. Choose a smaller picture.");
  const response = await fetch(path, { method, body, headers: body ? { "Content-Type": "application/json" } : {} }).catch(() => {
    throw new Error("The program does not answer. If it was ended, start it again: whynot serve");
  });
  if (response.ok) return response;
  ui.gone.hidden = response.status !== 401 && ui.gone.hidden;
  if (response.status === 401) throw new Quiet();
  const said = await response.json().catch(() => null);
  throw new Error(said?.error?.message ?? `The program answered ${response.status}.`);
}
const ask = async (...given) => (await request(...given)).json();

// Cancels a job, or has it forgotten; also while the page goes.
const drop = (path) => fetch(path, { method: "DELETE", keepalive: true }).catch(() => {});
function cancel(task) {
  if (!task.cancelled && underWay.has(task.path)) drop(task.path);
  task.cancelled = true;
}
addEventListener("pagehide", () => underWay.forEach(drop));

// Runs a job to its end; `show` hears how far it is. The program keeps it only where something of it can be saved later: `task.stays`.
async function run(job, task = {}, show = () => {}) {
  let now = await ask("/api/jobs", "POST", job);
  task.path = `/api/jobs/${now.job}`;
  underWay.add(task.path);
  if (task.cancelled) drop(task.path);
  try {
    while (!task.cancelled && ["waiting", "loading", "working"].includes(now.state)) {
      show(now.says);
      now = await ask(`${task.path}?wait=2`);
    }
  } catch (error) {
    throw task.cancelled ? new Quiet() : error;
  } finally {
    underWay.delete(task.path);
  }
  if (task.cancelled) throw new Quiet();
  if (!task.stays) drop(task.path);
  if (now.state !== "done") throw new Error(now.error?.message ?? "The program cancelled it. Ask again.");
  return now;
}

// The same with a line that says how far it is and for how long, and can end it.
async function runShown(what, job, task = {}) {
  const said = make("span", {}, `${what}: sent`), time = make("span", { className: "soft", ariaHidden: "true" }), since = Date.now();
  const line = make("p", {}, said, " ", time, " ", button("Cancel", () => cancel(task)));
  const clock = setInterval(() => { time.textContent = `${Math.round((Date.now() - since) / 1000)} s`; }, 1000);
  ui.pending.append(line);
  ui.results.ariaBusy = "true";
  try {
    return await run(job, task, (text) => { said.textContent = `${what}: ${text}`; });
  } finally {
    clearInterval(clock);
    line.remove();
    ui.results.ariaBusy = String(ui.pending.childElementCount > 0);
  }
}

// The state: pack, input, options.

const fields = ["text", "fact", "foil", "decode", "confidence", "many", "keep", "seed"];
let packs = [], picture = null, before = [];  // before: the picture stroke by stroke
let held = false;                             // filled in from a link: nothing runs until somebody asks

const packOf = (id) => packs.find((pack) => pack.id === id);
const packNow = () => packOf(ui.pack.value);
const isImage = (pack) => pack?.modality === "image";
function state() {
  const now = { pack: ui.pack.value };
  for (const id of fields) now[id] = ui[id].value;
  return isImage(packNow()) ? { ...now, text: "", many: "1", keep: "", picture } : now;
}
const parts = (text, between) => text.split(between).map((part) => part.trim()).filter(Boolean);
const inputs = (asked) => [asked.picture ? { image_base64: asked.picture.base64, name: asked.picture.name } : asked.text];
const isEmpty = (asked) => !asked.picture && !asked.text.trim();
const question = ({ pack, fact, foil, decode, confidence, many, keep, seed }) => ({
  do: "explain", pack, fact, foil, decode, confidence: Number(confidence), answers: Number(many), keep: parts(keep, ","), seed: Number(seed),
});

// The pack for a kind of input: the one that stands there, or else the first.
function toModality(image) {
  if (isImage(packNow()) === image) return;
  const fitting = packs.find((pack) => isImage(pack) === image);
  if (!fitting) throw new Error(`There is no pack for ${image ? "pictures" : "sentences"} here.`);
  choosePack(fitting.id);
}
function choosePack(id) {
  ui.pack.value = id;
  const { description, classes, version, licence, decodings } = packNow(), image = isImage(packNow());
  ui.about.textContent = `${description}; ${classes.length} classes; version ${version}. Terms: ${licence}`;
  for (const [select, values] of [[ui.fact, classes], [ui.foil, classes], [ui.decode, decodings]]) {
    const kept = select.value;
    select.replaceChildren(...options(values, [select.options[0]]));
    select.value = values.includes(kept) ? kept : "";
  }
  ui.many.disabled = ui.keep.disabled = image;
  ui.picture.hidden = !image || !picture;
  ui.go.textContent = `Ask about the ${image ? "picture" : "sentence"}`;
  safely(showSamples)();
}

const samples = new Map();
async function showSamples() {
  const pack = packNow();
  ui.samples.replaceChildren(held ? "This page was opened by a link. Nothing runs before you press Ask." : "…");
  if (held) return;
  if (!samples.has(pack)) samples.set(pack, (await run({ do: "samples", pack: pack.id })).samples);
  if (pack !== packNow()) return;
  const buttons = samples.get(pack).map(sampleButton);
  ui.samples.replaceChildren(...(buttons.length ? buttons : ["This pack has none."]));
}
function sampleButton(sample) {
  const { image_base64: base64, name = "sample.png", text = sample, fact = "", foil = "" } = sample;
  return button(base64 ? make("img", { src: `data:image/png;base64,${base64}`, alt: name }) : text, async () => {
    ui.fact.value = fact;
    ui.foil.value = foil;
    if (base64) await showPicture({ name, base64 });
    else ui.text.value = text;
    await classify();
  });
}

async function fill(asked) {
  if (!packOf(asked.pack)) throw new Error(`The pack "${asked.pack}" is not here.`);
  if (asked.picture) await showPicture(asked.picture);
  choosePack(asked.pack);
  for (const id of fields) {
    if (!asked.picture || id !== "text") ui[id].value = asked[id];
    if (ui[id].selectedIndex === -1) {
      ui[id].selectedIndex = 0;
      complain(new Error(`"${asked[id]}" cannot be chosen with the pack "${asked.pack}".`));
    }
  }
}

// Links: the state as base64url of JSON.

const mostInLink = 8 * 1024 * 4 / 3;  // of a picture, in base64
async function base64Of(blob) {
  const reader = new FileReader();
  reader.readAsDataURL(blob);
  await new Promise((done) => { reader.onloadend = done; });
  if (reader.error) throw new Error("The file cannot be read.");
  return reader.result.slice(reader.result.indexOf(",") + 1);
}

async function copyLink() {
  const asked = state(), isLarge = asked.picture?.base64.length > mostInLink;
  if (isLarge) asked.picture = null;
  const text = await base64Of(new Blob([JSON.stringify(asked)]));
  history.replaceState(null, "", `#state=${text.replaceAll("+", "-").replaceAll("/", "_")}`);
  const copied = await navigator.clipboard.writeText(location.href).then(() => "copied", () => "in the address bar");
  ui.said.textContent = `The link is ${copied}.${isLarge ? " It is without the picture, which has more than 8 KB." : ""}`;
}
async function openLink() {
  if (!location.hash.startsWith("#state=")) return;
  held = true;
  let asked;
  try {
    asked = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytesOf(location.hash.slice(7).replaceAll("-", "+").replaceAll("_", "/"))));
    const all = [...["pack", ...fields].map((id) => asked[id]), ...(asked.picture ? [asked.picture.name, asked.picture.base64] : [])];
    if (!all.every((value) => typeof value === "string")) throw new Error("a part is missing");
  } catch {
    throw new Error("What this address says after # cannot be read: it is no whole link of the explorer.");
  }
  await again(asked);
}

// The picture, and drawing on it.

const brush = { x: 0, y: 0, isDown: false };

async function showPicture(chosen, earlier = []) {
  const bitmap = await Promise.resolve().then(() => createImageBitmap(new Blob([bytesOf(chosen.base64)]))).catch(() => {
    throw new Error(`"${chosen.name}" cannot be read as a picture.`);
  });
  const { width, height } = bitmap, longest = Math.max(width, height), scale = 320 / longest;
  if (width * height > limits.pixels) throw new Error(`"${chosen.name}" has ${width} x ${height} pixels, more than are taken.`);
  Object.assign(ui.canvas, { width, height, ariaLabel: `the picture ${chosen.name}, ${width} x ${height} pixels` });
  ui.canvas.style.width = `${width * (scale > 1 ? Math.floor(scale) : scale)}px`;
  ui.canvas.getContext("2d").drawImage(bitmap, 0, 0);
  if (!earlier.length) {
    Object.assign(brush, { x: width / 2, y: height / 2, step: Math.ceil(longest / 32) });
    Object.assign(ui.size, { max: Math.ceil(longest / 4), value: Math.ceil(longest / 16) });
  }
  picture = chosen;
  before = earlier;
  toModality(true);
  ui.picture.hidden = false;
}
function moveBrush(x, y) {
  const scale = ui.canvas.clientWidth / ui.canvas.width, { style } = ui.cursor;
  Object.assign(brush, { x: Math.min(ui.canvas.width, Math.max(0, x)), y: Math.min(ui.canvas.height, Math.max(0, y)) });
  style.left = `${brush.x * scale}px`;
  style.top = `${brush.y * scale}px`;
  style.width = style.height = `${ui.size.value * scale}px`;
}
function paintTo(x, y) {
  const context = ui.canvas.getContext("2d");
  Object.assign(context, { strokeStyle: ui.brush.value, lineWidth: ui.size.value, lineCap: "round" });
  context.beginPath();
  context.moveTo(brush.x, brush.y);
  moveBrush(x, y);
  context.lineTo(brush.x + 0.01, brush.y);  // a line of no length would not be drawn
  context.stroke();
}
// A stroke has ended: what is drawn is the picture now.
function endStroke() {
  before.push(picture);
  picture = { name: "drawn.png", base64: ui.canvas.toDataURL().split(",")[1] };
  classifySoon();
}
async function back(strokes) {
  if (!before.length) return;
  await showPicture(before.at(-strokes), before.slice(0, -strokes));
  classifySoon();
}
function toDraw(isOn) {
  ui.cursor.hidden = ui.brushes.hidden = !isOn;
  ui.draw.ariaExpanded = String(isOn);
  ui.canvas.classList.toggle("drawing", isOn);
  if (isOn) ui.canvas.focus();
  moveBrush(brush.x, brush.y);
}
const isDrawing = () => !ui.brushes.hidden;
function place({ offsetX, offsetY }) {
  const scale = ui.canvas.width / ui.canvas.clientWidth;
  return [offsetX * scale, offsetY * scale];
}
on(ui.draw, "click", () => toDraw(!isDrawing()));
on(ui.undo, "click", () => back(1));
on(ui.clear, "click", () => back(before.length));
on(ui.size, "input", () => moveBrush(brush.x, brush.y));
on(ui.canvas, "pointerdown", (event) => {
  if (!isDrawing()) return;
  ui.canvas.setPointerCapture(event.pointerId);
  brush.isDown = true;
  moveBrush(...place(event));
  paintTo(brush.x, brush.y);
});
on(ui.canvas, "pointermove", (event) => { if (brush.isDown) paintTo(...place(event)); });
on(ui.canvas, "lostpointercapture", () => {
  brush.isDown = false;
  endStroke();
});
on(ui.canvas, "keydown", (event) => {
  const { step } = brush, move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
  const isUndo = event.key === "z" && (event.ctrlKey || event.metaKey);
  if (!isDrawing() || !(move || isUndo || event.key === " ")) return;
  event.preventDefault();
  if (isUndo) return back(1);
  if (move) return moveBrush(brush.x + move[0], brush.y + move[1]);
  paintTo(brush.x, brush.y);
  endStroke();
});

// What the classifier says, while somebody types.

let classifying = {}, timer = 0, likeliest = [];  // classes
function classifySoon() {
  clearTimeout(timer);
  timer = setTimeout(safely(classify), 400);
}
async function classify() {
  clearTimeout(timer);
  cancel(classifying);
  const task = classifying = {}, asked = state();
  if (held || isEmpty(asked)) {
    ui.verdict.textContent = "";
    return ui.says.replaceChildren();
  }
  ui.says.ariaBusy = "true";
  try {
    const { classifications: [said] } = await run({ do: "classify", pack: asked.pack, inputs: inputs(asked) }, task);
    showBars(said);
  } finally {
    if (task === classifying) ui.says.ariaBusy = "false";
  }
}

const percent = (p) => (p < 0.0005 ? "<0.1 %" : p >= 0.9995 ? ">99.9 %" : `${(100 * p).toFixed(1)} %`);
function bar(name, probability) {
  const length = make("i"), made = button(make("span", {}, name, make("b")), () => { ui.foil.value = name; mark(); }, { className: "choice", value: name });
  length.style.width = `${100 * probability}%`;
  made.append(percent(probability), length);
  return made;
}
function showBars({ probabilities, warnings, reason }) {
  likeliest = Object.keys(probabilities ?? {}).sort((a, b) => probabilities[b] - probabilities[a]);
  const bars = likeliest.map((name) => bar(name, probabilities[name])), [first] = likeliest;
  const notes = [reason, ...(warnings ?? [])].filter(Boolean).map((text) => make("p", { className: "note" }, make("b", {}, "note"), `: ${text}`));
  ui.verdict.textContent = first ? `${first}, ${percent(probabilities[first])}` : "no class";
  ui.says.replaceChildren(...notes, ...bars.slice(0, 5));
  if (bars.length > 5) ui.says.append(moreBars(bars.slice(5)));
  mark();
}
function moreBars(bars) {
  const filter = make("input", { type: "search" });
  on(filter, "input", () => bars.forEach((one) => { one.hidden = !one.value.toLowerCase().includes(filter.value.toLowerCase()); }));
  return make("details", {}, make("summary", {}, `${bars.length} more`), make("label", {}, "Only those with ", filter), make("div", { className: "rest" }, ...bars));
}
// Says in words which bars are fact and foil. The fact cannot be the foil as well.
function mark() {
  const fact = ui.fact.value || likeliest[0], foil = ui.foil.value || likeliest.find((name) => name !== fact);
  for (const one of ui.says.querySelectorAll(".choice")) {
    const kind = one.value === fact ? "fact" : one.value === foil ? "foil" : "", said = one.querySelector("b");
    one.disabled = kind === "fact";
    one.ariaPressed = String(kind === "foil");
    said.className = kind;
    said.textContent = kind && ` (${kind})`;
  }
}

// Answers.

async function askFor(asked, beside) {
  if (isEmpty(asked)) throw new Error("Type a sentence or choose a picture first.");
  if (held) {
    held = false;
    safely(showSamples)();
    safely(classify)();
  }
  const task = { stays: true }, done = await runShown(`Asking ${asked.pack}`, { ...question(asked), inputs: inputs(asked) }, task);
  const made = answerCard(asked, done.answers[0], task.path);
  ui.said.textContent = `Answered in ${done.seconds.toFixed(1)} s: ${made.ariaLabel}`;
  ui.none.hidden = true;
  ui.past.prepend(make("li", {}, button(`${made.ariaLabel} ${asked.picture?.name ?? asked.text} (${asked.pack})`, () => again(asked, made))));
  show(made, beside);
}
async function again(asked, made) {
  if (made) show(made);
  await fill(asked);
  safely(classify)();
}

// A card and its parts by class. @param title HTML of the program
function card(title, under, html) {
  const made = ui.cardParts.content.firstElementChild.cloneNode(true), part = (name) => made.querySelector(`.${name}`);
  fromServer(title, part("title"));
  part("under").append(under);
  enhance(fromServer(html, part("article")));
  made.ariaLabel = part("title").textContent;
  on(part("remove"), "click", () => made.remove());
  return [made, part];
}
// An answer makes room for the next one, unless it, or the one that it stands beside, is pinned.
function show(made, beside) {
  if (beside) {
    made.beside = beside;
    beside.after(made);
  } else {
    for (const other of [...ui.results.children]) if (!other.pinned && !other.beside?.pinned) other.remove();
    ui.results.prepend(made);
  }
  made.scrollIntoView({ block: "nearest" });
}

function answerCard(asked, { record, title, article }, path) {
  const [made, part] = card(title, `${record.pack.id} ${record.pack.version}`, article), { id, question: { fact, foil } } = record;
  const press = (name, action) => on(part(name), "click", action);
  const get = async (what, name) => save(name, await (await request(`${path}/${what}`)).blob());
  press("pin", () => {
    made.pinned = !made.pinned;
    part("pin").textContent = made.pinned ? "Unpin" : "Pin";
  });
  press("record", () => save(`${id}.json`, `${JSON.stringify(record)}\n`));
  press("page", () => get("page", `${id}.html`));
  press("figure", () => get("figure?answer=0", `${id}.svg`));

  part("draw").hidden = !asked.picture;
  press("draw", async () => {
    await again(asked);
    toDraw(true);
  });
  const words = parts(asked.text, /\s/);
  part("without").hidden = words.length < 2;
  part("without").append(...words.map((word, i) => button(word, async () => {
    await again({ ...asked, text: words.filter((_, j) => j !== i).join(" ") });
    await askFor(state());
  }, { ariaLabel: `ask without ${word}` })));

  // The same question to another pack; one that has other classes is asked for its own likeliest and runner-up.
  const others = packs.filter((pack) => pack.id !== asked.pack && pack.modality === packOf(asked.pack).modality);
  part("other").hidden = !others.length;
  part("packs").append(...options(others.map((pack) => pack.id)));
  press("askOther", () => {
    const pack = packOf(part("packs").value), isSame = [fact, foil].every((name) => pack.classes.includes(name));
    return askFor({ ...asked, pack: pack.id, fact: isSame ? fact : "", foil: isSame ? foil : "", decode: pack.decodings.includes(asked.decode) ? asked.decode : "" }, made);
  });

  // A map of what the decision comes from.
  const job = { do: "attribute", pack: asked.pack, inputs: inputs(asked), fact: fact ?? "", foil: foil ?? "", seed: Number(asked.seed) };
  press("look", async () => {
    const { methods } = await runShown("Looking for methods", job);
    part("methods").replaceChildren(...methods.map(({ name, title, needs }) => make("option", { value: name }, `${title}${needs ? ` (needs: ${needs})` : ""}`)));
    part("look").hidden = true;
    part("maps").hidden = false;
    part("methods").focus();
  });
  press("map", async () => {
    const method = part("methods").value, { attributions: [map] } = await runShown(`Asking ${method}`, { ...job, method });
    const [beside, of] = card("where does it look?", `${method}, ${asked.pack}: ${made.ariaLabel}`, map.article);
    of("without").remove();
    of("tools").replaceChildren(of("remove"));
    show(beside, made);
  });
  return made;
}

// A whole file.

const most = 2000, atOnce = 16, bytesAtOnce = 8e6;
let batch = null, batchTask = null;  // rows of cells, or of one picture each; while they are asked

// RFC 4180.
function csvRows(text) {
  const rows = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|\r|$)/g)) {
    rows.at(-1).push(quoted?.replaceAll('""', '"') ?? plain);
    if (end !== ",") rows.push([]);
  }
  return rows.filter((row) => row.some(Boolean));
}
const isTable = ({ name }) => /\.csv$/i.test(name);
const isText = (file) => isTable(file) || /\.txt$/i.test(file.name);
async function chooseBatch(files) {
  if (batchTask) throw new Error("A file is being asked. Cancel that first.");
  const [file] = files, image = !isText(file);
  if (files.length > 1 && files.some(isText)) throw new Error("Choose one .txt or .csv file, or several pictures.");
  let rows = files.map((one) => [one]), heads = [file.name];
  if (isTable(file)) [heads = [], ...rows] = csvRows(await file.text());
  else if (!image) rows = parts(await file.text(), /[\r\n]/).map((line) => [line]);
  batch = { image, rows: rows.slice(0, most) };
  ui.column.replaceChildren(...heads.map((head, value) => make("option", { value }, head)));
  ui.batchWhat.textContent = `${batch.rows.length} questions${rows.length > most ? `, the first of ${rows.length}` : ""}. They are asked with the fact, the foil and the further options from above.`;
  ui.column.parentElement.hidden = heads.length < 2;
  ui.batchReady.hidden = false;
  ui.batchGo.focus();
}
// So many at once as one job takes.
function* groups(all) {
  let group = [], bytes = 0;
  for (const one of all) {
    const size = one.size ?? one.length;
    if (group.length === atOnce || (group.length && bytes + size > bytesAtOnce)) {
      yield group;
      [group, bytes] = [[], 0];
    }
    group.push(one);
    bytes += size;
  }
  if (group.length) yield group;
}
async function askBatch() {
  toModality(batch.image);
  const all = batch.rows.map((row) => row[ui.column.value]).filter(Boolean), asked = question(state()), answers = [], task = batchTask = {};
  ui.batchTable.replaceChildren(ui.tableParts.content.cloneNode(true));
  const table = ui.batchTable.querySelector("table");
  const tell = (text) => {
    ui.batchBar.value = answers.length / all.length;
    ui.batchSaid.textContent = `${answers.length} of ${all.length} answered; ${text}`;
  };
  const running = (isOn) => {
    ui.batchGo.disabled = isOn;
    ui.batchStop.disabled = !isOn;
  };
  held = false;
  running(true);
  try {
    for (const group of groups(all)) {
      tell("sending");
      const some = await Promise.all(group.map(async (one) => (batch.image ? { image_base64: await base64Of(one), name: one.name } : one)));
      const done = await run({ ...asked, inputs: some, frames: false, first: answers.length + 1 }, task, tell);
      for (const answer of done.answers) table.tBodies[0].append(fromServer(answer.row, make("tbody")).firstElementChild);
      answers.push(...done.answers);
    }
  } finally {
    batchTask = null;
    running(false);
    tell("ended");
    ui.batchEnd.textContent = `${answers.length} of ${all.length} are answered.`;
    for (const kind of ["pair", "status"]) ui[kind].append(...options([...new Set([...table.tBodies[0].rows].map((row) => row.dataset[kind]))].sort()));
    list(table, answers);
  }
}
// What comes from a person.

async function takeFiles(list) {
  const files = [...list], [file] = files;
  if (!file) return;
  if (files.length > 1 || isText(file)) return chooseBatch(files);
  if (!/^image\/(png|jpeg)$/.test(file.type)) throw new Error(`"${file.name}" is neither PNG nor JPEG.`);
  await showPicture({ name: file.name, base64: await base64Of(file) });
  await classify();
}
// Of a drop or a paste, only files are taken.
const takeFrom = (kind) => (event) => {
  const hasFiles = Boolean(event[kind]?.types.includes("Files"));
  document.body.classList.toggle("drop", hasFiles && event.type === "dragover");
  if (!hasFiles || event.type === "dragleave") return;
  event.preventDefault();
  return event.type === "dragover" || takeFiles(event[kind].files);
};
for (const event of ["dragover", "drop", "dragleave"]) on(window, event, takeFrom("dataTransfer"));
on(window, "paste", takeFrom("clipboardData"));
on(window, "hashchange", openLink);
on(ui.file, "click", () => { ui.file.value = ""; });  // the same file may be chosen again
on(ui.file, "change", () => takeFiles(ui.file.files));
on(ui.ask, "submit", (event) => {
  event.preventDefault();
  return askFor(state());
});
ui.ask.addEventListener("invalid", () => { ui.further.open = true; }, true);  // what is wrong has to be seen
on(ui.text, "input", () => {
  toModality(false);
  classifySoon();
});
on(ui.text, "keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ui.ask.requestSubmit();
});
on(ui.pack, "change", () => {
  choosePack(ui.pack.value);
  return classify();
});
for (const select of [ui.fact, ui.foil]) on(select, "change", mark);
on(ui.link, "click", copyLink);
on(ui.batchFile, "change", () => ui.batchFile.files.length && chooseBatch([...ui.batchFile.files]));
on(ui.batchGo, "click", askBatch);
on(ui.batchStop, "click", () => cancel(batchTask));

safely(async () => {
  ({ whynot: ui.version.textContent, limits } = await ask("/api/version"));
  ({ packs } = await ask("/api/packs"));
  if (!packs.length) throw new Error("There is no pack here that can be asked. See: whynot packs list");
  ui.pack.append(...options(packs.map((pack) => pack.id)));
  held = location.hash.startsWith("#state=");
  choosePack(packs[0].id);
  await openLink();
})();
})();
