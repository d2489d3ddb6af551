"""Finish reasons of all engines are one vocabulary."""

import pytest

from streamkit.formats._reasons import normalise


@pytest.mark.parametrize(
    ("raw", "stop", "reason"),
    [
        ("stop", None, "eos_token"),
        ("eos", None, "eos_token"),
        ("eos_token", None, "eos_token"),
        ("stop", "###", "stop_sequence"),
        ("stop_sequence", None, "stop_sequence"),
        ("length", "###", "length"),
        ("max_tokens", None, "length"),
        ("tool_calls", None, "tool_calls"),
        ("function_call", None, "tool_calls"),
        ("content_filter", None, "content_filter"),
        ("abort", None, "error"),
        ("error", None, "error"),
        ("Stop", None, "eos_token"),
        ("unheard-of", "###", None),
        (None, None, None),
        ("", None, None),
    ],
)
def test_reason(raw, stop, reason):
    """An engine's word, with the stop sequence it names, has one reason."""
    assert normalise(raw, stop) == reason
