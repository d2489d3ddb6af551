"""Errors are sorted by whose fault they are."""

import copy
import inspect
import pickle
import re

import pytest

from streamkit import errors

CLASSES = [
    found for _, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, errors.StreamkitError)
]


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes():
    """Each class stands in the drawing, below its base."""
    drawn, above = {}, {}
    for line in errors.__doc__.splitlines():
        match = re.match(r"^ {4}([│├└─ ]*)(\w+Error)\b", line)
        if match:
            depth = len(match[1]) // 4
            above[depth] = match[2]
            drawn[match[2]] = above.get(depth - 1)
    assert drawn.pop("StreamkitError") is None
    assert drawn == {found.__name__: found.__bases__[0].__name__ for found in CLASSES if found.__name__ in drawn}
    assert set(drawn) | {"StreamkitError"} == {found.__name__ for found in CLASSES}


@pytest.mark.parametrize("kind", [errors.SourceError, errors.RateLimitError, errors.OverloadedError])
def test_an_error_of_a_source_keeps_status_and_patience(kind):
    """Both survive a pickle and a copy, as an error that crosses a process must."""
    error = kind("no", status=429, retry_after=2.5)
    for found in (error, pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - our own bytes
        assert (str(found), found.status, found.retry_after) == ("no", 429, 2.5)


def test_an_error_of_the_engine_keeps_its_kind():
    """TGI's `error_type` and its like."""
    error = pickle.loads(pickle.dumps(errors.GenerationError("no", kind="overloaded", status=503)))  # noqa: S301
    assert (error.kind, error.status) == ("overloaded", 503)
    assert errors.GenerationError("no").kind == "server"


def test_a_wrong_setting_is_a_value_error_too():
    """Code that knows nothing of this library catches it by its usual name."""
    assert issubclass(errors.ConfigurationError, ValueError)


def test_an_error_outside_a_run_has_no_result():
    """`result` can always be read."""
    assert errors.StreamkitError("no").result is None


def test_a_plugin_that_could_not_be_loaded_keeps_its_names():
    """They survive a pickle and a copy too."""
    error = errors.PluginLoadError("no", distribution="streamkit-x", entry_point="x")
    for found in (error, pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - our own bytes
        assert (str(found), found.distribution, found.entry_point) == ("no", "streamkit-x", "x")
