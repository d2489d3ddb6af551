"""TGI's own checks of a request: the shapes of its bodies, and which values it refuses in which words.

The wording is part of the protocol, because clients look for it (`huggingface_hub` maps errors by type, people by
text). Source: TGI 3, `router/src/validation.rs` and `router/src/lib.rs`.
"""

from __future__ import annotations

from typing import Annotated, Any

import attrs
import msgspec

from streamkit.testing.emulator.engine import Settings, count_tokens
from streamkit.testing.emulator.ngram import Sampling

MAX_BEST_OF = 2
MAX_TOP_N_TOKENS = 5

Natural = Annotated[int, msgspec.Meta(ge=0)]
"""An unsigned integer; a negative one fails while the body is read, as in Rust."""


class Parameters(msgspec.Struct):
    """The `parameters` of a native request; unknown keys are ignored, `stop_sequences` too."""

    best_of: Natural | None = None
    temperature: float | None = None
    repetition_penalty: float | None = None
    frequency_penalty: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    typical_p: float | None = None
    do_sample: bool = False
    max_new_tokens: Natural | None = None
    return_full_text: bool | None = None
    stop: list[str] = []
    truncate: Natural | None = None
    watermark: bool = False
    details: bool = False
    decoder_input_details: bool = False
    seed: Natural | None = None
    top_n_tokens: Natural | None = None
    grammar: Any = None
    adapter_id: str | None = None

    @property
    def sampled(self) -> bool:
        """Whether the answer is drawn; otherwise it is always the likeliest token."""
        given = (self.temperature, self.top_k, self.top_p, self.typical_p)
        return self.do_sample or any(value is not None for value in given)


class GenerateBody(msgspec.Struct):
    """The body of `/generate` and `/generate_stream`, and of `/`, which alone looks at `stream`."""

    inputs: str
    parameters: Parameters = msgspec.field(default_factory=Parameters)
    stream: bool = False


class InvalidParametersError(Exception):
    """A well-formed request with a value that TGI refuses."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"Input validation error: {problem}")


@attrs.frozen(kw_only=True)
class Checked:
    """What validation adds to a request.

    Args:
        input_length: Tokens in the prompt.
        limit: Most tokens to generate.
        sampling: How to choose them.
    """

    input_length: int
    limit: int
    sampling: Sampling


def check(inputs: str, parameters: Parameters, settings: Settings, *, stream: bool) -> Checked:
    """Check a request as TGI does, in its order.

    Args:
        inputs: The prompt.
        parameters: What was asked.
        settings: The limits.
        stream: Whether tokens are streamed, which forbids some parameters.

    Raises:
        InvalidParametersError: With TGI's message.
    """
    if stream and parameters.best_of not in {None, 1}:
        raise InvalidParametersError("`best_of` != 1 is not supported when streaming tokens")
    if stream and parameters.decoder_input_details:
        raise InvalidParametersError("`decoder_input_details` == true is not supported when streaming tokens")
    for wrong, message in _faults(inputs, parameters, settings):
        if wrong:
            raise InvalidParametersError(message)
    input_length = min(count_tokens(inputs), parameters.truncate or settings.max_total_tokens)
    room = max(0, settings.max_total_tokens - input_length)
    limit = room if parameters.max_new_tokens is None else parameters.max_new_tokens
    if input_length + limit > settings.max_total_tokens:
        raise InvalidParametersError(
            f"`inputs` tokens + `max_new_tokens` must be <= {settings.max_total_tokens}. "
            f"Given: {input_length} `inputs` tokens and {limit} `max_new_tokens`"
        )
    if limit == 0:
        raise InvalidParametersError(
            f"`inputs` must have less than {settings.max_total_tokens} tokens. Given: {input_length}"
        )
    return Checked(input_length=input_length, limit=limit, sampling=_sampling(parameters, settings))


def _faults(inputs: str, given: Parameters, settings: Settings) -> tuple[tuple[bool, str], ...]:
    best_of = given.best_of
    top_n = given.top_n_tokens
    stops = len(given.stop)
    return (
        (
            best_of is not None and not 1 <= best_of <= MAX_BEST_OF,
            f"`best_of` must be > 0 and <= {MAX_BEST_OF}. Given: {best_of}",
        ),
        ((best_of or 1) > 1 and not given.sampled, "you must use sampling when `best_of` is > 1"),
        (_at_most_zero(given.temperature), "`temperature` must be strictly positive"),
        (_at_most_zero(given.repetition_penalty), "`repetition_penalty` must be strictly positive"),
        (not -2.0 <= (given.frequency_penalty or 0.0) <= 2.0, "`frequency_penalty` must be >= -2.0 and <= 2.0"),
        (not _proper_share(given.top_p), "`top_p` must be > 0.0 and < 1.0"),
        (not _proper_share(given.typical_p), "`typical_p` must be > 0.0 and < 1.0"),
        (_at_most_zero(given.top_k), "`top_k` must be strictly positive"),
        (given.max_new_tokens == 0, "`max_new_tokens` must be strictly positive"),
        (
            stops > settings.max_stop_sequences,
            f"`stop` supports up to {settings.max_stop_sequences} stop sequences. Given: {stops}",
        ),
        ((best_of or 1) > 1 and given.seed is not None, "`seed` must not be set when `best_of` > 1"),
        ((top_n or 0) > MAX_TOP_N_TOKENS, f"`top_n_tokens` must be >= 0 and <= {MAX_TOP_N_TOKENS}. Given: {top_n}"),
        (not inputs, "`inputs` cannot be empty"),
        (
            given.truncate is not None and not 1 <= given.truncate <= settings.max_total_tokens,
            f"`truncate` must be strictly positive and less than {settings.max_total_tokens}. Given: {given.truncate}",
        ),
    )


def _at_most_zero(value: float | None) -> bool:
    return value is not None and value <= 0


def _proper_share(value: float | None) -> bool:
    return value is None or 0.0 < value < 1.0


def _sampling(parameters: Parameters, settings: Settings) -> Sampling:
    temperature = 1.0 if parameters.temperature is None else parameters.temperature
    return Sampling(
        temperature=temperature if parameters.sampled else None,
        top_k=parameters.top_k,
        top_p=parameters.top_p,
        seed=settings.seed_for(parameters.seed),
    )
