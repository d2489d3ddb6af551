"""The record of requests."""

import threading

import pytest

from streamkit.testing import SeenRequest
from streamkit.testing.emulator.seen import RequestLog


def test_a_request_does_not_show_what_it_carries():
    """Neither key nor prompt reaches an assertion message or a log."""
    request = SeenRequest(method="POST", path="/", headers={"Authorization": "Bearer s3cret"}, body={"inputs": "mine"})
    assert "s3cret" not in repr(request)
    assert "mine" not in repr(request)


def test_each_request_is_waited_for_once():
    """Waiting returns requests one after the other, in order of arrival."""
    log = RequestLog()
    first, second = (SeenRequest(method="GET", path=path) for path in ("/a", "/b"))
    log.add(first)
    log.add(second)
    assert [log.next(0), log.next(0)] == [first, second]


def test_waiting_ends_when_a_request_arrives_in_another_thread():
    """The wait is woken by the arrival, not by its timeout."""
    log = RequestLog()
    request = SeenRequest(method="GET", path="/")
    thread = threading.Thread(target=log.add, args=(request,))
    thread.start()
    assert log.next(5) is request
    thread.join()


def test_waiting_in_vain_says_what_is_missing():
    """The error names the request that did not come."""
    with pytest.raises(TimeoutError, match="request number 1 "):
        RequestLog().next(0)


def test_a_snapshot_is_the_callers_own():
    """Changing the list of requests does not change the log."""
    log = RequestLog()
    log.snapshot().append(None)
    assert log.snapshot() == []
