"""Text Generation Inference's own routes, `/`, `/generate` and `/generate_stream` (router/src/server.rs and lib.rs).

As there, unknown fields are passed over, the answer on `/` comes in a list and with the prompt before it, and `details`
only where they are asked for. Unlike there, a stop sequence is cut, and is no part of the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import attrs
import msgspec

from streamkit.events import Token
from streamkit.formats import Tgi
from streamkit.protocols import Encoder
from streamkit.result import RunResult
from streamkit.web.gateway.asked import Asked, Natural, given, stops_of
from streamkit.web.gateway.body import parse
from streamkit.web.gateway.refusals import RefusalError, told
from streamkit.web.gateway.settings import Limits
from streamkit.web.gateway.whole import Document, WholeEncoder


class Generation(msgspec.Struct):
    """Generation parameters by TGI's names, which are this library's."""

    max_new_tokens: Natural | None = None
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    typical_p: float | None = None
    repetition_penalty: float | None = None
    frequency_penalty: float | None = None
    do_sample: bool | None = None
    seed: Natural | None = None
    truncate: Natural | None = None
    watermark: bool | None = None
    top_n_tokens: Natural | None = None
    grammar: Any = None
    adapter_id: str | None = None
    stop: list[str] | None = None

    def asked(self) -> dict[str, Any]:
        """Return those that are given, without `stop`."""
        return given({name: getattr(self, name) for name in Generation.__struct_fields__ if name != "stop"})


class GenerateParameters(Generation):
    """The parameters of TGI's own requests."""

    best_of: Natural | None = None
    return_full_text: bool | None = None
    details: bool | None = None
    decoder_input_details: bool | None = None


class GenerateBody(msgspec.Struct):
    """The body of TGI's own requests; `stream` is looked at on `/` alone."""

    inputs: str
    parameters: GenerateParameters | None = None
    stream: bool | None = None


@attrs.frozen
class TgiRoute:
    """One of TGI's routes.

    Args:
        kind: `compat` is `/`, which streams if asked; `generate` never does, and `generate_stream` always.
    """

    kind: Literal["compat", "generate", "generate_stream"]

    def read(self, body: bytes, _limits: Limits) -> Asked:
        """Read a request."""
        asked = parse(body, GenerateBody)
        parameters = asked.parameters or GenerateParameters()
        if not asked.inputs:
            raise RefusalError("Input validation error: `inputs` cannot be empty", 422)
        if parameters.best_of not in {None, 1}:
            raise RefusalError("Input validation error: `best_of` != 1 is not supported when streaming tokens", 422)
        streams = self.kind == "generate_stream" or (self.kind == "compat" and bool(asked.stream))
        return Asked(
            question=asked.inputs,
            parameters=parameters.asked(),
            stops=stops_of(parameters.stop),
            model=None,
            encoder=lambda _model: _stream() if streams else WholeEncoder(self._document(asked, parameters), _stream()),
        )

    def refuse(self, error: Exception) -> tuple[str, bytes]:
        """Return TGI's body of an error."""
        return _stream().refuse(error)

    def _document(self, asked: GenerateBody, parameters: GenerateParameters) -> Document:
        compat = self.kind == "compat"
        full = compat if parameters.return_full_text is None else parameters.return_full_text

        def document(result: RunResult, tokens: Sequence[Token]) -> Any:
            said: dict[str, Any] = {"generated_text": asked.inputs + result.text if full else result.text}
            if parameters.details:
                said["details"] = _details(result, tokens)
            return [said] if compat else said

        return document


def _stream() -> Encoder:
    return Tgi().encoder(mask=told)


def _details(result: RunResult, tokens: Sequence[Token]) -> dict[str, Any]:
    reason = result.finish_reason
    usage = result.usage
    return {
        "finish_reason": reason if reason in {"length", "stop_sequence"} else "eos_token",
        "generated_tokens": (usage and usage.completion_tokens) or result.tokens,
        "seed": None,
        "prefill": [],
        "tokens": [
            {"id": token.id or 0, "text": token.text, "logprob": token.logprob or 0.0, "special": token.special}
            for token in tokens
        ],
    }
