// Each client is an async generator: it asks, yields {text} for each piece that it got, and whatever else it was told.

const PROMPT = "How do I see Lisbon?";
const MESSAGES = [{ role: "user", content: PROMPT }];

async function hub(name) {
  const { InferenceClient } = await import(name);
  return new InferenceClient("hf_none");
}

/** @huggingface/inference since 4.13.17: it asks /v1/completions. */
async function* hubText(url, { signal, parameters }) {
  const client = await hub("@huggingface/inference");
  const asked = { endpointUrl: url, inputs: PROMPT, parameters: { max_new_tokens: 20, ...parameters } };
  for await (const { choices } of client.textGenerationStream(asked, { signal })) {
    if (choices.length) yield { text: choices[0].text, finish: choices[0].finish_reason };
  }
}

/** @huggingface/inference before: it asks the URL itself, as TGI has it. */
async function* hubTgiText(url, { signal, parameters }) {
  const client = await hub("inference-tgi");
  const asked = { endpointUrl: url, inputs: PROMPT, parameters: { max_new_tokens: 20, ...parameters } };
  for await (const { token, generated_text, details } of client.textGenerationStream(asked, { signal })) {
    yield { text: token.special ? "" : token.text, whole: generated_text, finish: details?.finish_reason };
  }
}

async function* hubChat(url, { signal, parameters }) {
  const client = await hub("@huggingface/inference");
  const asked = { endpointUrl: url, messages: MESSAGES, max_tokens: 20, stop: parameters?.stop };
  for await (const { choices, usage } of client.chatCompletionStream(asked, { signal })) {
    yield { text: choices[0]?.delta.content ?? "", finish: choices[0]?.finish_reason, usage };
  }
}

async function openai(url) {
  const { default: OpenAI } = await import("openai");
  return new OpenAI({ apiKey: "none", baseURL: `${url}/v1`, maxRetries: 0 });
}

async function* openaiChat(url, { signal, parameters, model = "travel" }) {
  const client = await openai(url);
  const asked = { model, messages: MESSAGES, max_tokens: 20, stop: parameters?.stop, stream: true };
  const stream = await client.chat.completions.create({ ...asked, stream_options: { include_usage: true } }, { signal });
  for await (const { choices, usage } of stream) {
    yield { text: choices[0]?.delta.content ?? "", finish: choices[0]?.finish_reason, usage };
  }
}

/** The helper that puts a message together, and throws at a chunk that is not as it should be. */
async function* openaiHelper(url, { signal, parameters, model = "travel" }) {
  const client = await openai(url);
  const stream = client.chat.completions.stream({ model, messages: MESSAGES, stop: parameters?.stop }, { signal });
  for await (const { choices } of stream) yield { text: choices[0]?.delta.content ?? "" };
  const completion = await stream.finalChatCompletion();
  yield { text: "", whole: completion.choices[0].message.content, finish: completion.choices[0].finish_reason };
}

async function* openaiCompletions(url, { signal, parameters, model = "travel" }) {
  const client = await openai(url);
  const asked = { model, prompt: PROMPT, max_tokens: 20, stop: parameters?.stop, stream: true };
  for await (const { choices } of await client.completions.create(asked, { signal })) {
    if (choices.length) yield { text: choices[0].text, finish: choices[0].finish_reason };
  }
}

const question = () => [{ id: "q", role: "user", parts: [{ type: "text", text: PROMPT }] }];

/** Read a stream as useChat does: one message that grows. */
async function* growing(ai, stream) {
  let told = 0;
  let broken = null;
  const messages = ai.readUIMessageStream({ stream, terminateOnError: true, onError: (error) => (broken = error) });
  for await (const { id, parts, metadata } of messages) {
    const whole = parts.filter((part) => part.type === "text").map((part) => part.text).join("");
    yield { text: whole.slice(told), id, whole, metadata, parts };
    told = whole.length;
  }
  if (broken) throw broken;
}

function chat(name, transport, path) {
  return async function* (url, { signal, parameters, model, chatId = "c1" }) {
    const ai = await import(name);
    const asks = new ai[transport]({ api: `${url}${path}`, body: { parameters, model } });
    const stream = await asks.sendMessages({
      trigger: "submit-message",
      chatId,
      messageId: undefined,
      messages: question(),
      abortSignal: signal,
    });
    yield* growing(ai, stream);
  };
}

/** Read a stream that somebody else began; `nothing` where there is none. */
function reconnect(name) {
  return async function* (url, { chatId = "c1" }) {
    const ai = await import(name);
    const stream = await new ai.DefaultChatTransport({ api: `${url}/api/chat` }).reconnectToStream({ chatId });
    if (stream === null) yield { text: "", nothing: true };
    else yield* growing(ai, stream);
  };
}

/** What useCompletion calls. */
function completion(name, streamProtocol, path) {
  return async function* (url, { signal, parameters, model }) {
    const { callCompletionApi } = await import(name);
    const pieces = [];
    let wake = () => {};
    let told = 0;
    let failed = null;
    const done = callCompletionApi({
      api: `${url}${path}`,
      prompt: PROMPT,
      body: { parameters, model },
      streamProtocol,
      setCompletion: (whole) => {
        pieces.push({ text: whole.slice(told), whole });
        told = whole.length;
        wake();
      },
      setLoading: () => {},
      setError: (error) => (failed = error ?? failed),
      setAbortController: (controller) => controller && signal.addEventListener("abort", () => controller.abort()),
      onFinish: undefined,
      onError: undefined,
    }).then(() => "done");
    for (;;) {
      const news = new Promise((resolve) => (wake = resolve));
      while (pieces.length) yield pieces.shift();
      if ((await Promise.race([news, done])) === "done" && !pieces.length) break;
    }
    if (failed) throw failed;
  };
}

const ui = { chat: "/api/chat", completion: "/api/completion" };
const text = { chat: "/api/text/chat", completion: "/api/text/completion" };

export const clients = {
  hubText,
  hubTgiText,
  hubChat,
  openaiChat,
  openaiHelper,
  openaiCompletions,
  aiChat: chat("ai", "DefaultChatTransport", ui.chat),
  aiTextChat: chat("ai", "TextStreamChatTransport", text.chat),
  aiCompletion: completion("ai", "data", ui.completion),
  aiTextCompletion: completion("ai", "text", text.completion),
  aiReconnect: reconnect("ai"),
  // The last of the major versions before that end a stream at a key that they do not know.
  ai6Chat: chat("ai-6", "DefaultChatTransport", ui.chat),
  ai6TextChat: chat("ai-6", "TextStreamChatTransport", text.chat),
  ai6Completion: completion("ai-6", "data", ui.completion),
  ai6Reconnect: reconnect("ai-6"),
  ai5Chat: chat("ai-5", "DefaultChatTransport", ui.chat),
  ai5TextChat: chat("ai-5", "TextStreamChatTransport", text.chat),
  ai5Completion: completion("ai-5", "data", ui.completion),
  ai5Reconnect: reconnect("ai-5"),
};
