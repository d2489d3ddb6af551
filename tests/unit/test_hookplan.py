"""Lifecycle hooks, compiled to plain calls."""

import pytest

from streamkit import hookspecs
from streamkit.hookplan import HookPlan
from streamkit.host import Host


def test_an_empty_plan_has_no_calls():
    """A run without observers pays for empty tuples only."""
    plan = Host().plan()
    assert [getattr(plan, name) for name in hookspecs.LIFECYCLE] == [()] * len(hookspecs.LIFECYCLE)
    assert plan.asynchronous() == HookPlan().asynchronous() == ()


@pytest.mark.parametrize(
    ("function", "got"),
    [
        (lambda run, text: (run, text), ("RUN", "TEXT")),
        (lambda text, run: (run, text), ("RUN", "TEXT")),
        (lambda text: text, "TEXT"),
        (lambda run: run, "RUN"),
        (lambda: "nothing", "nothing"),
        (lambda text, /: text, "TEXT"),
        (lambda text, again="default": (text, again), ("TEXT", "default")),
    ],
)
def test_arguments_are_matched_by_name(function, got):
    """Any subset, in any order; a default that is no argument of the hook stays."""
    (hook,) = Host([{"on_text": function}]).plan().on_text
    assert hook.call("RUN", "TEXT") == got
    assert not hook.awaits


def test_an_implementation_that_takes_all_in_order_is_called_directly():
    """The fast path has no wrapper around it."""

    def on_text(run, text): ...

    assert Host([{"on_text": on_text}]).plan().on_text[0].call is on_text


class Watcher:
    """Methods of every kind."""

    def on_start(self, request):
        """Return what it got, as the next two do."""
        return self, request

    @staticmethod
    def on_text(text):
        """See text."""
        return text

    @classmethod
    def on_token(cls, token):
        """See a token."""
        return cls, token

    @hookspecs.hookimpl(specname="on_final")
    def bye(self, result):
        """See the end, under a name of its own."""
        return result


def test_methods_of_every_kind_are_called_without_their_self():
    """Bound, static and class methods, and one that only a marker makes a hook."""
    watcher = Watcher()
    plan = Host([watcher]).plan()
    assert plan.on_start[0].call("RUN", "REQUEST") == (watcher, "REQUEST")
    assert plan.on_text[0].call("RUN", "TEXT") == "TEXT"
    assert plan.on_token[0].call("RUN", "TOKEN") == (Watcher, "TOKEN")
    assert plan.on_final[0].call("RUN", "RESULT") == "RESULT"


def test_order_is_that_of_the_list_unless_an_implementation_asks_otherwise():
    """`tryfirst` and `trylast` mean what they mean in pluggy."""
    first = hookspecs.hookimpl(tryfirst=True)(lambda: "first")
    last = hookspecs.hookimpl(trylast=True)(lambda: "last")
    plan = Host([{"on_text": given} for given in (last, lambda: "a", lambda: "b", first)]).plan()
    assert [hook.call(None, None) for hook in plan.on_text] == ["first", "a", "b", "last"]


def test_coroutine_functions_are_known_as_such():
    """The synchronous driver asks for them by name."""

    async def on_final(result): ...

    plan = Host([{"on_final": on_final, "on_text": lambda: None}]).plan()
    (hook,) = plan.asynchronous()
    assert (hook.name, hook.awaits) == ("on_final", True)
    assert str(hook) == f"hook 'on_final' of plugin {hook.plugin!r}"


def test_a_plan_is_not_changed_by_later_registrations():
    """It is compiled once."""
    host = Host()
    plan = host.plan()
    host.register({"on_text": lambda: None})
    assert plan.on_text == ()
    assert len(host.plan().on_text) == 1
