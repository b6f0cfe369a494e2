"use strict";
// A participant's page. The server says which screen comes; the next one is shown only when it has acknowledged the answer.
// What comes from a study is only ever put into the page as text.
(() => {
const ui = new Proxy({}, { get: (_, id) => document.getElementById(id) });
const make = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
const on = (target, event, action) => target.addEventListener(event, action);
const pressing = (content, action, properties) => {
  const made = make("button", { type: "button", ...properties }, content);
  on(made, "click", action);
  return made;
};
const tell = (text) => { ui.status.textContent = text; };

let participant = "", seq = 0;
let turn = 0;                              // of talking with the server: a later one ends those before it
let since = 0, ready = false;              // since when the screen is seen, and whether it takes an answer
let blurs = 0, away = !document.hasFocus();

// Talking with the server.

class Refused extends Error {}  // the server has decided: to ask again changes nothing
async function request(path, body) {
  const response = await fetch(path, {
    method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" },
    cache: "no-store", keepalive: true, signal: AbortSignal.timeout(20000),
  });
  const { ok, status } = response, said = await response.json().catch(() => null);
  if (said?.error?.code === "full") throw new Refused("full");
  if (status === 409) return said?.now ?? request("/api/now", { participant });
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) throw new Refused(status);
  const next = said?.now ?? said;
  if (!ok || !next?.screen) throw new Error("no answer of the study");  // a proxy or a hotel's network may say something else
  return next;
}
const pause = (seconds) => new Promise((done) => {
  setTimeout(done, 1000 * seconds);
  addEventListener("online", done, { once: true });
});
async function patiently(mine, attempt, complaint) {
  for (let wait = 1; ; wait = Math.min(2 * wait, 30)) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof Refused) throw error;
    }
    if (mine !== turn) return null;
    tell(complaint);
    await pause(wait);
    if (mine !== turn) return null;
  }
}

// Asks until the server answers, and shows the screen that it names. A repeated body is the same to the letter, so it counts once.
async function step(path, body, complaint = "Not saved yet. Trying again.") {
  const mine = ++turn;
  lock(true);
  tell("");
  const slow = setTimeout(() => ui.status.textContent || tell("One moment …"), 400);
  try {
    const next = await patiently(mine, () => request(path, body), complaint);
    if (mine !== turn) return;
    const loaded = await patiently(mine, () => load(next.screen), "The pictures are not here yet. Trying again.");
    if (mine === turn) show(next, loaded);
  } catch (error) {
    if (mine === turn) fail(error, body);
  } finally {
    clearTimeout(slow);
  }
}
const nothingSaved = "Nothing about you was saved. You may close this page. If you came from a recruiting site, please return your submission there.";
function fail({ message }, body) {
  if (message === "full") {
    return show({ participant, seq, screen: { kind: "withdrawn", title: "This study has all the participants it needs", text: nothingSaved } });
  }
  if (message !== "404") {
    lock(false);
    return tell(`Something went wrong (${message}). Please load this page again. If that does not help, tell the people who run this study.`);
  }
  // Whoever asks twice to be deleted, because the first acknowledgement got lost, is no longer known.
  if (body?.delete) return show({ participant, seq, screen: { kind: "withdrawn", title: "You have withdrawn", text: "Your data are deleted." } });
  const text = "The link is not complete, it belongs to another study, or the data behind it were deleted.";
  return show({ participant, seq, screen: { kind: "unknown", title: "This link is not known here", text } });
}
function lock(isOn) {
  ready = !isOn;
  for (const control of ui.main.querySelectorAll("button, input")) control.disabled = isOn;
}
const secondsHere = () => Math.round(performance.now() - since) / 1000;
function send(answer, more) {
  if (!ready) return;
  const given = { answer, ...more, seconds: secondsHere(), blurs };
  if (participant) step("/api/answer", { participant, seq, ...given });
  else step("/api/begin", { ...comer(), ...given }, "The study does not answer. Trying again.");
}

// Pictures.

let pictures = new Map();  // those of the screen, by address
const filesOf = (value) => (typeof value === "string" ? (/^\/file\/[0-9a-f]+$/.test(value) ? [value] : []) : Object.values(value ?? {}).flatMap(filesOf));
async function loadOne(src) {
  const picture = make("img", { src });
  await Promise.race([picture.decode(), pause(60).then(() => { throw new Error("slow"); })]);
  return [src, picture];
}
const load = async (screen) => new Map(await Promise.all([...new Set(filesOf(screen))].map(loadOne)));
const image = (src, alt) => Object.assign(pictures.get(src).cloneNode(), { alt });  // a copy of what is loaded is there at once

// A screen.

function show(next, loaded = new Map()) {
  const { screen } = next, { kind, title = "" } = screen, isOver = ["end", "withdrawn", "unknown"].includes(kind);
  pictures = loaded;
  ({ participant, seq } = next);
  remember(isOver);
  const heading = make("h1", { tabIndex: -1 }, ...(headings[kind]?.(screen) ?? [title]));
  ui.main.className = kind;
  ui.main.replaceChildren(heading, ...screens[kind](screen));
  document.title = [heading.textContent, next.title].filter(Boolean).join(" – ");
  ui.top.hidden = isOver;
  ui.keys.parentElement.hidden = isOver;
  ui.foot.hidden = !participant || ["withdrawn", "unknown"].includes(kind);
  ui.where.textContent = `screen ${seq} of ${next.screens}`;
  Object.assign(ui.progress, { max: next.screens || 1, value: seq });
  if (isOver) ui.dialog.close();
  tell("");
  scrollTo(0, 0);
  heading.focus({ preventScroll: true });
  startClock();
}
// The clock runs from the frame after the first one with the screen. For a moment nothing is taken: the second click of a double click, which was meant
// for the screen before, would answer this one.
function startClock() {
  const mine = turn;
  blurs = 0;
  ready = false;
  delete ui.main.dataset.ready;
  requestAnimationFrame(() => requestAnimationFrame(() => {
    since = performance.now();
    setTimeout(() => {
      ready = mine === turn;
      if (ready) ui.main.dataset.ready = "yes";
    }, 300);
  }));
}
// The address goes on after a reload, without a new entry to go back to; of one who is through it keeps nothing.
function remember(isOver) {
  if (!participant) return;  // has not agreed yet
  const address = isOver ? "/" : `/#p=${participant}`;
  if (location.pathname + location.search + location.hash !== address) history.replaceState(null, "", address);
  store((kept) => kept.setItem("participant", participant));
}
// A browser may forbid it. Then the address has to do.
function store(action) {
  try { return action(sessionStorage); } catch { return null; }
}

const paragraphs = (text) => text.split(/\n\s*\n/).filter((part) => part.trim()).map((part) => make("p", { className: "text" }, part.trim()));
const stimulus = ({ picture, text }, alt) => (picture ? image(picture, alt) : make("p", { className: "words", dir: "auto" }, text));
const figure = (caption, ...content) => make("figure", {}, ...content, ...(caption ? [make("figcaption", {}, caption)] : []));
const mainButton = (text, action) => make("p", {}, pressing(text, action, { className: "main" }));
const nextButton = (text, more) => mainButton(text, () => send("next", more?.()));
const aside = (text) => make("span", { className: "aside" }, text);  // for those who hear the page
const sign = (text) => make("span", { ariaHidden: "true" }, text);   // for those who see it

// Fieldsets of radio buttons, of which none is preset.
function radios(name, legend, labels, first) {
  const choices = labels.map((label, i) => make("label", {}, make("input", { type: "radio", name, value: first + i }), label));
  const made = make("fieldset", {}, make("legend", {}, make("span", {}, legend), make("b", {})), make("div", { className: "radios" }, ...choices));
  on(made, "change", () => mark(made, ""));
  return made;
}
const points = ({ points: many, low, high }) => Array.from({ length: many }, (_, i) => [i + 1, { 0: low, [many - 1]: high }[i]].filter(Boolean).join(": "));
const chosen = (field) => field.querySelector(":checked");
const mark = (field, text) => { field.querySelector("legend b").textContent = text; };
// Says which answers are missing and goes to the first, or gives them to `finish`, as numbers.
function form(fields, button, finish) {
  const missing = make("p", { className: "missing", role: "alert", hidden: true });
  const made = make("form", {}, ...fields, missing, make("p", {}, make("button", { className: "main" }, button)));
  on(made, "submit", (event) => {
    event.preventDefault();
    const open = fields.filter((field) => !chosen(field));
    for (const field of fields) mark(field, open.includes(field) ? " Please choose an answer." : "");
    missing.hidden = !open.length;
    missing.textContent = `Not answered yet: ${open.map((field) => `“${field.querySelector("legend span").textContent}”`).join(", ")}`;
    if (open.length) open[0].querySelector("input").focus();
    else finish(fields.map((field) => Number(chosen(field).value)));
  });
  return made;
}
const sheet = (asked, button, fields) => form(fields, button, (values) => send(Object.fromEntries(asked.map(({ id }, i) => [id, values[i]]))));

const headings = {
  trial: ({ title, number, of }) => [title || `Question ${number} of ${of}`],
  feedback: ({ right }) => [make("span", { className: right ? "right" : "wrong" }, sign(right ? "✓ " : "✗ "), right ? "Right" : "Wrong")],
};
const screens = {
  text: ({ text, button }) => [...paragraphs(text), nextButton(button), ...(participant ? [] : [make("p", {}, pressing("I do not agree", disagree))])],
  questions: ({ questions, button = "Next" }) => [sheet(questions, button, questions.map(({ text, choices }, i) => radios(i, text, choices, 0)))],
  scale: (screen) => [sheet(screen.statements, screen.button, screen.statements.map(({ text }, i) => radios(i, text, points(screen), 1)))],
  trial,
  feedback: ({ says, explanation, button, ...input }) => {
    const panels = make("div", { className: "panels" }, figure(input.picture && "the picture", stimulus(input, "what was asked about")));
    const seen = new Set();  // the steps of a way that were looked at
    if (explanation) panels.append(figure(explanation.caption, ...explained[explanation.kind](explanation, seen)));
    return [...paragraphs(says), panels, nextButton(button, () => (seen.size ? { steps_seen: seen.size } : {}))];
  },
  end: ({ text, code, url, number }) => [
    ...paragraphs(text), ...(code ? [codeField(code)] : []), ...(url ? [wayBack(url)] : []),
    ...paragraphs(`Your number in this study is ${number}. Keep it if you may want to ask later for your data to be deleted; now the button below does that.`),
  ],
  withdrawn: ({ text, number }) => [...paragraphs(text), ...(number ? paragraphs(`Your number in this study was ${number}. With it you can ask later for your data to be deleted.`) : [])],
  unknown: ({ text }) => [...paragraphs(text), mainButton("Start from the beginning", first)],
};
function disagree() {
  ++turn;
  show({ participant, seq, screen: { kind: "withdrawn", title: "Thank you", text: nothingSaved } });
}

// One of two. Where it is asked how sure somebody is, that comes after the choice, which may still be changed.
function trial({ ask, instruction, edited, choices, confidence, ...input }) {
  const isEdit = ask === "after-edit";
  const question = isEdit ? "What does the computer call it after this change?" : instruction || "What does the computer call this?";
  let answer = "", chosenAfter = 0;
  const sure = confidence && form([radios("confidence", "How sure are you?", points(confidence), 1)], "Next", ([value]) => send(answer, { confidence: value, choice_seconds: chosenAfter }));
  const choose = (name, pressed) => {
    if (!sure) return send(name);
    if (!ready) return;
    answer = name;
    chosenAfter = secondsHere();
    for (const button of buttons) button.ariaPressed = String(button === pressed);
    sure.hidden = false;
    (chosen(sure) ?? sure.querySelector("input")).focus();
  };
  const buttons = choices.map((name, i) => {
    const made = pressing(name, () => choose(name, made), { className: "choice", ariaPressed: sure ? "false" : null });
    made.append(make("small", {}, " key ", make("kbd", {}, String(i + 1)), " or ", make("kbd", {}, "FJ"[i])));
    return made;
  });
  if (sure) sure.hidden = true;
  return [
    ...(isEdit ? paragraphs(instruction ?? "") : []),
    isEdit ? pair(input, edited) : stimulus(input, "what is asked about"),
    make("fieldset", {}, make("legend", {}, question), make("div", { className: "choices" }, ...buttons)),
    ...(sure ? [sure] : []),
  ];
}
const pair = (input, edited) => make(
  "div", { className: "pair" }, figure("before", stimulus(input, "before the change")), sign("→"), figure("after the change", stimulus(edited, "after the change")),
);

// Explanations.

const explained = {
  map: ({ picture }) => [image(picture, "a map of the picture")],
  edit: ({ picture }) => [image(picture, "the changed picture")],
  morph, words,
  grid: ({ rows }) => rows.flatMap(({ name, pictures: files, texts }) => {
    const examples = files ? files.map((src, i) => image(src, `${name}, example ${i + 1}`)) : texts;
    return [make("h2", {}, name), make("ol", { className: files ? "examples" : "" }, ...examples.map((example) => make("li", { dir: "auto" }, example)))];
  }),
  edits: ({ parts }) => [make("p", { className: "words", dir: "auto" }, ...parts.map(([kind, text]) => (
    kind === "kept" ? text : make(kind === "deleted" ? "del" : "ins", {}, aside(`${kind}: `), text, aside("; "))
  )))],
};
// The steps of a way, moved by hand. Nothing moves before somebody presses Play; three steps a second do not flicker.
function morph({ steps, says }, seen) {
  const frames = steps.map((src, i) => image(src, says[i])), output = make("output", { ariaLive: "off" });
  const slider = make("input", { type: "range", max: steps.length - 1, ariaLabel: "step" }), play = pressing("Play", () => (playing ? stop() : start()));
  const at = () => Number(slider.value), isLast = () => at() === steps.length - 1;
  let playing = 0;
  const go = (to) => {
    slider.value = to;
    seen.add(to);
    slider.ariaValueText = output.textContent = says[to];
    frames.forEach((frame, i) => { frame.hidden = i !== to; });
  };
  const stop = () => {
    clearInterval(playing);
    playing = 0;
    play.textContent = "Play";
  };
  const start = () => {
    if (isLast()) go(0);
    play.textContent = "Pause";
    playing = setInterval(() => {
      go(at() + 1);
      if (isLast() || !slider.isConnected) stop();
    }, 350);
  };
  on(slider, "input", () => {
    stop();
    go(at());
  });
  go(0);
  return [...frames, make("div", { className: "mover" }, play, slider), output];
}
// A bar goes to the right for more and to the left for less.
function words({ parts }) {
  const most = Math.max(...parts.map(([, value]) => Math.abs(value))) || 1;
  const rows = parts.map(([word, value]) => {
    const bar = make("i", { className: value < 0 ? "less" : "" }), length = 50 * Math.abs(value) / most;
    bar.style.width = `${length}%`;
    bar.style.marginLeft = `${value < 0 ? 50 - length : 50}%`;
    const number = `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
    return make("tr", {}, make("th", { scope: "row", dir: "auto" }, word), make("td", { className: "n" }, number), make("td", { className: "bar" }, bar));
  });
  return [make("table", {}, make("tbody", {}, ...rows))];
}

// The end.

function codeField(value) {
  const field = make("input", { value, readOnly: true, size: value.length + 2 });
  const copy = pressing("Copy", () => {
    field.select();
    tell(document.execCommand("copy") ? "Copied." : "Press Ctrl+C to copy the code.");  // the newer way needs HTTPS
  });
  return make("p", { className: "code" }, make("label", {}, "Your code ", field), copy);
}
function wayBack(href) {
  const link = make("a", { href, rel: "noreferrer", className: "main" });
  link.append(`Go on to ${link.host}`);
  return make("p", {}, link);
}

// What comes from a person.

const choiceOf = { 1: 0, 2: 1, f: 0, j: 1 };
on(window, "keydown", ({ key, repeat, ctrlKey, altKey, metaKey }) => {
  const choice = choiceOf[key.toLowerCase()];
  if (choice === undefined || repeat || ctrlKey || altKey || metaKey || ui.dialog.open || !ui.keys.checked) return;
  ui.main.querySelectorAll(".choice")[choice]?.click();
});
// A tab that is left may tell both, or one of them.
const look = () => {
  const isAway = document.hidden || !document.hasFocus();
  blurs += isAway && !away;
  away = isAway;
};
for (const event of ["blur", "focus"]) on(window, event, look);
on(document, "visibilitychange", look);
on(ui.withdraw, "click", () => ui.dialog.showModal());
for (const button of ui.dialog.querySelectorAll("button")) on(button, "click", () => {
  ui.dialog.close();
  if (button.value) step("/api/withdraw", { participant, delete: button.value === "delete" });
});

// Coming.

const linked = () => /^#p=(\w+)$/.exec(location.hash)?.[1];
const now = () => step("/api/now", { participant }, "The study does not answer. Trying again.");
const externals = ["PROLIFIC_PID", "STUDY_ID", "SESSION_ID"];
const key = [...crypto.getRandomValues(new Uint32Array(4))].join("-");  // one participant, however often this is sent
const comer = () => ({
  external: { ...Object.fromEntries([...new URLSearchParams(location.search)].filter(([name]) => externals.includes(name))), key }, agent: "browser",
});
// Nothing is saved of somebody before he or she agrees.
function first() {
  participant = "";
  step("/api/first", comer(), "The study does not answer. Trying again.");
}
// Whom the query names comes before whoever sat in this tab before; the server knows a name that comes again.
function come() {
  const isNamed = new URLSearchParams(location.search).has("PROLIFIC_PID");
  participant = linked() ?? (isNamed ? null : store((kept) => kept.getItem("participant"))) ?? "";
  if (participant) now();
  else first();
}
// Kept by the browser and come back to, what the page shows may be old.
on(window, "pageshow", ({ persisted }) => persisted && (participant ? now() : come()));
on(window, "hashchange", () => linked() && linked() !== participant && come());
// A page that a browser fetches in advance may never be looked at; it is not to begin a participant.
if (document.prerendering) on(document, "prerenderingchange", come);
else come();
})();
