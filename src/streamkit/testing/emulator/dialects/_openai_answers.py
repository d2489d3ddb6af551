"""The answers of vLLM and of a hosted provider: OpenAI's chunks, and what each of the two does differently."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal

import attrs

from streamkit.testing.emulator.answers import DONE, Answer, Response, sse
from streamkit.testing.emulator.engine import NAME
from streamkit.testing.emulator.generation import Step

_numbers = itertools.count(1)


@attrs.frozen(kw_only=True)
class Flavour:
    """Where OpenAI-shaped engines differ.

    Args:
        fingerprint: Which chunks carry `system_fingerprint`.
        names_stop: Whether the finish chunk says which stop string it was, as `stop_reason`.
    """

    fingerprint: Literal["each", "last"]
    names_stop: bool


class OpenAiAnswer(Answer):
    """What chat and completions have in common.

    Args:
        steps: The generation.
        stream: False to send one JSON document at the end.
        model: Name of the model.
        flavour: Whose chunks they are.
        prompt_tokens: Tokens in the prompt.
        with_usage: Send a chunk with the token counts before the end mark.
        with_logprobs: Send log probabilities.
    """

    prefix: ClassVar[str]
    object_name: ClassVar[str]

    def __init__(
        self,
        steps: Iterator[Step],
        *,
        stream: bool,
        model: str,
        flavour: Flavour,
        prompt_tokens: int,
        with_usage: bool,
        with_logprobs: bool,
    ) -> None:
        super().__init__(steps, stream=stream)
        self._head = {"id": f"{self.prefix}-{next(_numbers)}", "created": int(time.time()), "model": model}
        self._flavour = flavour
        self._prompt_tokens = prompt_tokens
        self._generated = 0
        self._with_usage = with_usage
        self._with_logprobs = with_logprobs

    def closing(self) -> Sequence[bytes]:
        """Return the token counts, if asked for, and the end mark."""
        if self._with_usage:
            return (sse(self._envelope([], self.object_name, usage=self._usage())), DONE)
        return (DONE,)

    def _chunk(self, choice: dict[str, Any], *, last: bool = False) -> bytes:
        return sse(self._envelope([choice], self.object_name, last=last))

    def _envelope(
        self, choices: list[Any], kind: str, *, last: bool = False, usage: dict[str, int] | None = None
    ) -> dict[str, Any]:
        document = {"object": kind, **self._head, "choices": choices}
        if last or self._flavour.fingerprint == "each":
            document["system_fingerprint"] = NAME
        if usage is not None:
            document["usage"] = usage
        return document

    def _finish(self, step: Step) -> dict[str, Any]:
        if step.ending is None:
            return {"finish_reason": None}
        reason = {"finish_reason": "length" if step.ending.reason == "length" else "stop"}
        return {**reason, "stop_reason": step.ending.stop} if self._flavour.names_stop else reason

    def _usage(self) -> dict[str, int]:
        total = self._prompt_tokens + self._generated
        return {"prompt_tokens": self._prompt_tokens, "total_tokens": total, "completion_tokens": self._generated}


class ChatAnswer(OpenAiAnswer):
    """Chat chunks: role first, then text, then the finish reason in a chunk of its own."""

    prefix = "chatcmpl"
    object_name = "chat.completion.chunk"

    def chunks(self, step: Step) -> Sequence[bytes]:
        """Return no chunk for a token whose text is hidden or held back."""
        chunks = []
        if not self._generated:
            chunks.append(self._chunk(self._choice({"role": "assistant", "content": ""})))
        self._generated = step.index
        if step.text:
            chunks.append(self._chunk(self._choice({"content": step.text}, [step])))
        if step.ending:
            chunks.append(self._chunk(self._choice({}) | self._finish(step), last=True))
        return chunks

    def whole(self, steps: Sequence[Step]) -> Response:
        """Return the document of an answer that is not streamed."""
        last = steps[-1]
        self._generated = last.index
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": last.ending.text if last.ending else ""},
            "logprobs": self._scores(steps),
            **self._finish(last),
        }
        return Response.json(self._envelope([choice], "chat.completion", last=True, usage=self._usage()))

    def _choice(self, delta: dict[str, Any], steps: Sequence[Step] = ()) -> dict[str, Any]:
        return {"index": 0, "delta": delta, "logprobs": self._scores(steps), "finish_reason": None}

    def _scores(self, steps: Sequence[Step]) -> dict[str, Any] | None:
        if not self._with_logprobs or not steps:
            return None
        return {
            "content": [
                {
                    "token": step.token.text,
                    "logprob": step.token.logprob,
                    "bytes": list(step.token.text.encode()),
                    "top_logprobs": [],
                }
                for step in steps
            ]
        }


class CompletionsAnswer(OpenAiAnswer):
    """Completion chunks: text, the last one with the finish reason; log probabilities are left out."""

    prefix = "cmpl"
    object_name = "text_completion"

    def chunks(self, step: Step) -> Sequence[bytes]:
        """Return no chunk for a token whose text is hidden or held back."""
        self._generated = step.index
        if not step.text and not step.ending:
            return ()
        return (self._chunk(self._choice(step, step.text), last=step.ending is not None),)

    def whole(self, steps: Sequence[Step]) -> Response:
        """Return the document of an answer that is not streamed."""
        last = steps[-1]
        self._generated = last.index
        choice = self._choice(last, last.ending.text if last.ending else "")
        return Response.json(self._envelope([choice], self.object_name, last=True, usage=self._usage()))

    def _choice(self, step: Step, text: str) -> dict[str, Any]:
        return {"index": 0, "text": text, "logprobs": None, **self._finish(step)}
