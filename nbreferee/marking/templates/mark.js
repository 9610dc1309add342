// The marking page: keys, and every change to the server at once. What could not be sent stays and is sent again.
"use strict";

const form = document.getElementById("marks");
const score = document.getElementById("score");
const comment = document.getElementById("comment");
const boxes = [...form.querySelectorAll("input[name=step]")];
const single = document.getElementById("single");
const most = Number(form.dataset.max);
const RETRY_MS = 2000;
const TYPING_MS = 400;

let seen = form.dataset.seen;
let changes = 0; // counts what was entered
let sent = 0; // of these, how many the server has
let isForced = false;
let isStopped = false; // until the marker has chosen
let timer = 0;
let running = null;

function say(saved, trouble) {
  document.getElementById("saved").textContent = saved;
  const alert = document.getElementById("trouble");
  if (alert.textContent !== trouble) alert.textContent = trouble;
}

function entered() {
  return {
    steps: boxes.filter((box) => box.checked).map((box) => Number(box.value)),
    score: score.value.trim() === "" ? null : Number(score.value),
    comment: comment ? comment.value : "",
    seen,
    answer: form.dataset.answer,
    force: isForced,
  };
}

function isValid() {
  if (!score.validity.badInput && !(Number(score.value) < 0) && !(Number(score.value) > most)) return true;
  say("", `A score lies between 0 and ${most}. This one is not written.`);
  return false;
}

function badge(words, colour) {
  const state = document.getElementById("state");
  state.textContent = words;
  state.className = `state ${colour}`;
}

function changed(delay) {
  changes += 1;
  say("Not written yet", "");
  badge("not written yet", "partly-right");
  clearTimeout(timer);
  timer = setTimeout(flush, delay);
}

// Send what was entered; true when the server has all of it.
async function flush() {
  clearTimeout(timer);
  while (running) await running;
  if (sent === changes) return true;
  if (isStopped || !isValid()) return false;
  running = send();
  const done = await running;
  running = null;
  return done && (sent === changes || flush());
}

async function send() {
  const count = changes;
  let answer;
  let said;
  try {
    answer = await fetch(form.dataset.save, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(entered()),
      keepalive: true, // also while the page is closed
    });
    said = await answer.json();
  } catch {
    say("", "nbreferee mark does not answer: start it again. Nothing is lost while this page stays open.");
    timer = setTimeout(flush, RETRY_MS);
    return false;
  }
  if (answer.ok || answer.status === 423) {
    seen = said.seen;
    form.dataset.answer = said.answer;
    isForced = false;
    badge(said.state, said.state_class);
    if (answer.ok) {
      sent = count;
      say(said.saved, "");
      return true;
    }
    say("", said.error);
    if (said.kept) sent = count; // by the server, which goes on trying
    else timer = setTimeout(flush, RETRY_MS);
    return said.kept;
  }
  if (answer.status === 409) {
    isStopped = true;
    document.getElementById("choice").hidden = false;
  }
  say("", said.error || "The mark is not written.");
  return false;
}

function ofSteps() {
  const sum = boxes.filter((box) => box.checked).reduce((all, box) => all + Number(box.dataset.points), 0);
  return Math.min(sum, most);
}

function ticked() {
  score.value = boxes.some((box) => box.checked) ? String(Math.round(ofSteps() * 1e6) / 1e6) : "";
  changed(0);
}

// A field that was emptied says "not marked": then no step is ticked.
function emptied() {
  if (score.value.trim() === "" && !score.validity.badInput && boxes.some((box) => box.checked)) give(null);
}

function give(value) {
  for (const box of boxes) box.checked = value === most;
  score.value = value === null ? "" : String(value);
  changed(0);
}

async function go(id) {
  const address = document.getElementById(id).getAttribute("href");
  if (address && (await flush())) location.assign(address);
}

function add(text) {
  const before = comment.value.trim();
  if (!before.includes(text)) comment.value = before ? `${before}\n\n${text}` : text;
  changed(0);
  comment.focus();
}

const KEYS = {
  0: () => give(0),
  f: () => give(most),
  x: () => give(null),
  s: () => score.select(),
  c: () => {
    comment?.focus();
    comment?.setSelectionRange(comment.value.length, comment.value.length);
  },
  r: () => form.querySelector("button.again")?.focus(),
  n: () => go("next"),
  p: () => go("previous"),
  u: () => go("unmarked"),
  "?": () => {
    const keys = document.getElementById("keys");
    keys.open = !keys.open;
  },
};

document.addEventListener("keydown", (event) => {
  const field = event.target.closest?.("textarea, input[type=number]");
  if (field) {
    if (event.key === "Escape" || (event.key === "Enter" && field === score && !event.ctrlKey)) {
      event.preventDefault();
      field.blur();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      field.blur();
      go("unmarked");
    }
    return;
  }
  if (!single.checked || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const box = /^[1-9]$/.test(event.key) ? boxes[Number(event.key) - 1] : null;
  const action = box ? () => { box.checked = !box.checked; ticked(); } : Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : null;
  if (action && !event.repeat) {
    event.preventDefault();
    action();
  }
});

form.addEventListener("submit", (event) => event.preventDefault());
for (const box of boxes) box.addEventListener("change", ticked);
score.addEventListener("input", () => changed(TYPING_MS));
score.addEventListener("change", emptied);
if (comment) comment.addEventListener("input", () => changed(TYPING_MS));
for (const field of [score, comment]) if (field) field.addEventListener("change", flush);
document.getElementById("none").addEventListener("click", () => give(0));
document.getElementById("full").addEventListener("click", () => give(most));
document.getElementById("clear").addEventListener("click", () => give(null));
for (const button of form.querySelectorAll("button.again")) button.addEventListener("click", () => add(button.dataset.text));
for (const id of ["previous", "next", "unmarked"]) {
  document.getElementById(id).addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(id);
  });
}
document.getElementById("mine").addEventListener("click", () => {
  isForced = true;
  isStopped = false;
  document.getElementById("choice").hidden = true;
  changed(0);
});
document.getElementById("theirs").addEventListener("click", () => {
  sent = changes;
  location.reload();
});
single.checked = sessionStorage.getItem("single") !== "off";
single.addEventListener("change", () => sessionStorage.setItem("single", single.checked ? "on" : "off"));
window.addEventListener("beforeunload", (event) => {
  if (sent !== changes) {
    flush();
    event.preventDefault();
  }
});
window.addEventListener("pagehide", flush);
// A page that comes back from the browser's memory may be old.
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
