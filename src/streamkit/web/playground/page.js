// The form and the gateway: asking, stopping, reading on.

import { View, by } from "./view.js";

const form = by("form");
const answer = by("answer");
const tokens = by("tokens");

const KEPT = "streamkit.playground"; // what a page that is loaded again needs to read on

let running = null; // {controller, id} of the answer that is being read; no id where it cannot be resumed
let view = null;

function say(text, kind = "") {
  by("status").textContent = text;
  by("status").dataset.kind = kind;
}

/** Yield the messages of an event stream, and whether each has an id, which those of a resumable one have. */
async function* messages(body) {
  let rest = "";
  for await (const text of chunks(body.pipeThrough(new TextDecoderStream()))) {
    const events = (rest + text).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const lines = event.split("\n");
      const data = lines.find((line) => line.startsWith("data: "));
      if (data) yield [JSON.parse(data.slice(6)), lines.some((line) => line.startsWith("id: "))];
    }
  }
}

async function* chunks(stream) {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function headers() {
  const key = by("key").value.trim();
  return { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) };
}

function question() {
  const parameters = {};
  const limit = by("max-new-tokens").valueAsNumber;
  const temperature = by("temperature").valueAsNumber;
  const stop = by("stop").value.split("|").filter(Boolean);
  if (Number.isFinite(limit)) parameters.max_new_tokens = limit;
  if (Number.isFinite(temperature)) parameters.temperature = temperature;
  if (stop.length) parameters.stop = stop.map((each) => each.replaceAll("\\n", "\n").replaceAll("\\t", "\t"));
  return { prompt: by("prompt").value, chat: by("chat").checked, model: by("pipeline").value || undefined, parameters };
}

/** Return why a request was refused, and ask for a key where that is why. */
async function refusal(response) {
  if (response.status === 401) {
    by("key-row").hidden = false;
    by("key").focus();
    return "This gateway asks for an API key.";
  }
  const said = await response.json().catch(() => ({}));
  return said.error?.message ?? said.error ?? `The gateway answered with status ${response.status}.`;
}

async function ask() {
  leave();
  const asked = question();
  const id = newId();
  say("Waiting for the first token…");
  await show({ asked, id }, (signal) =>
    fetch("playground/stream", {
      method: "POST",
      headers: { ...headers(), "x-stream-id": id },
      body: JSON.stringify(asked),
      signal,
    }),
  );
}

/** Show the answer that was being read before the page was loaded again, from its beginning. */
async function resume() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  if (!kept || running || view) return;
  by("prompt").value = kept.asked.prompt;
  by("pipeline").value = kept.asked.model ?? by("pipeline").value;
  by("chat").checked = kept.asked.chat;
  say("Reading on…");
  const request = (signal) => fetch(`playground/stream/${kept.id}/stream`, { headers: headers(), signal });
  await show(kept, request, [204, 404, 410]);
}

/**
 * Show an answer while it comes.
 *
 * That a gateway keeps answers is known from the first message, so it is taken to until then: an answer that is stopped
 * or whose page is loaded again before its first token must be found, too.
 */
async function show({ asked, id }, request, gone = []) {
  const controller = new AbortController();
  const mine = (running = { controller, id });
  const shown = (view = new View());
  sessionStorage.setItem(KEPT, JSON.stringify({ asked, id }));
  busy(true);
  if (by("status").getBoundingClientRect().top > innerHeight / 2) by("status").scrollIntoView();
  try {
    const response = await request(controller.signal);
    if (gone.includes(response.status) || !response.ok) {
      forget(mine);
      if (gone.includes(response.status)) return say("The answer that was here is not kept any more.");
      throw new Error(await refusal(response));
    }
    for await (const [message, resumable] of messages(response.body)) {
      if (controller.signal.aborted) return;
      if (!resumable) forget(mine);
      if (!shown.tokens.length && message.type === "step") say("Streaming…");
      shown.take(message);
    }
    if (!controller.signal.aborted) conclude(shown);
  } catch (error) {
    if (!controller.signal.aborted) say(error.message, "error");
  } finally {
    if (running === mine) {
      running = null;
      busy(false);
    }
  }
}

function forget(mine) {
  mine.id = null;
  sessionStorage.removeItem(KEPT);
}

function conclude(shown) {
  if (!shown.finish) say("The connection broke before the end of the answer.", "error");
  else if (shown.finish.error) say(shown.finish.error, "error");
  else say(`Done: ${shown.finish.tokens} tokens in ${shown.finish.seconds.toFixed(2)} seconds.`);
}

/** Stop what is being read: here, and at the model, which a resumable answer needs to be told. */
function leave() {
  if (!running) return;
  const { controller, id } = running;
  running = null;
  controller.abort();
  if (id) fetch(`playground/stream/${id}/stop`, { method: "POST", headers: headers() }).catch(() => {});
}

function stop() {
  if (!running) return;
  leave();
  view.finish ??= { outcome: "stopped", seconds: view.seconds, tokens: view.tokens.length };
  view.draw();
  busy(false);
  say(`Stopped after ${view.tokens.length} tokens.`);
  by("send").focus();
}

/** A new id that nobody guesses; `crypto.randomUUID` is not there on pages without TLS. */
function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function busy(is) {
  for (const element of [answer, form]) element.setAttribute("aria-busy", String(is));
  by("stop-button").disabled = !is;
}

async function pipelines() {
  const response = await fetch("v1/models", { headers: headers() });
  if (!response.ok) return say(await refusal(response), response.status === 401 ? "" : "error");
  const { data } = await response.json();
  by("pipeline").replaceChildren(...data.map(({ id }) => new Option(id, id)));
  await resume();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
by("stop-button").addEventListener("click", stop);
by("key").addEventListener("change", () => pipelines().catch(() => {}));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") stop();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && form.contains(event.target)) form.requestSubmit();
});
tokens.addEventListener("click", (event) => {
  const chip = event.target.closest(".chip");
  if (chip) view.select(Number(chip.dataset.n));
});
tokens.addEventListener("keydown", (event) => {
  const last = (view?.tokens.length ?? 0) - 1;
  const at = Number(document.activeElement?.dataset.n ?? 0);
  const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: last, Enter: at, " ": at }[event.key];
  if (to === undefined || last < 0) return;
  event.preventDefault();
  view.select(Math.min(Math.max(to, 0), last));
});
pipelines().catch((error) => say(error.message, "error"));
