"""What the page is told and the pipeline's own sinks and observers are not, in both drivers."""

from __future__ import annotations

import json

import pytest
import urllib3

from streamkit import JsonLines
from streamkit.errors import SinkError
from streamkit.events import Finish, Token
from streamkit.pipeline import Pipeline
from streamkit.sinks import Callback
from streamkit.sources import Endpoint
from streamkit.testing import EmulatedEndpoint, ScriptedToken, record_hooks, replay
from streamkit.transforms import SkipSpecialTokens, StopSequences
from streamkit.web.playground import followed
from streamkit.web.playground.reports import is_report

CHAIN = (SkipSpecialTokens(), StopSequences("\nUser:"))
TOKENS = [Token("<s>", 1, special=True), Token("Hi", 2), Token("\nUs", 3), Token("ing", 4)]


def _events_of(pipeline):
    """Return what leaves the chain of a run."""
    with pipeline.stream("Hi") as stream:
        return list(stream.events())


async def _async_events_of(pipeline):
    async with pipeline.astream("Hi") as stream:
        return [event async for event in stream.events()]


def _kept(sink_of):
    """Return recorders of two pipelines alike, and the events that the sink of each gets."""
    seen = ([], [])
    pipelines = [Pipeline(replay(TOKENS), transforms=CHAIN, sinks=[sink_of(each)]) for each in seen]
    return [record_hooks(each) for each in pipelines], seen


def test_a_report_has_the_tokens_of_which_something_has_changed():
    """Whole, with their text behind each transform; the transforms are named with the first token."""
    reports = [
        json.loads(f"{{{each.text}}}") for each in _events_of(followed(replay(TOKENS) | CHAIN)) if is_report(each)
    ]
    assert [report.get("transforms") for report in reports] == [
        ["SkipSpecialTokens", "StopSequences"],
        None,
        None,
        None,
    ]
    told = [[{name: each[name] for name in ("n", "text", "fate", "steps")} for each in r["tokens"]] for r in reports]
    hi = {"n": 1, "text": "Hi", "fate": "passed", "steps": ["Hi", "Hi"]}
    held = {"n": 2, "text": "\nUs", "fate": "held", "steps": ["\nUs"]}
    assert told == [
        [{"n": 0, "text": "<s>", "fate": "hidden", "steps": ["", ""]}],
        [hi],
        [held],
        [
            held | {"fate": "released", "steps": ["\nUs", "\nUs"]},
            {"n": 3, "text": "ing", "fate": "passed", "steps": ["ing", "ing"]},
        ],
    ]
    first = reports[0]["tokens"][0]
    assert (first["special"], first["by"], first["left"] >= first["at"]) == (True, 0, True)


def test_sinks_and_observers_get_what_they_would_get_anyway():
    """No event, no token and no text of theirs is the page's."""
    (page, plain), (told, expected) = _kept(lambda events: Callback(events.append, on="event"))
    assert any(map(is_report, _events_of(followed(page.observed))))
    _events_of(plain.observed)
    assert told == expected != []
    for hook in ("on_token", "on_text"):
        assert page.values(hook) == plain.values(hook) != []


async def test_asynchronous_sinks_do_too():
    """A sink that awaits gets the same."""

    def keeping(events):
        async def keep(event):
            events.append(event)

        return Callback(keep, on="event")

    (page, plain), (told, expected) = _kept(keeping)
    assert any(map(is_report, await _async_events_of(followed(page.observed))))
    await _async_events_of(plain.observed)
    assert told == expected != []
    for hook in ("on_token", "on_text"):
        assert page.values(hook) == plain.values(hook) != []


def _broken(_event):
    raise OSError("disk is full")


async def test_sink_that_fails_is_named_as_ever():
    """A sink that fails ends the run under its own name, and an isolated one does not, in either driver."""
    sink = Callback(_broken, on="event")
    failing = followed(replay(TOKENS) | sink)
    with pytest.raises(SinkError) as raised:
        _events_of(failing)
    assert repr(sink) in str(raised.value)
    with pytest.raises(SinkError) as raised:
        await _async_events_of(failing)
    assert repr(sink) in str(raised.value)
    isolated = followed(replay(["Hi"]) | Callback(_broken, on="event", isolated=True))
    for events in (_events_of(isolated), await _async_events_of(isolated)):
        assert [event for event in events if not is_report(event)] == [Token("Hi"), Finish(reason="eos_token")]


def test_file_of_a_gateways_pipeline(open_site, tmp_path):
    """What a pipeline keeps of its answers is the same whether the page asked or anybody else."""
    kept = tmp_path / "events.jsonl"
    with EmulatedEndpoint(["Hi", ScriptedToken("</s>", special=True)]) as model:
        source = Endpoint(model.url, api="tgi", token=False)
        pipeline = Pipeline(source, transforms=CHAIN, sinks=[JsonLines(kept, per="event")])
        with open_site({"travel": pipeline}) as site:
            for path, asked in {"/playground/stream": {"prompt": "Hi"}, "/generate_stream": {"inputs": "Hi"}}.items():
                assert b"Hi" in urllib3.request("POST", f"{site.url}{path}", json=asked).data
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    runs = {line["run"]: [] for line in lines}
    for line in lines:
        runs[line["run"]].append({name: line.get(name) for name in ("type", "text", "channel", "tokens")})
    by_page, by_client = runs.values()
    assert by_page == by_client
