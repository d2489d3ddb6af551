"""`streamkit batch`: what is refused before anything is asked, and rows that are not asked."""

import json

import pytest

from streamkit.testing import EmulatedEndpoint


@pytest.fixture
def questions(tmp_path, monkeypatch):
    """Return the file of one question, in the directory where the command runs."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "questions.jsonl"
    path.write_text('"Hi"\n')
    return path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--out"),
        (("--out", "a.jsonl"), "Which model?"),
        (("--out", "questions.jsonl", "--endpoint", "http://x"), "--out is the file of the questions"),
        (("--out", "a.jsonl", "--endpoint", "http://x", "--concurrency", "0"), "x>=1"),
        (("--out", "a.jsonl", "--endpoint", "http://x", "--param", "seed"), "name=value"),
        (("--out", "a.jsonl", "--pipeline", "x.toml", "--endpoint", "http://x"), "leave out --endpoint"),
        (("--out", ".", "--endpoint", "http://x"), "is no file"),
    ],
)
def test_an_impossible_batch_is_refused(invoke, questions, arguments, message):
    """With 2, and nothing on stdout."""
    result = invoke("batch", str(questions), *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert result.stdout == ""
    assert questions.read_text() == '"Hi"\n'


def test_questions_that_are_not_there_are_refused(invoke, questions, tmp_path):
    """And no file of answers is made."""
    result = invoke("batch", "none", "--out", "answers.jsonl", "--endpoint", "http://x")
    assert result.exit_code == 2
    assert "'none': No such file" in " ".join(result.stderr.replace("│", " ").split())
    assert not (tmp_path / "answers.jsonl").exists()


def test_a_row_with_the_id_of_an_earlier_one_is_not_asked(invoke, questions, tmp_path):
    """Nor when the earlier one has been done before; its line does not pass for the other's."""
    questions.write_text('{"id": "a", "prompt": "first"}\n{"id": "a", "prompt": "second"}\n{"id": "a"}\n')
    out = tmp_path / "answers.jsonl"
    with EmulatedEndpoint(["Hello"]) as server:
        for tally in ("1 done · 0 skipped · 2 failed", "0 done · 1 skipped · 2 failed"):
            result = invoke("batch", str(questions), "--out", str(out), "--endpoint", server.url, "--api", "tgi")
            assert result.exit_code == 1
            assert tally in result.stderr
        assert [request.body["inputs"] for request in server.requests] == ["first"]
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert sorted(str(line["id"]) for line in lines) == ["None"] * 4 + ["a"]
    assert {line["error"]["message"] for line in lines if line["id"] is None} == {
        "the id 'a' is that of an earlier row: give each row its own"
    }


def test_options_reach_every_row_and_a_row_s_own_parameters_win(invoke, questions, tmp_path):
    """Parameters, stop sequences and a system's message."""
    questions.write_text('"a"\n{"prompt": "b", "parameters": {"seed": 5}}\n')
    with EmulatedEndpoint(["Hello", "\n", "User: x"]) as server:
        result = invoke(
            *("batch", str(questions), "--out", str(tmp_path / "out"), "--endpoint", server.url, "--api", "chat"),
            *("--param", "seed=1", "--stop", r"\nUser:", "--system", "Be brief", "--model", "emulated/tiny"),
        )
        asked = sorted((request.body["messages"][1]["content"], request.body["seed"]) for request in server.requests)
    assert (result.exit_code, result.stdout) == (0, "")
    assert asked == [("a", 1), ("b", 5)]
    lines = [json.loads(line) for line in (tmp_path / "out").read_text(encoding="utf-8").splitlines()]
    assert [(line["text"], line["stop"]) for line in lines] == [("Hello", "\nUser:")] * 2
    assert lines[0]["messages"][0] == {"role": "system", "content": "Be brief"}


def test_a_pipeline_file_is_asked_without_its_console(invoke, questions, tmp_path):
    """Nothing but the file of answers, and the other sinks, gets the answers."""
    with EmulatedEndpoint(["Hello"]) as server:
        (tmp_path / "hello.toml").write_text(
            f'sinks = ["console", {{ use = "json_lines", target = "log.jsonl" }}]\n'
            f'[source]\nuse = "endpoint"\nurl = "{server.url}"\napi = "tgi"\n[parameters]\nseed = 3\n'
        )
        result = invoke("batch", str(questions), "--out", "out", "--pipeline", "hello.toml", "--param", "top_k=4")
        parameters = server.requests[0].body["parameters"]
    assert (result.exit_code, result.stdout) == (0, "")
    assert (parameters["seed"], parameters["top_k"]) == (3, 4)
    assert json.loads((tmp_path / "log.jsonl").read_text())["text"] == "Hello"
    result = invoke("batch", str(questions), "--out", "log.jsonl", "--pipeline", "hello.toml")
    assert result.exit_code == 2
    assert "one of the pipeline's sinks" in result.stderr


def test_it_gives_up_where_every_row_would_fail(invoke, questions, tmp_path):
    """A hundred rows, a server that is not there: ten are enough, and one sentence says why."""
    questions.write_text('"Hi"\n' * 100)
    arguments = ("--endpoint", "http://127.0.0.1:1", "--api", "tgi", "--retries", "0", "--concurrency", "1")
    result = invoke("batch", str(questions), "--out", "out", *arguments)
    assert result.exit_code == 1
    assert "0 done · 0 skipped · 10 failed · given up" in result.stderr
    assert "streamkit: no connection to http://127.0.0.1:1" in result.stderr
    assert len((tmp_path / "out").read_text().splitlines()) == 10


def test_an_option_that_cannot_work_is_the_caller_s(invoke, questions, tmp_path):
    """The exit status says so."""
    questions.write_text('"Hi"\n' * 100)
    with EmulatedEndpoint(["Hello"]) as server:
        options = ("--endpoint", server.url, "--api", "tgi", "--param", "max_tokens=5")
        result = invoke("batch", str(questions), "--out", "out", *options)
        assert server.requests == []
    assert result.exit_code == 2
    assert "max_new_tokens" in result.stderr
