"""Row 41: many questions, some of which fail, by a process that is refused, interrupted and killed."""

import asyncio
import json
import os
import random
import subprocess
import sys
import threading

import pytest

from streamkit import Endpoint, Pipeline, Retry, SkipSpecialTokens, arun_many, run_many
from streamkit.testing import EmulatedEndpoint, NoLeaks, Response, ScriptedToken, faults

TRUTH = "one two three four five"
PATIENCE = 100.0
EOS = ScriptedToken("</s>", special=True)
COMMAND = ("batch", "q.jsonl", "--out", "a.jsonl", "--api", "tgi")
POISON = Response.json({"error": "inputs must have less than 4096 tokens", "error_type": "validation"}, 422)


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def ask_many(request):
    """Return a function that asks in each colour until the answers end or `body` is true, and leaves nothing behind."""

    async def aask(pipeline, questions, body, options):
        answers = []
        async with NoLeaks(), arun_many(pipeline, questions, **options) as ended:
            async for answer in ended:
                answers.append(answer)
                if body(answer):
                    break
        return answers

    def ask(pipeline, questions, body=lambda answer: False, **options):
        with NoLeaks():
            if request.param:
                return asyncio.run(aask(pipeline, questions, body, options))
            answers = []
            with run_many(pipeline, questions, **options) as ended:
                for answer in ended:
                    answers.append(answer)
                    if body(answer):
                        break
            return answers

    return ask


@pytest.fixture
def batch(tmp_path):
    """Return a function that starts `streamkit batch`, and ends what still runs after the test."""
    started = []
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "STREAMKIT_"))}
    (tmp_path / "home").mkdir()

    def start(server, *arguments, program=("-m", "streamkit"), **variables):
        process = subprocess.Popen(  # noqa: S603 - this interpreter and our own code
            [sys.executable, *program, *COMMAND, "--endpoint", server.url, *arguments],
            cwd=tmp_path,
            env=kept | {"HF_HOME": str(tmp_path / "home"), "PYTHONWARNINGS": "error"} | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def questions(tmp_path):
    """Return a function that writes a file of prompts."""

    def write(prompts):
        (tmp_path / "q.jsonl").write_text("".join(json.dumps(prompt) + "\n" for prompt in prompts))

    return write


@pytest.fixture
def answers(tmp_path):
    """Return a function that reads the file of answers."""
    return lambda: [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]


def poisoned(seen):
    """Refuse the one row that is too long for the model."""
    return POISON if seen.method == "POST" and seen.body["inputs"] == "poison" else None


def test_one_bad_row_does_not_end_the_others(ask_many, play):
    """It has its error, they have their text; each has the very question that it answers."""
    _, endpoint = play(respond=poisoned)
    prompts = ["poison" if number == 40 else f"prompt {number}" for number in range(100)]
    found = dict(ask_many(endpoint | SkipSpecialTokens(), prompts, concurrency=8))
    assert set(found) == set(prompts)
    failed = {prompt: result for prompt, result in found.items() if result.outcome != "completed"}
    assert [(prompt, type(result.error).__name__) for prompt, result in failed.items()] == [("poison", "RequestError")]
    assert {result.text for prompt, result in found.items() if prompt != "poison"} == {TRUTH}


@pytest.mark.timeout(300)
def test_a_batch_with_one_bad_row_says_so_and_goes_on(play, batch, questions, answers):
    """A thousand rows: its error is a line, the exit status is 1, and only it is asked again."""
    server, _ = play(respond=poisoned)
    questions(["poison" if number == 400 else f"prompt {number}" for number in range(1000)])
    process = batch(server)
    assert process.communicate(timeout=PATIENCE)[1].startswith("999 done · 0 skipped · 1 failed · ")
    assert process.returncode == 1
    lines = answers()
    assert sorted(line["id"] for line in lines) == [*range(1, 1001)]
    assert [(line["id"], line["error"]["type"]) for line in lines if line["error"]] == [(401, "RequestError")]
    process = batch(server)
    assert process.communicate(timeout=PATIENCE)[1] == "0 done · 999 skipped · 1 failed\n"
    assert process.returncode == 1
    assert len(server.requests) == 1001


@pytest.mark.timeout(300)
def test_a_batch_that_is_killed_at_any_moment_is_completed_by_the_next(play, batch, questions, answers):
    """Twenty times; each row is completed once, and no more is asked twice than was under way."""
    server, _ = play(pace=0.002)
    dice, rows, kills, concurrency = random.Random(41), 400, 20, 4
    questions([f"prompt {number}" for number in range(rows)])
    for _ in range(kills):
        process, enough = batch(server, "--concurrency", str(concurrency)), len(server.requests) + dice.randint(1, 12)
        while len(server.requests) < enough:
            server.wait_for_request(PATIENCE)
        process.kill()
        process.communicate()
    process = batch(server, "--concurrency", str(concurrency))
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    lines = answers()
    assert sorted(line["id"] for line in lines if line["outcome"] == "completed") == [*range(1, rows + 1)]
    assert {line["text"] for line in lines} == {TRUTH}
    assert rows < len(server.requests) <= rows + kills * concurrency


def test_two_batches_do_not_write_one_file(play, batch, questions, answers):
    """The second one is refused before it asks anything; once the first has been killed, it may."""
    server, _ = play(gate=True)
    questions(["Hi"])
    first = batch(server)
    server.wait_for_request(PATIENCE)
    second = batch(server)
    assert "another process is writing a.jsonl" in second.communicate(timeout=PATIENCE)[1]
    assert second.returncode == 2
    assert len(server.requests) == 1
    first.kill()
    first.communicate()
    server.release(10**6)
    third = batch(server)
    third.communicate(timeout=PATIENCE)
    assert (third.returncode, [line["text"] for line in answers()]) == (0, [TRUTH])


def test_a_server_that_bears_few_at_once_answers_all(ask_many, play):
    """It refuses whatever exceeds three at once; what was refused is asked again, and nothing is lost."""

    def few(seen):
        if sum(not request.done.is_set() for request in server.requests) > 3:
            refused.append(seen)
            return Response.json({"error": "Too many requests"}, 429, {"Retry-After": "0.01"})
        return None

    refused = []
    server, endpoint = play(respond=few, pace=0.002)
    pipeline = Retry(endpoint, attempts=1000) | SkipSpecialTokens()
    found = ask_many(pipeline, [f"prompt {number}" for number in range(60)], concurrency=16)
    assert [result.text for _, result in found] == [TRUTH] * 60
    assert refused


def test_leaving_closes_every_connection(ask_many):
    """One answer ends, once eight are asked, and the others never would."""
    asked, all_asked = [], threading.Event()

    def script(seen):
        asked.append(seen)
        if len(asked) == 8:
            all_asked.set()
        return [ScriptedToken("ok", gate=all_asked if seen.body["inputs"] == "quick" else threading.Event())]

    with EmulatedEndpoint(script) as server:
        pipeline = Pipeline(Endpoint(server.url, api="tgi", token=False))
        prompts = ["quick", *["endless"] * 100]
        ((question, result),) = ask_many(pipeline, prompts, lambda answer: True, concurrency=8)
        assert (question, result.text) == ("quick", "ok")
        assert len(asked) == 8
        assert all(seen.client_left.wait(PATIENCE) for seen in asked if seen.body["inputs"] == "endless")


async def test_so_does_a_task_that_is_cancelled(play):
    """While it waits for the next answer, of eight that have begun."""
    server, endpoint = play(gate=True)
    server.release(1)
    begun, all_begun = [], asyncio.Event()

    def on_token(token):
        begun.append(token)
        if len(begun) == 8:
            all_begun.set()

    async def ask():
        pipeline = Pipeline(endpoint, callbacks=[{"on_token": on_token}])
        async with arun_many(pipeline, ["Hi"] * 100, concurrency=8) as ended:
            async for _ in ended:
                pass

    async with NoLeaks():
        task = asyncio.create_task(ask())
        await all_begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(server.requests) == 8
    assert all(request.client_left.wait(PATIENCE) for request in server.requests)


@pytest.mark.timeout(300)
def test_many_rows_cost_no_memory(play, batch, questions):
    """Two thousand rows cost what two hundred do, but for their ids."""
    server, _ = play(script=["x" * 8000, EOS])
    code = (
        "import atexit, sys\n"
        "from streamkit.cli import main\n"
        "atexit.register(lambda: print(*[line for line in open('/proc/self/status') if line.startswith('VmHWM')]))\n"
        "main()\n"
    )
    most = []
    for rows in (200, 2200):
        questions([f"prompt {number}" for number in range(rows)])
        process = batch(server, program=("-W", "ignore::ResourceWarning", "-c", code))
        most.append(int(process.communicate(timeout=PATIENCE)[0].split()[1]))
        assert process.returncode == 0
    assert most[1] - most[0] < 4096  # KiB, a quarter of what was answered


def test_a_refused_token_ends_a_batch_at_once_and_is_nowhere(tmp_path, play, batch, questions):
    """The server echoes it; no more are asked than were on their way, and the file is its owner's alone."""
    server, _ = play(faults.s401())
    questions([f"prompt {number}" for number in range(100)])
    process = batch(server, "--concurrency", "4", "--token-env", "CANARY", CANARY="hf_canaryCanaryCANARY")
    said = "".join(process.communicate(timeout=PATIENCE))
    assert process.returncode == 1
    assert "answered 401" in said
    written = (tmp_path / "a.jsonl").read_text()
    assert "answered 401" in written
    assert "canary" not in (said + written).lower()
    assert len(server.requests) <= 8
    assert (tmp_path / "a.jsonl").stat().st_mode & 0o777 == 0o600
