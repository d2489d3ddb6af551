"""Many questions at once: what is taken, what is handed out, and how many run beside each other."""

import asyncio
import contextvars
from contextlib import asynccontextmanager, contextmanager

import attrs
import pytest

from streamkit import Attempt, Finish, RateLimitError, Request, RequestError, Token, arun_many, run_many
from streamkit.errors import ConfigurationError
from streamkit.many import Pace, unasked
from streamkit.pipeline import Pipeline
from streamkit.protocols import Composable

WHO = contextvars.ContextVar("WHO", default="nobody")


@attrs.frozen
class Says(Composable):
    """A source that says its prompt and who asked, refuses "bad", and is busy once for "busy"."""

    def batches(self, request):
        """Return what it says."""
        if request.prompt == "bad":
            raise RequestError("bad is not asked", status=422)
        if request.prompt == "busy":
            yield (Attempt(number=1, error="busy", wait=0.0),)
        yield (Token(f"{request.prompt} {request.parameters.get('seed', '')}{WHO.get()}"), Finish(reason="eos_token"))

    @contextmanager
    def open(self, request):
        """Say it."""
        yield self.batches(request)

    @asynccontextmanager
    async def aopen(self, request):
        """Say it."""

        async def batches():
            for batch in self.batches(request):
                yield batch

        yield batches()


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def ask_many(request):
    """Return a function that asks in each colour, and gives the answers handed out before `body` raised."""

    def ask(pipeline, questions, body=lambda answer: None, **options):
        answers = []

        def take(answer):
            answers.append(answer)
            body(answer)

        async def aask():
            async with arun_many(pipeline, questions, **options) as ended:
                async for answer in ended:
                    take(answer)

        if request.param:
            asyncio.run(aask())
        else:
            with run_many(pipeline, questions, **options) as ended:
                for answer in ended:
                    take(answer)
        return answers

    return ask


def test_each_question_comes_back_with_its_result(ask_many):
    """The very object, so that whoever asks can give it what it needs to know; requests have their own parameters."""
    questions = [Request(prompt="a", parameters={"seed": 1}), "b", [{"role": "user", "content": "c"}]]
    answers = ask_many(Pipeline(Says(), parameters={"seed": 2}), questions)
    assert {id(question) for question, _ in answers} == {id(question) for question in questions}
    assert sorted(result.text for _, result in answers) == ["None 2nobody", "a 1nobody", "b 2nobody"]


def test_what_fails_is_a_result_and_the_others_go_on(ask_many):
    """Also what cannot even be put: a question that is none."""
    answers = dict(ask_many(Pipeline(Says()), ["a", "bad", 5, "b"]))
    assert {question: result.outcome for question, result in answers.items()} == {
        "a": "completed",
        "bad": "failed",
        5: "failed",
        "b": "completed",
    }
    assert type(answers["bad"].error) is RequestError
    assert type(answers[5].error) is ConfigurationError


def test_questions_that_cannot_be_put_do_not_end_it(ask_many):
    """However many of them come at the beginning."""
    answers = ask_many(Pipeline(Says()), [*range(40), "a"], concurrency=2)
    assert [result.outcome for _, result in answers] == ["failed"] * 40 + ["completed"]


def test_no_questions_are_no_answers(ask_many):
    """Nor an error."""
    assert ask_many(Pipeline(Says()), []) == []


def test_questions_are_taken_as_their_turn_comes(ask_many):
    """A million of them cost no memory: no more are taken than run at once."""
    taken, handed_out = [], []

    def questions():
        for number in range(50):
            taken.append(number)
            assert len(taken) - len(handed_out) <= 4
            yield str(number)

    ask_many(Pipeline(Says()), questions(), handed_out.append, concurrency=4)
    assert len(handed_out) == len(taken) == 50


def test_what_the_questions_raise_is_raised(ask_many):
    """It is the caller's own."""

    def questions():
        yield "a"
        raise LookupError("a bug")

    with pytest.raises(LookupError, match="a bug"):
        ask_many(Pipeline(Says()), questions())


def test_what_the_body_raises_is_raised(ask_many):
    """As it is, not in a group."""

    def body(answer):
        raise LookupError("a bug")

    with pytest.raises(LookupError, match="a bug"):
        ask_many(Pipeline(Says()), ["a", "b"], body)


def test_runs_see_the_context_of_who_asks(ask_many):
    """Traces, for instance, have their parent there."""
    token = WHO.set(" for me")
    try:
        assert [result.text for _, result in ask_many(Pipeline(Says()), ["a"])] == ["a  for me"]
    finally:
        WHO.reset(token)


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, "4"])
def test_an_impossible_concurrency_is_refused(ask_many, concurrency):
    """Before anything is asked."""
    with pytest.raises(ConfigurationError, match="concurrency is"):
        ask_many(Pipeline(Says()), ["a"], concurrency=concurrency)


def test_refused_tries_lower_the_pace(ask_many):
    """Eight are asked at first, and later further ones only when fewer than that are left."""
    taken, ahead, handed_out = [], [], []

    def questions():
        for _ in range(40):
            taken.append("busy")
            yield "busy"

    def body(answer):
        handed_out.append(answer)
        if len(taken) < 40:
            ahead.append(len(taken) - len(handed_out))

    ask_many(Pipeline(Says()), questions(), body, concurrency=8)
    assert len(handed_out) == 40
    assert min(ahead) < 6


@pytest.fixture
def completed():
    """Return the result of a run that went well."""
    return Pipeline(Says()).run("a")


def test_the_pace_is_halved_once_for_all_that_were_on_their_way():
    """A storm of refusals is one piece of news."""
    pace = Pace(16)
    assert {pace.refused(0) for _ in range(16)} == {1}
    assert pace.limit == 8
    assert {pace.refused(1) for _ in range(8)} == {2}
    assert pace.limit == 4


def test_the_pace_is_never_below_one_and_never_above_the_most(completed):
    """Somebody is always asked."""
    pace = Pace(2)
    for lowered in range(5):
        pace.refused(lowered)
    assert pace.limit == 1
    for _ in range(10):
        pace.ended(completed, pace.lowered)
    assert pace.limit == 2


def test_the_pace_grows_by_one_in_a_round(completed):
    """Four answers at four at once make five of it."""
    pace = Pace(16)
    pace.refused(0)
    pace.refused(1)
    for _ in range(4):
        assert pace.limit == 4
        pace.ended(completed, 2)
    pace.ended(completed, 2)
    assert pace.limit == 5


def test_a_refusal_that_ended_its_run_counts_and_another_failure_does_not():
    """A row that is wrong says nothing about the server."""
    pace = Pace(16)
    pace.ended(unasked(RequestError("no", status=422)), 0)
    assert pace.limit == 16
    pace.ended(unasked(RateLimitError("busy", status=429, transient=True)), 0)
    assert pace.limit == 8
