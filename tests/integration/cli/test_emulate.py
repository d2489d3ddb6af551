"""`streamkit emulate` as a process of its own."""

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import urllib3

from streamkit import Endpoint, TruncatedStreamError


@contextmanager
def emulating(*arguments):
    """Start the command, and yield the process and its URL; afterwards it is ended by Ctrl-C."""
    process = subprocess.Popen(  # noqa: S603 - this interpreter and our own code
        [sys.executable, "-m", "streamkit", "emulate", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONWARNINGS": "error"},
        text=True,
    )
    try:
        process.introduction = process.stdout.readline() + process.stdout.readline()
        yield process, re.search(r"http://127\.0\.0\.1:\d+", process.introduction)[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)


def test_it_serves_until_ctrl_c(drive):
    """It says what it is and how to ask it, and answers with the script."""
    with emulating("--script", r"Hello\nworld", "--pace", "0") as (process, url):
        played = drive(Endpoint(url, api="tgi", token=False))
    assert "emulated tgi, not a real model" in process.introduction
    assert f"curl -N {url}/generate_stream" in process.introduction
    assert (played.text, played.error) == ("Hello\nworld</s>", None)
    assert process.returncode == 130


def test_it_plays_faults(drive):
    """In the order in which they were given, with their arguments and how often."""
    with emulating("--pace", "0", "--script", "a b c d", "--fault", "cut_after:2", "--fault", "s503*1") as (_, url):
        with urllib3.PoolManager(retries=False) as http:
            assert http.request("POST", f"{url}/generate", json={"inputs": "x"}).status == 503
        played = drive(Endpoint(url, api="tgi", token=False))
    assert type(played.error) is TruncatedStreamError
    assert played.text == "a b"
