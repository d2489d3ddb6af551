// node ask.mjs CLIENT URL OPTIONS: asks, and prints what the client got as one JSON object on a line.
//
// With `abortAfter` it aborts once it has that much text; at 0, once a line comes on stdin. It prints, and stays until
// stdin ends: the model must see the client leave, not the process.

import { once } from "node:events";
import { clients } from "./clients.mjs";

const [name, url, json = "{}"] = process.argv.slice(2);
const { abortAfter, ...options } = JSON.parse(json);
const controller = new AbortController();
const got = { text: "", pieces: 0 };
if (abortAfter === 0) once(process.stdin, "data").then(() => controller.abort());
try {
  for await (const { text, ...rest } of clients[name](url, { ...options, signal: controller.signal })) {
    got.text += text;
    got.pieces += text ? 1 : 0;
    for (const [key, value] of Object.entries(rest)) if (value !== undefined && value !== null) got[key] = value;
    if (abortAfter && got.text.length >= abortAfter) controller.abort();
  }
} catch (error) {
  const said = error.error?.message ?? error.cause?.message;
  got.error = { name: error.constructor.name, message: error.message, status: error.status ?? error.httpResponse?.status, said };
}
console.log(JSON.stringify(got));
if (abortAfter !== undefined) process.stdin.resume();
