"""Streams that resume, with the AI SDK's own transports."""

from __future__ import annotations

import pytest
import urllib3

PATIENCE = 20


@pytest.mark.parametrize("version", ["ai", "ai6", "ai5"])
@pytest.mark.parametrize("chat_id", ["c1", "a/b c"])
def test_answer_is_read_on_after_its_reader_has_left(open_site, gated, begin, version, chat_id):
    """A reader that leaves stops nothing; those that come later get the same message whole, each piece once."""
    with open_site(gated, resumable=True) as site:
        first = begin(f"{version}Chat", site.url, chatId=chat_id, abortAfter=5)
        seen = gated.wait_for_request(PATIENCE)
        gated.release(3)
        left = first.result()
        assert left["text"].startswith("word ")
        followers = [begin(f"{version}Reconnect", site.url, chatId=chat_id, abortAfter=10_000) for _ in range(2)]
        gated.release(100)
        got = [each.result() for each in followers]
        assert not seen.client_left.is_set()
    assert [each["text"] for each in got] == ["word " * 100] * 2
    assert {each["id"] for each in got} == {left["id"]}


@pytest.mark.parametrize("reconnect", ["aiReconnect", "ai6Reconnect", "ai5Reconnect"])
def test_nothing_to_resume(open_site, model, ask, reconnect):
    """Where there is no such stream the client is told so, and it is no error."""
    with open_site(model, resumable=True) as site:
        got = ask(reconnect, site.url, chatId="unknown")
    assert got == {"text": "", "pieces": 0, "nothing": True}


@pytest.mark.parametrize("client", ["aiChat", "ai6Chat", "ai5Chat"])
def test_stop_is_a_wish_of_its_own(open_site, gated, begin, client):
    """A run that outlives its readers is stopped by asking for it, and its readers are told that it was."""
    with open_site(gated, resumable=True) as site:
        asking = begin(client, site.url)
        seen = gated.wait_for_request(PATIENCE)
        gated.release(2)
        assert urllib3.request("POST", f"{site.url}/api/chat/c1/stop").json() == {"state": "stopping"}
        assert seen.client_left.wait(1)
        got = asking.result()
    assert "word word ".startswith(got["text"])
    assert "error" not in got
