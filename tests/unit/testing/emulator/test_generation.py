"""The stopping rules of two families of engines."""

import pytest

from streamkit.testing import ScriptedToken
from streamkit.testing.emulator.generation import Ending, interleave, stops_in_text, stops_withheld
from streamkit.testing.emulator.script import read_script

EOS = ScriptedToken("</s>", special=True)


def in_text(*script, limit=100, stop=()):
    """Return the steps of TGI's rules."""
    return list(stops_in_text(read_script(script), limit, stop))


def withheld(*script, limit=100, stop=()):
    """Return the steps of vLLM's rules."""
    return list(stops_withheld(read_script(script), limit, stop))


@pytest.mark.parametrize("rules", [in_text, withheld])
class TestBothRules:
    """Where the two families agree."""

    def test_the_last_special_token_of_a_script_is_the_end_of_sequence(self, rules):
        """Its text is not in the answer."""
        assert rules("Hello", EOS)[-1].ending == Ending("eos_token", "Hello")

    def test_a_special_token_in_the_middle_does_not_end_anything(self, rules):
        """Nor does it come into the answer."""
        steps = rules("a", ScriptedToken("<unk>", special=True), "b", EOS)
        assert [step.index for step in steps] == [1, 2, 3, 4]
        assert steps[-1].ending == Ending("eos_token", "ab")

    def test_the_limit_ends_an_answer(self, rules):
        """No more tokens than allowed are generated."""
        assert [step.ending for step in rules("a", "b", "c", limit=2)] == [None, Ending("length", "ab")]

    def test_a_script_that_runs_out_ends_by_length(self, rules):
        """Without an end-of-sequence token there is no other honest reason."""
        assert rules("a", "b")[-1].ending == Ending("length", "ab")

    def test_a_stop_string_may_span_tokens(self, rules):
        """The text is tested, not single tokens."""
        ending = rules("one", "\nUs", "er:", " two", stop=["\nUser:"])[-1].ending
        assert (ending.reason, ending.stop) == ("stop_sequence", "\nUser:")


class TestStopsInText:
    """TGI."""

    def test_length_goes_before_end_of_sequence(self):
        """An end-of-sequence token on the last step is reported as length, as TGI does."""
        assert in_text("a", EOS, limit=2)[-1].ending.reason == "length"

    def test_length_goes_before_a_stop_string(self):
        """A stop string on the last step is reported as length, too."""
        assert in_text("a", "STOP", "b", limit=2, stop=["STOP"])[-1].ending == Ending("length", "aSTOP")

    def test_the_stop_text_is_part_of_the_answer(self):
        """TGI leaves it to the client to cut."""
        steps = in_text("a", " STOP", "b", stop=["STOP"])
        assert [step.text for step in steps] == ["a", " STOP"]
        assert steps[-1].ending.text == "a STOP"

    def test_a_stop_string_inside_a_token_never_fires(self):
        """It counts only where a token ends."""
        assert in_text(" Paris", " is", EOS, stop=["Pari"])[-1].ending.reason == "eos_token"

    def test_a_stop_string_before_one_newline_fires(self):
        """The dollar of the regular expression also matches before a last newline."""
        assert in_text("a", "STOP\n", "b", stop=["STOP"])[-1].ending.stop == "STOP"

    def test_special_tokens_count_for_the_stop_test(self):
        """A stop string may be the text of a special token in the middle."""
        script = ["a", ScriptedToken("<|im_end|>", special=True), "b"]
        assert in_text(*script, stop=["<|im_end|>"])[-1].ending == Ending("stop_sequence", "a", "<|im_end|>")

    def test_only_the_last_few_hundred_characters_are_looked_at(self):
        """A stop string longer than the window is never found."""
        long = "x" * 301
        assert in_text(long, "y", EOS, stop=[long])[-1].ending.reason == "eos_token"


class TestStopsWithheld:
    """vLLM, OpenAI and Ollama."""

    def test_the_stop_text_is_withheld_with_all_that_could_begin_it(self):
        """Characters leave when they cannot be the start of a stop string any more."""
        steps = withheld("abc", "de", "fST", "OPx", stop=["STOP"])
        assert [step.text for step in steps] == ["", "ab", "cde", "f"]
        assert steps[-1].ending == Ending("stop_sequence", "abcdef", "STOP")

    def test_a_stop_string_inside_a_token_fires(self):
        """Text is searched, wherever tokens end."""
        assert withheld(" Paris", " is", stop=["Pari"])[-1].ending == Ending("stop_sequence", " ", "Pari")

    def test_what_was_held_back_leaves_at_the_end(self):
        """An end without the stop string loses nothing."""
        steps = withheld("abc", EOS, stop=["STOP"])
        assert [step.text for step in steps] == ["", "abc"]

    def test_the_first_stop_string_of_the_list_wins(self):
        """Of two in one token the order of the list decides, as in vLLM."""
        assert withheld("a X b Y", stop=["Y", "X"])[-1].ending == Ending("stop_sequence", "a X b ", "Y")

    def test_end_of_sequence_goes_before_length(self):
        """An end-of-sequence token on the last step is reported as such."""
        assert withheld("a", EOS, limit=2)[-1].ending.reason == "eos_token"


def test_interleaving_takes_one_step_of_each_in_turn():
    """A batch runs until its longest answer has ended."""
    short = stops_in_text(read_script(["a"]), 9, (), 0)
    long = stops_in_text(read_script(["b", "c"]), 9, (), 1)
    assert [(step.choice, step.text) for step in interleave([short, long])] == [(0, "a"), (1, "b"), (1, "c")]
