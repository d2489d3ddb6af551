"""Each channel is read by itself."""

from streamkit.events import Finish, Token, ToolCallDelta
from streamkit.transforms import StopSequences
from streamkit.transforms._channels import ByChannel


def test_two_channels_are_never_read_as_one():
    """Half a stop sequence on each of two channels is no stop sequence, and delays nobody else."""
    machine = StopSequences("ab", scope="all").start()
    assert list(machine.feed(Token("a"))) == []
    other = Token("b", channel="reasoning")
    assert list(machine.feed(other)) == [other]
    assert list(machine.flush()) == [Token("a")]


def test_other_events_pass_at_once():
    """A tool call does not wait for held text."""
    machine = StopSequences("ab", scope="all").start()
    machine.feed(Token("a"))
    assert machine.feed(ToolCallDelta(name="f")) == (ToolCallDelta(name="f"),)


def test_an_end_on_one_channel_releases_the_others_first():
    """Text held on another channel leaves before the Finish, and nothing after it."""
    machine = StopSequences("ab", scope="all").start()
    machine.feed(Token("a"))
    finish = Finish(reason="stop_sequence", stop="ab")
    assert list(machine.feed(Token("xab", channel="c"))) == [Token("x", channel="c", raw="xab"), Token("a"), finish]
    assert machine.feed(Token("b")) == ()
    assert machine.flush() == ()


def test_a_machine_is_made_for_each_channel_once():
    """The factory is called with the channel's name, when its first token comes."""
    made = []

    def start(channel):
        made.append(channel)
        return StopSequences().start()

    machine = ByChannel(start)
    for channel in ("text", "reasoning", "text"):
        machine.feed(Token("a", channel=channel))
    assert made == ["text", "reasoning"]
