"""What all contracts share: a broken law, and the search for the smallest input that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from streamkit.events import Attempt, Event, Finish, Token, ToolCallDelta

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__tracebackhide__ = True  # pytest shows the author's test, and none of this
Input = TypeVar("Input")
Made = TypeVar("Made")
EVENTS = (Token, ToolCallDelta, Finish, Attempt)


class LawBroken(AssertionError):  # noqa: N818 - tests read best so, and an assertion is no error of the program
    """A part broke a law of its kind.

    Args:
        law: The law, in one sentence without its full stop.
        facts: What was done, and what came of it; a line each.

    Attributes:
        law: The law.
        part: What broke it, as it is printed.
    """

    def __init__(self, law: str, *facts: str) -> None:
        super().__init__(law, *facts)
        self.law = law
        self.facts = facts
        self.part = "it"

    def __str__(self) -> str:
        return "\n  ".join([f"{self.part} breaks a law: {self.law}.", *self.facts])


@contextmanager
def about(part: object) -> Iterator[None]:
    """Name what is held to the laws in the block.

    Raises:
        ModuleNotFoundError: hypothesis is not installed.
        TypeError: It is a class.
    """
    if isinstance(part, type):
        raise TypeError(f"{part.__name__} is a class: a contract is for a part, {part.__name__}(...)")
    try:
        import hypothesis  # noqa: F401 - whoever lacks it shall hear of it here, and how to get it
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("contracts need hypothesis: pip install 'streamkit-hf[testing]'") from error
    try:
        yield
    except LawBroken as broken:
        broken.part = repr(part)
        raise


def examine(check: Callable[[Input], None], inputs: SearchStrategy[Input], examples: int) -> None:
    """Check many inputs; of those that break a law, report the smallest.

    Args:
        check: Raises `LawBroken`.
        inputs: Where they come from.
        examples: How many to try.

    Raises:
        LawBroken: With the smallest input that breaks the law that was found broken first.
    """
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis.errors import Flaky

    smallest: LawBroken | None = None

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.nested_given],
    )
    @given(inputs)
    def examined(given_input: Input) -> None:
        nonlocal smallest
        try:
            check(given_input)
        except LawBroken as broken:
            if smallest is None or broken.law == smallest.law:  # shrinking must not slip to another law
                smallest = broken
                raise

    try:
        examined()
    except LawBroken:
        pass
    except Flaky:
        if smallest is None:
            raise
        smallest.facts += ("the same input did not always do so: something is kept from one run to the next",)
    if smallest is not None:
        smallest.__notes__ = []  # hypothesis adds the input, which the message has already
        raise smallest.with_traceback(None)


def check_frozen(part: Any) -> None:
    """Hold a recipe to being immutable, since many runs share it."""
    names = [field.name for field in getattr(type(part), "__attrs_attrs__", ())] or [*getattr(part, "__dict__", ())]
    name = names[0] if names else "anything"
    had = hasattr(part, name)
    try:
        setattr(part, name, getattr(part, name, None))
    except (AttributeError, TypeError):
        return
    if not had:
        delattr(part, name)
    raise LawBroken(
        "a recipe is frozen, since concurrent runs share it",
        f"{name!r} of {part!r} could be set: decorate the class with @attrs.frozen",
    )


def guarded(law: str, call: Callable[[], Made], *facts: str) -> Made:
    """Return what a call returns; whatever it raises is a broken law.

    Args:
        law: Why it may not raise.
        call: The call.
        facts: What it was about.
    """
    try:
        return call()
    except Exception as error:
        raise LawBroken(law, *facts, f"raised {type(error).__name__}: {error}") from error


def check_events(returned: Any, what: str) -> Sequence[Event]:
    """Hold what a method returned to being a tuple or list of events.

    Args:
        returned: What it returned.
        what: The call, for the message.
    """
    if not isinstance(returned, tuple | list):
        kind = "None" if returned is None else f"a {type(returned).__name__}"
        raise LawBroken(
            "events are returned in a tuple or list, at once: no generator, no single event, not None",
            f"{what} returned {kind}",
        )
    for event in returned:
        if type(event) not in EVENTS:
            raise LawBroken(
                "only events leave: Token, ToolCallDelta, Finish or Attempt", f"{what} returned {event!r} among them"
            )
    return returned


def written(events: Sequence[Event]) -> str:
    """Write events as short as Python reads them: only what differs from the default."""
    return f"[{', '.join(map(_written, events))}]"


def _written(event: Event) -> str:
    shown = [
        f"{field.name}={getattr(event, field.name)!r}".removeprefix("text=")
        for field in attrs.fields(type(event))
        if field.name == "text" or getattr(event, field.name) != field.default
    ]
    return f"{type(event).__name__}({', '.join(shown)})"
