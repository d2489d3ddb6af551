"""Rows 1 to 5: a stream that was cut is never complete, and nothing that was sent before the cut is lost."""

import asyncio

import pytest

from streamkit import TruncatedStreamError
from streamkit.testing.faults import cut_after, cut_clean_nofinish, cut_half_event, no_done

TRUTH = "one two three four five"


class Test:
    """Every way to cut, in every dialect."""

    @pytest.mark.parametrize("how", ["clean", "fin", "eof"])
    @pytest.mark.parametrize("tokens", [0, 1, 3])
    def test_a_cut_is_truncation_with_the_text_so_far(self, ask, play, api, how, tokens):
        """Row 1: ended without an end; row 2: a body whose end is that of the connection; row 3: inside a chunk."""
        _, endpoint = play(cut_after(tokens, how), api=api)
        outcome = ask(endpoint, truth=TRUTH)
        assert type(outcome.error) is TruncatedStreamError
        assert outcome.result.outcome == "failed"
        assert len(outcome.text.split()) == tokens

    def test_a_reset_is_truncation_with_the_text_so_far(self, ask, play, api):
        """Row 3: the server resets the connection once the consumer has what was sent."""
        server, endpoint = play(cut_after(3, "rst"), api=api, gate=True)
        server.release(3)
        outcome = ask(endpoint, body=lambda piece: "three" in piece and server.release(9), truth=TRUTH)
        assert type(outcome.error) is TruncatedStreamError
        assert outcome.text == "one two three"

    def test_all_but_the_end_is_not_the_whole(self, ask, play, api):
        """Row 1: the whole text is there, and nobody said so."""
        _, endpoint = play(cut_clean_nofinish(), api=api)
        outcome = ask(endpoint, truth=TRUTH)
        assert type(outcome.error) is TruncatedStreamError
        assert outcome.text == TRUTH

    @pytest.mark.parametrize("how", ["clean", "fin"])
    def test_half_an_event_is_dropped(self, ask, play, api, how):
        """Row 4: it is neither text nor an error of the format."""
        _, endpoint = play(cut_half_event(2, how), api=api)
        outcome = ask(endpoint, truth=TRUTH)
        assert type(outcome.error) is TruncatedStreamError
        assert outcome.text == "one two"

    @pytest.mark.parametrize("api", ["chat", "completions"])
    def test_a_finish_reason_is_enough(self, ask, play, api):
        """Row 5: not every provider sends `[DONE]`."""
        _, endpoint = play(no_done(), api=api)
        outcome = ask(endpoint)
        assert outcome.error is None
        assert outcome.text == TRUTH
        assert outcome.result.finish_reason == "eos_token"

    @pytest.mark.parametrize("how", ["fin", "rst"])
    async def test_a_slow_consumer_gets_all_that_came_before_the_cut(self, play, how):
        """Row 3: the connection broke while the consumer was busy; what had arrived by then is not dropped."""
        server, endpoint = play(cut_after(4, how), gate=True)
        server.release(1)
        pieces = []
        stream = (endpoint | ()).astream("Hi")
        with pytest.raises(TruncatedStreamError) as raised:  # noqa: PT012 - the loop is the consumer
            async with stream:
                async for piece in stream:
                    if not pieces:
                        server.release(9)
                        await asyncio.to_thread(server.requests[0].done.wait, 5)
                        await asyncio.sleep(0.02)  # let the loop see what the kernel has
                    pieces.append(piece)
        assert "".join(pieces) == raised.value.result.text == "one two three four"
