"""The usual chain, in the order in which the transforms work together."""

from __future__ import annotations

from collections.abc import Iterable

from streamkit.protocols import Transform
from streamkit.transforms.eos import DEFAULT_EOS, ScrubEos
from streamkit.transforms.reasoning import SplitReasoning
from streamkit.transforms.special_tokens import SkipSpecialTokens
from streamkit.transforms.stop_sequences import StopSequences
from streamkit.transforms.tool_calls import SplitToolCalls
from streamkit.transforms.utf8 import RepairText
from streamkit.transforms.whitespace import TrimStart


def recommended_transforms(
    *,
    stop: str | Iterable[str] = (),
    include_stop: bool = False,
    eos: str | Iterable[str] | None = None,
    reasoning: bool | SplitReasoning = False,
    tool_calls: bool | SplitToolCalls = False,
    keep: str | Iterable[str] = (),
    trim_start: bool = False,
) -> tuple[Transform, ...]:
    """Return the transforms that most models need, in order.

    Characters are repaired before anything reads them; end marks and tags may be special tokens, so they are read
    before special tokens are hidden; stop sequences then see only the text of the answer.

    Args:
        stop: Stop sequences.
        include_stop: Whether the stop sequence that ends the answer is shown.
        eos: End-of-sequence marks, best those of the model; `None` for `DEFAULT_EOS`.
        reasoning: Whether the text holds reasoning between `<think>` tags; or a `SplitReasoning` of your own.
        tool_calls: Whether the text holds tool calls between `<tool_call>` tags; or a `SplitToolCalls` of your own.
        keep: Special tokens to show.
        trim_start: Whether to drop white space at the start.

    Returns:
        The transforms, for a `Pipeline`.

    Raises:
        ConfigurationError: A stop sequence, an end mark or a token to keep is empty or not a string.
    """
    stops = StopSequences(stop, include_stop=include_stop)
    calls = SplitToolCalls() if tool_calls is True else tool_calls
    split = SplitReasoning() if reasoning is True else reasoning
    return (
        RepairText(),
        ScrubEos(DEFAULT_EOS if eos is None else eos),
        *((calls,) if calls else ()),
        *((split,) if split else ()),
        SkipSpecialTokens(keep),
        *((stops,) if stops.stops else ()),
        *((TrimStart(),) if trim_start else ()),
    )
