"""What is left behind is noticed and named."""

import asyncio
import socket
import sys
import threading

import pytest

from streamkit.testing import NoLeaks


def test_a_clean_block_passes():
    """Threads and sockets that ended are nobody's business."""
    with NoLeaks(), socket.socket():
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()


def test_a_thread_that_ends_a_moment_later_is_waited_for():
    """Servers in the same process close their side a little after the client."""
    with NoLeaks():
        timer = threading.Timer(0.02, lambda: None)
        timer.start()


def test_a_thread_is_named():
    """The message tells which one."""
    go = threading.Event()
    with pytest.raises(AssertionError, match="thread 'forgotten'"), NoLeaks(patience=0.01):
        threading.Thread(target=go.wait, name="forgotten").start()
    go.set()


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted in /proc")
def test_a_socket_is_counted():
    """Sockets are descriptors."""
    kept = []
    with pytest.raises(AssertionError, match="1 file descriptors"), NoLeaks(patience=0.01):
        kept.append(socket.socket())
    kept.pop().close()


async def test_a_task_is_named():
    """In asynchronous code tasks count too."""
    task = None
    with pytest.raises(AssertionError, match="task 'forgotten'"):
        async with NoLeaks(patience=0.01):
            task = asyncio.create_task(asyncio.Event().wait(), name="forgotten")
    task.cancel()


async def test_a_task_that_ends_a_moment_later_is_waited_for():
    """The loop runs on meanwhile."""
    async with NoLeaks():
        task = asyncio.create_task(asyncio.sleep(0.01))
    assert task.done()


def test_an_error_of_the_block_comes_out_as_it_is():
    """What went wrong first is not hidden by what it left behind."""
    go = threading.Event()
    with pytest.raises(LookupError), NoLeaks(patience=0.01):  # noqa: PT012 - the thread must be in the block
        threading.Thread(target=go.wait).start()
        raise LookupError
    go.set()
