// A page with useChat, to be bundled: ?api=URL of the route, &id=of the conversation, &resume where it reads on.

import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport, TextStreamChatTransport } from "ai";
import { createElement as h } from "react";
import { createRoot } from "react-dom/client";

const query = new URLSearchParams(location.search);
const Transport = query.has("text") ? TextStreamChatTransport : DefaultChatTransport;
const transport = new Transport({ api: query.get("api") });

function textOf({ parts }) {
  return parts.filter((part) => part.type === "text").map((part) => part.text).join("");
}

function Page() {
  const { messages, sendMessage, stop, status, error } = useChat({
    id: query.get("id") ?? "c1",
    transport,
    resume: query.has("resume"),
  });
  const answers = messages.filter(({ role }) => role === "assistant");
  return h(
    "main",
    null,
    h("button", { id: "send", onClick: () => sendMessage({ text: "How do I see Lisbon?" }) }, "Send"),
    h("button", { id: "stop", onClick: stop }, "Stop"),
    h("p", { id: "state" }, status),
    h("p", { id: "error" }, error?.message),
    answers.map((message) => h("p", { key: message.id, className: "answer" }, textOf(message))),
  );
}

createRoot(document.getElementById("root")).render(h(Page));
