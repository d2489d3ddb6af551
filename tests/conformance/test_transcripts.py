"""Recorded and written response bodies decode to what their manifests say, however the bytes are cut."""

import json
import random
from itertools import pairwise
from pathlib import Path

import pytest

from streamkit.errors import GenerationError, TruncatedStreamError
from streamkit.events import Finish, Token, ToolCallDelta
from streamkit.formats import LlamaCpp, Ollama, OpenAIChat, OpenAICompletions, Tgi
from streamkit.formats._framing import JsonLines
from streamkit.formats._sse import EventStream
from streamkit.request import Request
from streamkit.run import Run
from streamkit.transforms import ScrubEos, SkipSpecialTokens, StopSequences

OWN = Path(__file__).parent / "transcripts"
REFERENCE = Path(__file__).parents[3] / "shared" / "transcripts"  # read in place, beside the project, where it is
FORMATS = {
    "tgi-generate": lambda choice: Tgi(),
    "openai-chat": OpenAIChat,
    "openai-completions": OpenAICompletions,
    "llamacpp-completion": lambda choice: LlamaCpp(),
    "ollama-chat": lambda choice: Ollama(),
    "ollama-generate": lambda choice: Ollama(),
}
REASONS = {"eos_token": "stop", "stop_sequence": "stop"}


def cases(folder):
    """List every choice of every transcript of a folder; a folder that is not there gives one skipped case."""
    if not (folder / "manifest.json").exists():
        return [
            pytest.param(
                None,
                None,
                None,
                id="absent",
                marks=pytest.mark.skip(reason=f"no manifest in {folder.parent.name}/{folder.name} beside the project"),
            )
        ]
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest["count"] == len(manifest["transcripts"])
    return [
        pytest.param(folder, case, choice, id=f"{case['name']}-{choice}" if len(choices) > 1 else case["name"])
        for case in manifest["transcripts"]
        for choices in [case["expected"]["choices"]]
        for choice in choices
    ]


CASES = [*cases(OWN), *cases(REFERENCE)]
ARGUMENTS = ("folder", "case", "choice")
every_transcript = pytest.mark.parametrize(ARGUMENTS, CASES)


def says_usage(case):
    """Tell whether a manifest speaks about usage; it does not read the details of TGI's native API as usage."""
    return case is None or case["api"] != "tgi-generate" or case["expected"]["usage"] is not None


def cut(body, offsets):
    """Cut a body at the offsets."""
    edges = [0, *sorted(offsets), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


def decode(case, choice, chunks):
    """Decode chunks and return the events and the decoder."""
    decoder = FORMATS[case["api"]](int(choice)).decoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    events += decoder.flush(clean=case["eof"] == "clean")
    return events, decoder


def outcome(events, decoder):
    """Everything a reader can see of a decoded body, as comparable values."""
    error = decoder.error
    return events, decoder.complete, type(error), str(error), getattr(error, "kind", None)


def joined(events, channel):
    """Join the text of a channel without special tokens."""
    return "".join(e.text for e in events if isinstance(e, Token) and e.channel == channel and not e.special)


def merged_calls(events):
    """Merge tool call pieces by index."""
    calls = {}
    for event in events:
        if isinstance(event, ToolCallDelta):
            call = calls.setdefault(event.index, {"index": event.index, "id": None, "name": None, "arguments": ""})
            call["id"] = call["id"] or event.id
            call["name"] = call["name"] or event.name
            call["arguments"] += event.arguments
    return [calls[index] for index in sorted(calls)]


def counts(usage):
    """Return usage as a manifest writes it."""
    return usage and {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }


@every_transcript
def test_events_are_what_the_manifest_says(folder, case, choice):
    """Text, reasoning, tool calls, the finish and the error of each transcript come out as its manifest has them."""
    expected, answer = case["expected"], case["expected"]["choices"][choice]
    events, decoder = decode(case, choice, [(folder / case["file"]).read_bytes()])
    finish = events[-1] if decoder.complete else Finish()

    assert joined(events, "text") == answer["text_before_transforms"]
    assert joined(events, "reasoning") == answer["reasoning"]
    assert merged_calls(events) == answer["tool_calls"]
    assert sum(isinstance(e, Token) and e.special for e in events) == expected["special_tokens_skipped"]
    assert decoder.complete == expected["complete"]
    assert [e for e in events if isinstance(e, Finish)] == ([finish] if expected["complete"] else [])
    assert finish.raw_reason == answer["finish_reason_wire"]
    assert finish.generated_text == expected["generated_text"]
    if answer["cut_by"] is None and decoder.complete:
        assert REASONS.get(finish.reason, finish.reason) == answer["finish_reason"]


@pytest.mark.parametrize(ARGUMENTS, [param for param in CASES if says_usage(param.values[1])])
def test_usage_is_what_the_manifest_says(folder, case, choice):
    """The usage of the stream is on the finish of one of its choices."""
    expected = case["expected"]
    body = (folder / case["file"]).read_bytes()
    finishes = [decode(case, each, [body])[0][-1:] for each in expected["choices"]]
    assert expected["usage"] in [counts(f[0].usage) if f and isinstance(f[0], Finish) else None for f in finishes]


@every_transcript
def test_errors_are_what_the_manifest_says(folder, case, choice):
    """An error has the kind and the message of the manifest; a stream without its end is truncated, never complete."""
    expected = case["expected"]["error"]
    _, decoder = decode(case, choice, [(folder / case["file"]).read_bytes()])
    if expected is not None:
        assert isinstance(decoder.error, GenerationError)
        assert {"kind": decoder.error.kind, "message": str(decoder.error)} == expected
    elif case["expected"]["complete"]:
        assert decoder.error is None
    else:
        assert isinstance(decoder.error, TruncatedStreamError)


@every_transcript
def test_cuts_change_nothing(folder, case, choice):
    """One byte at a time, the suggested splits and random splits give what the whole body gives."""
    body = (folder / case["file"]).read_bytes()
    whole = outcome(*decode(case, choice, [body]))
    dice = random.Random(case["name"])
    ways = [range(len(body)), case.get("suggested_splits", ())]
    ways += [dice.sample(range(len(body)), min(len(body), 12)) for _ in range(20)]
    for offsets in ways:
        assert outcome(*decode(case, choice, cut(body, offsets))) == whole


@every_transcript
def test_frames_are_as_many_as_the_manifest_says(folder, case, choice):
    """The framing finds each event, up to and with an error, and the end sentinel is not one of them."""
    body = (folder / case["file"]).read_bytes()
    framing = (JsonLines if case["file"].endswith(".ndjson") else EventStream)(1 << 20)
    frames = framing.feed(body)
    if case["expected"]["complete"] and case["eof"] == "clean":
        frames += framing.flush()
    assert len([data for _, data, _ in frames if data != b"[DONE]"]) == case["expected"]["data_events"]


@every_transcript
def test_clean_text_is_what_the_manifest_says(folder, case, choice):
    """Behind the transforms that the manifest's settings stand for, the text is the manifest's text."""
    settings, answer = case["settings"], case["expected"]["choices"][choice]
    chain = [SkipSpecialTokens()]
    chain += [StopSequences(settings["stops"])] if settings["stops"] else []
    chain += [ScrubEos(settings["eos"], mode="all")] if settings["eos"] else []
    run = Run(Request(prompt=""), chain)
    events, _ = decode(case, choice, [(folder / case["file"]).read_bytes()])
    leaving = [left for event in events for left in run.feed(event)]
    leaving += run.end()
    assert joined(leaving, "text") == answer["text"]
    if answer["cut_by"] is not None:
        assert leaving[-1].stop == answer["cut_by"]
