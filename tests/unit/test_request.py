"""What is asked of a model."""

import pickle

import pytest

from streamkit.errors import ConfigurationError
from streamkit.request import Request

TURN = {"role": "user", "content": "Hello"}


def test_a_question_is_a_prompt_messages_or_a_request():
    """Each of the three becomes a request with the parameters."""
    parameters = {"top_k": 3}
    assert Request.of("Hi", parameters) == Request(prompt="Hi", parameters=parameters)
    assert Request.of([TURN], parameters) == Request(messages=(TURN,), parameters=parameters)
    assert Request.of((turn for turn in [TURN]), {}) == Request(messages=[TURN])


def test_parameters_are_added_to_a_finished_request():
    """Those given later win, and the finished request stays as it is."""
    finished = Request(prompt="Hi", parameters={"top_k": 1, "seed": 2}, stop=["x"])
    assert Request.of(finished, {"top_k": 3}) == Request(prompt="Hi", parameters={"top_k": 3, "seed": 2}, stop=("x",))
    assert finished.parameters["top_k"] == 1


@pytest.mark.parametrize("given", [{}, {"prompt": "Hi", "messages": [TURN]}])
def test_there_is_one_question(given):
    """Neither nothing nor both."""
    with pytest.raises(ConfigurationError, match="not both"):
        Request(**given)


@pytest.mark.parametrize("question", [42, None, object()])
def test_what_is_no_question_is_refused_by_its_type(question):
    """The message says what can be asked."""
    with pytest.raises(ConfigurationError, match=f"cannot ask a model '{type(question).__name__}'"):
        Request.of(question, {})


@pytest.mark.parametrize("messages", [[], ["Hello"], [{"content": "x"}], "Hello", TURN, b"Hello", iter(())])
def test_messages_are_messages(messages):
    """An empty conversation, plain texts, or one bare turn would be sent as nonsense."""
    with pytest.raises(ConfigurationError, match="non-empty list of mappings"):
        Request(messages=messages)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: Request.of("Hi", {"stop": ["x"]}),
        lambda: Request.of(Request(prompt="Hi"), {"stop": ["x"]}),
        lambda: Request(prompt="Hi", parameters={"stop": ["x"]}),
    ],
)
def test_stop_is_no_parameter_whichever_way_it_comes(ask):
    """The message names the transform that does it."""
    with pytest.raises(ConfigurationError, match=r"add StopSequences\(\.\.\.\) to the pipeline"):
        ask()


def test_one_stop_hint_may_be_a_bare_string():
    """It is one sequence, not its characters."""
    assert Request(prompt="Hi", stop="END").stop == ("END",)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [1.0, float("-inf")], {"a": ({"b": float("nan")},)}])
def test_a_number_that_json_has_not_is_refused_by_name(value):
    """It would be sent as null, and the server would use its own value without a word."""
    with pytest.raises(ConfigurationError, match=r"^parameter top_p is .* finite numbers only"):
        Request(prompt="q", parameters={"temperature": 0.7, "stop_ids": [1, 2], "extra": {"a": "b"}, "top_p": value})


def test_a_request_keeps_its_parameters():
    """It is a value: the mapping that it was made of may change, and it comes out of a pickle equal."""
    given = {"temperature": 0.7}
    request = Request(prompt="q", parameters=given)
    given["temperature"] = 1.0
    assert request.parameters == {"temperature": 0.7}
    assert pickle.loads(pickle.dumps(request)) == request  # noqa: S301 (written on this very line)


def test_parameters_are_a_mapping():
    """Anything else is refused where it is given."""
    with pytest.raises(ConfigurationError, match="parameters are a mapping"):
        Request(prompt="q", parameters=["temperature"])
