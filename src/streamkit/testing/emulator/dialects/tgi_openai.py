"""TGI's OpenAI-shaped routes, which differ from OpenAI's own in a dozen small ways."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from streamkit.testing.emulator.answers import DONE, RefusalError, Response, sse
from streamkit.testing.emulator.chat import render_chat
from streamkit.testing.emulator.dialects._tgi_streams import StreamedError, TgiAnswer
from streamkit.testing.emulator.engine import NAME, Reply, Settings
from streamkit.testing.emulator.generation import Ending, Step, interleave, stops_in_text
from streamkit.testing.emulator.seen import SeenRequest
from streamkit.testing.emulator.validation import Checked, InvalidParametersError, Natural, Parameters, check

MAX_CLIENT_BATCH_SIZE = 4
"""Most prompts in one request to `/v1/completions`."""


class StreamOptions(msgspec.Struct):
    """What a stream should carry besides the answer."""

    include_usage: bool = False


class _CommonBody(msgspec.Struct, kw_only=True):
    """Fields of both OpenAI-shaped bodies; the model's name is not looked at."""

    max_tokens: Natural | None = None
    temperature: float | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    seed: Natural | None = None
    stop: list[str] | None = None
    stream: bool = False

    def parameters(self) -> Parameters:
        """Return the native parameters; a temperature of 0 asks for the likeliest tokens here, and is no mistake."""
        greedy = self.temperature == 0
        return Parameters(
            temperature=None if greedy else self.temperature,
            top_p=self.top_p,
            do_sample=not greedy,
            frequency_penalty=self.frequency_penalty,
            max_new_tokens=self.max_tokens,
            seed=self.seed,
            stop=self.stop or [],
        )


class TgiChatBody(_CommonBody, kw_only=True):
    """The body of `/v1/chat/completions`; tools are beyond this emulator and ignored."""

    messages: list[dict[str, Any]]
    max_completion_tokens: Natural | None = None
    logprobs: bool | None = None
    stream_options: StreamOptions | None = None

    def parameters(self) -> Parameters:
        """Return the native parameters, `max_completion_tokens` being another name of `max_tokens`."""
        parameters = super().parameters()
        if parameters.max_new_tokens is None:
            parameters.max_new_tokens = self.max_completion_tokens
        return parameters


class TgiCompletionsBody(_CommonBody, kw_only=True):
    """The body of `/v1/completions`."""

    prompt: str | list[str]
    suffix: str | None = None
    repetition_penalty: float | None = None

    def parameters(self) -> Parameters:
        """Return the native parameters."""
        parameters = super().parameters()
        parameters.repetition_penalty = self.repetition_penalty
        return parameters


def chat(settings: Settings, seen: SeenRequest, body: TgiChatBody) -> Reply:
    """Answer a conversation."""
    prompt = render_chat(body.messages)
    parameters = body.parameters()
    try:
        checked = check(prompt, parameters, settings, stream=body.stream)
    except InvalidParametersError as problem:
        return _refusal(problem, stream=body.stream)
    steps = stops_in_text(settings.tokens(seen, prompt, checked.sampling), checked.limit, parameters.stop)
    return _ChatAnswer(steps, settings.model, checked, body)


def completions(settings: Settings, seen: SeenRequest, body: TgiCompletionsBody) -> Reply:
    """Answer one or several prompts, side by side.

    Raises:
        RefusalError: With a real status even for a stream, for what is checked before it begins.
    """
    if body.suffix is not None:
        raise RefusalError(
            _error("Suffix is not supported and can be achieved by preprocessing the prompt.", "suffix not supported")
        )
    prompts = [body.prompt] if isinstance(body.prompt, str) else body.prompt
    if len(prompts) > MAX_CLIENT_BATCH_SIZE:
        raise RefusalError(
            _error(
                f"Number of prompts exceeds the maximum allowed batch size of {MAX_CLIENT_BATCH_SIZE}",
                "batch size exceeded",
            )
        )
    parameters = body.parameters()
    try:
        checked = [check(prompt, parameters, settings, stream=body.stream) for prompt in prompts]
    except InvalidParametersError as problem:
        return _refusal(problem, stream=body.stream)
    generations = [
        stops_in_text(settings.tokens(seen, prompt, each.sampling), each.limit, parameters.stop, choice)
        for choice, (prompt, each) in enumerate(zip(prompts, checked, strict=True))
    ]
    return _CompletionsAnswer(interleave(generations), settings.model, checked, stream=body.stream)


def _refusal(problem: InvalidParametersError, *, stream: bool) -> Reply:
    if stream:  # always 422, whatever the reason; and the end mark follows an error too
        return StreamedError(sse({"error": {"message": str(problem), "http_status_code": 422}}), DONE)
    return _error(str(problem), "validation")


def _error(message: str, error_type: str) -> Response:
    return Response.json({"error": message, "error_type": error_type}, 422)


def _usage(checked: Sequence[Checked], generated: int) -> dict[str, int]:
    prompt = sum(each.input_length for each in checked)
    return {"prompt_tokens": prompt, "completion_tokens": generated, "total_tokens": prompt + generated}


class _ChatAnswer(TgiAnswer):
    """Chat chunks: the role in every delta, the finish reason with the last token."""

    def __init__(self, steps: Iterator[Step], model: str, checked: Checked, body: TgiChatBody) -> None:
        super().__init__(steps, stream=body.stream)
        self._head = {"id": "", "created": int(time.time()), "model": model, "system_fingerprint": NAME}
        self._checked = checked
        self._logprobs = body.logprobs
        self._with_usage = body.stream_options is not None and body.stream_options.include_usage
        self._generated = 0

    def chunks(self, step: Step) -> Sequence[bytes]:
        self._generated = step.index
        choice = {
            "index": 0,
            "delta": {"role": "assistant", "content": "" if step.token.special else step.text},
            "logprobs": {"content": [_logprob(step)]} if self._logprobs else None,
            "finish_reason": _chat_reason(step.ending),
        }
        return (self._chunk([choice], None),)

    def closing(self) -> Sequence[bytes]:
        if self._with_usage:
            return (self._chunk([], _usage([self._checked], self._generated)), DONE)
        return (DONE,)

    def whole(self, steps: Sequence[Step]) -> Response:
        ending = steps[-1].ending
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": ending.text if ending else ""},
            "logprobs": {"content": [_logprob(step) for step in steps]} if self._logprobs else None,
            "finish_reason": _chat_reason(ending),
        }
        usage = _usage([self._checked], len(steps))
        return Response.json({"object": "chat.completion", **self._head, "choices": [choice], "usage": usage})

    def _chunk(self, choices: list[Any], usage: Mapping[str, int] | None) -> bytes:
        return sse({"object": "chat.completion.chunk", **self._head, "choices": choices, "usage": usage})


class _CompletionsAnswer(TgiAnswer):
    """Completion chunks: special tokens in the text, TGI's own reasons, usage with the last chunk of each choice."""

    def __init__(self, steps: Iterator[Step], model: str, checked: Sequence[Checked], *, stream: bool) -> None:
        super().__init__(steps, stream=stream)
        self._head = {"object": "text_completion", "id": "", "created": int(time.time())}
        self._tail = {"model": model, "system_fingerprint": NAME}
        self._checked = checked

    def chunks(self, step: Step) -> Sequence[bytes]:
        reason = step.ending.reason if step.ending else ""
        choice = {"index": step.choice, "text": step.text, "logprobs": None, "finish_reason": reason}
        chunk = {**self._head, "choices": [choice], **self._tail}
        if step.ending:
            chunk["usage"] = _usage([self._checked[step.choice]], step.index)
        return (sse(chunk),)

    def closing(self) -> Sequence[bytes]:
        return (DONE,)

    def whole(self, steps: Sequence[Step]) -> Response:
        choices = [
            {"index": step.choice, "text": step.ending.text, "logprobs": None, "finish_reason": step.ending.reason}
            for step in sorted(steps, key=lambda step: step.choice)
            if step.ending
        ]
        usage = _usage(self._checked, len(steps))
        return Response.json({**self._head, "choices": choices, **self._tail, "usage": usage})


def _chat_reason(ending: Ending | None) -> str | None:
    if ending is None:
        return None
    return "stop" if ending.reason == "eos_token" else ending.reason


def _logprob(step: Step) -> dict[str, Any]:
    return {"token": step.token.text, "logprob": step.token.logprob, "top_logprobs": []}
