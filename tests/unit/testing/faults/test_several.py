"""Faults together, in turn, and by name."""

import pytest

from streamkit.errors import ConfigurationError
from streamkit.testing import FAULTS, EmulatedEndpoint, Fault, faults
from streamkit.testing.faults import read_fault, times
from unit.testing.faults.wire import SCRIPT, texts, whole


class TestSeveral:
    """Faults together, in turn, and by name."""

    def test_the_first_requests_fail_and_the_next_do_not(self):
        """Only questions count: health is always good."""
        import urllib3

        with (
            EmulatedEndpoint(SCRIPT, faults=[times(faults.s503(), 2)]) as server,
            urllib3.PoolManager(retries=False) as http,
        ):
            statuses = []
            for _ in range(3):
                statuses.append(http.request("POST", f"{server.url}/generate", json={"inputs": "Hi"}).status)
                statuses.append(http.request("GET", f"{server.url}/health").status)
        assert statuses == [503, 200, 503, 200, 200, 200]

    def test_times_counts_for_what_is_said_too(self):
        """A fault in the text is a fault."""
        _, body, _, _ = whole(times(faults.nul("!"), 1))
        assert texts(body)[1] == "!"
        _, body, _, _ = whole(times(faults.nul("!"), 0))
        assert texts(body)[1] == " two"

    def test_each_is_applied_to_what_the_others_left(self):
        """Both are there."""
        _, body, end, _ = whole([faults.bom(), faults.cr(), faults.cut_after(1, "rst")])
        assert body.startswith(b"\xef\xbb\xbfdata: ")
        assert body.endswith(b"}\r\r")
        assert end == "rst"

    def test_a_fault_of_ones_own_fits(self):
        """A subclass, with what it changes."""

        class Twice(Fault):
            def say(self, tokens, seen):
                return (token for token in tokens for _ in range(2))

        _, body, _, _ = whole(Twice(), script=["a", "b"])
        assert texts(body) == ["a", "a", "b", "b"]

    @pytest.mark.parametrize("name", list(FAULTS))
    def test_a_fault_is_a_value(self, name):
        """Equal to another of its kind, hashable, and printable."""
        assert FAULTS[name]() == FAULTS[name]()
        assert isinstance(hash(FAULTS[name]()), int)
        assert repr(FAULTS[name]())

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("bom", faults.bom()),
            ("cut_after:5", faults.cut_after(5)),
            ("cut_after:5,rst", faults.cut_after(5, "rst")),
            ("silent:False", faults.silent(headers=False)),
            ("redir_port:http://127.0.0.1:9", faults.redir_port("http://127.0.0.1:9")),
            ("s503*2", times(faults.s503(), 2)),
            ("s429:0.5*3", times(faults.s429(0.5), 3)),
        ],
    )
    def test_a_fault_is_read_from_a_text(self, text, fault):
        """For the command line."""
        assert read_fault(text) == fault

    @pytest.mark.parametrize("text", ["nonsense", "bom:1", "s503*many", "cut_after:1,gently", "cut_after:1,2,3"])
    def test_a_text_that_is_no_fault_is_refused(self, text):
        """The message says what there is."""
        with pytest.raises(ConfigurationError, match=r"it is|cut by"):
            read_fault(text)
