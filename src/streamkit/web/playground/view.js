// The picture of one answer. Text of a model is only ever set as textContent.

const MEANINGS = {
  passed: "shown at once",
  held: "held back while it may become something else",
  released: "held, then shown",
  hidden: "special token",
  joined: "half a character, shown with the rest of it",
  changed: "shown with another text",
  cut: "the stop sequence, and what came behind it",
  scrubbed: "text that was taken out",
};
const SVG = "http://www.w3.org/2000/svg";
const DENSE = 300; // tokens from which on their lines are drawn thinner

export const by = (id) => document.getElementById(id);
const answer = by("answer");
const tokens = by("tokens");
const timeline = by("timeline");

const legend = {};
for (const [fate, meaning] of Object.entries(MEANINGS)) {
  const item = document.createElement("li");
  const chip = document.createElement("span");
  const count = (legend[fate] = document.createElement("span"));
  chip.className = "chip";
  count.className = "count";
  chip.dataset.fate = fate;
  chip.textContent = fate;
  item.append(chip, count, meaning);
  by("legend").append(item);
}

/** What is shown of one answer. */
export class View {
  constructor() {
    this.transforms = [];
    this.tokens = []; // {text, at, fate, by, steps, left, chip, line}
    this.selected = null;
    this.dirty = new Set();
    this.pending = { text: "", reasoning: "" };
    this.seconds = 0;
    this.finish = null;
    this.frame = 0;
    for (const element of [answer, by("reasoning"), tokens, by("detail")]) element.replaceChildren();
    for (const line of timeline.querySelectorAll("line")) line.remove();
    by("reasoning-box").hidden = true;
    for (const id of ["first-token", "rate", "count", "total", "reason"]) by(id).textContent = "–";
    this.draw();
  }

  take(message) {
    if (message.type === "step") {
      this.transforms = message.transforms ?? this.transforms;
      for (const [channel, text] of Object.entries(message.texts)) {
        if (channel === "text") this.pending.text += text;
        else this.pending.reasoning += text;
      }
      for (const { n, ...changes } of message.tokens) {
        this.tokens[n] = Object.assign(this.tokens[n] ?? {}, changes);
        this.dirty.add(n);
        this.seconds = Math.max(this.seconds, changes.at ?? 0, changes.left ?? 0);
      }
    } else if (message.type === "retry") {
      by("status").textContent = `Try ${message.number} failed; the next follows in ${message.wait.toFixed(1)} s.`;
    } else if (message.type === "finish") {
      this.finish = message;
    }
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = 0;
    const followed = [answer, by("reasoning"), tokens].filter(atEnd);
    append(answer, this.pending.text);
    append(by("reasoning"), this.pending.reasoning);
    if (this.pending.reasoning) by("reasoning-box").hidden = false;
    this.pending = { text: "", reasoning: "" };
    for (const n of this.dirty) this.drawToken(n);
    for (const element of followed) element.scrollTop = element.scrollHeight;
    if (this.dirty.has(this.selected)) this.detail();
    this.dirty.clear();
    this.drawTimeline();
    this.drawNumbers();
    this.drawLegend();
  }

  drawToken(n) {
    const token = this.tokens[n];
    if (!token.chip) {
      token.chip = document.createElement("div");
      token.chip.className = "chip";
      token.chip.id = `token-${n}`;
      token.chip.setAttribute("role", "option");
      token.chip.setAttribute("aria-selected", "false");
      token.chip.tabIndex = n === 0 ? 0 : -1;
      token.chip.textContent = spelled(token.text);
      token.chip.dataset.n = n;
      tokens.append(token.chip);
      token.line = document.createElementNS(SVG, "line");
      timeline.append(token.line);
    }
    const gone = token.fate === "hidden" || token.fate === "cut" || token.fate === "scrubbed";
    const left = gone ? undefined : token.left;
    const ends = { x1: token.at, y1: 8, x2: left ?? token.at, y2: left === undefined ? 40 : 92 };
    for (const [name, value] of Object.entries(ends)) token.line.setAttribute(name, value);
    token.chip.dataset.fate = token.line.dataset.fate = token.fate;
    token.chip.setAttribute("aria-label", `${spelled(token.text)}, ${token.fate}`);
  }

  drawTimeline() {
    const span = Math.max(this.finish?.seconds ?? 0, this.seconds, 0.1);
    timeline.setAttribute("viewBox", `${-0.01 * span} 0 ${1.02 * span} 100`);
    timeline.dataset.dense = this.tokens.length > DENSE;
    by("scale-end").textContent = this.tokens.length ? `${span.toFixed(2)} s` : "–";
    const held = this.tokens.filter((token) => token.fate === "held" || token.fate === "released").length;
    by("timeline-text").textContent = this.tokens.length
      ? `${this.tokens.length} tokens in ${span.toFixed(2)} seconds, ${held} of them held for a while.`
      : "No tokens yet.";
  }

  drawNumbers() {
    if (!this.tokens.length && !this.finish) return;
    const first = this.finish?.first_token ?? this.tokens[0]?.at;
    const last = this.tokens.at(-1)?.at ?? 0;
    const between = last - (this.tokens[0]?.at ?? 0);
    by("first-token").textContent = first === undefined ? "–" : `${Math.round(first * 1000)} ms`;
    by("rate").textContent = between > 0 ? short((this.tokens.length - 1) / between) : "–";
    by("count").textContent = String(this.finish?.tokens ?? this.tokens.length);
    by("total").textContent = `${(this.finish?.seconds ?? this.seconds).toFixed(2)} s`;
    if (this.finish) by("reason").textContent = ended(this.finish);
  }

  drawLegend() {
    const counts = {};
    for (const { fate } of this.tokens) counts[fate] = (counts[fate] ?? 0) + 1;
    for (const [fate, place] of Object.entries(legend)) place.textContent = counts[fate] ?? "";
  }

  select(n) {
    const chip = this.tokens[n]?.chip;
    if (!chip) return;
    for (const other of tokens.querySelectorAll('[tabindex="0"], [aria-selected="true"]')) {
      other.tabIndex = -1;
      other.setAttribute("aria-selected", "false");
    }
    chip.tabIndex = 0;
    chip.setAttribute("aria-selected", "true");
    chip.focus();
    this.selected = n;
    this.detail();
  }

  detail() {
    const token = this.tokens[this.selected];
    const title = document.createElement("p");
    const where = token.by === undefined ? "" : ` by ${this.transforms[token.by]}`;
    const waited = token.left === undefined ? "" : ` and left after ${Math.round((token.left - token.at) * 1000)} ms`;
    title.textContent = `Token ${this.selected + 1}: ${token.fate}${where} (${MEANINGS[token.fate]}). It came at ${token.at.toFixed(2)} s${waited}.`;
    const table = document.createElement("table");
    const kept = token.fate === "held" ? "holds it" : "took it out";
    row(table, "the model", token.text);
    this.transforms.forEach((name, stage) => {
      row(table, name, token.steps[stage], stage === token.by, stage === token.by ? kept : "–");
    });
    by("detail").replaceChildren(title, table);
  }
}

function row(table, name, text, did = false, otherwise = "") {
  const line = table.insertRow();
  line.dataset.did = did;
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = name;
  line.append(head);
  const cell = line.insertCell();
  cell.textContent = text ? spelled(text) : text === undefined ? otherwise : "no text";
  cell.className = text ? "said" : "word";
}

function short(number) {
  return number < 100 ? number.toFixed(1) : String(Math.round(number));
}

function atEnd(element) {
  return element.scrollTop + element.clientHeight >= element.scrollHeight - 8;
}

function append(element, text) {
  if (!text) return;
  if (element.firstChild) element.firstChild.appendData(text);
  else element.textContent = text;
}

/** Write a token so that nothing of it is invisible. */
export function spelled(text) {
  if (!text) return "∅";
  return text.replace(/ /g, "·").replace(/\n/g, "⏎").replace(/\t/g, "⇥").replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, (character) => `\\u{${character.codePointAt(0).toString(16)}}`);
}

function ended(finish) {
  if (finish.outcome !== "completed") return finish.outcome;
  return finish.stop === undefined ? (finish.reason ?? "not told") : `${finish.reason} ${spelled(finish.stop)}`;
}
