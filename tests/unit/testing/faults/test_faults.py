"""Every fault on the wire: raw sockets see exactly it, and nothing else is different."""

import json
import re
import socket
import time
from contextlib import contextmanager
from email.utils import parsedate_to_datetime

import attrs
import pytest

from streamkit.errors import ConfigurationError
from streamkit.testing import FAULTS, EmulatedEndpoint, Fault, NoLeaks, ScriptedToken, faults
from streamkit.testing.emulator.acts import Filler
from streamkit.testing.faults import framing, read_fault, refusals, times

EOS = ScriptedToken("</s>", special=True)
SCRIPT = ["one", " two", " three", EOS]
PATIENCE = 5
CANARY = "hf_canary"


@attrs.frozen
class Wire:
    """A connection as a client without an HTTP library sees it."""

    socket: object

    def read(self):
        """Read until the connection ends or says nothing for a moment; return the bytes and how it was."""
        data = b""
        try:
            while chunk := self.socket.recv(65536):
                data += chunk
        except ConnectionResetError:
            return data, "rst"
        except TimeoutError:
            return data, "open"
        return data, "fin"


@contextmanager
def asked(fault, *, path="/generate_stream", body=None, token=CANARY, script=SCRIPT, engine="tgi", wait=PATIENCE):
    """Ask a server with a fault over a bare socket."""
    raw = json.dumps(body or {"inputs": "Hi", "parameters": {"details": True}}).encode()
    with EmulatedEndpoint(script, engine=engine, faults=[fault] if isinstance(fault, Fault) else fault) as server:
        port = int(server.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=wait) as connection:
            head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            head += f"Authorization: Bearer {token}\r\nConnection: close\r\nContent-Length: {len(raw)}\r\n\r\n"
            connection.sendall(head.encode() + raw)
            yield Wire(connection)


def whole(fault, **options):
    """Return the head, the body without its chunks, how the connection ended, and whether the body did."""
    with asked(fault, **options) as wire:
        data, end = wire.read()
    head, _, body = data.partition(b"\r\n\r\n")
    if b"chunked" not in head:
        return head.decode(), body, end, True
    pieces, ended = [], False
    while body:
        size, _, body = body.partition(b"\r\n")
        if not int(size, 16):
            ended = True
            break
        pieces.append(body[: int(size, 16)])
        body = body[int(size, 16) + 2 :]
    return head.decode(), b"".join(pieces), end, ended


def texts(body):
    """Return the tokens' texts of TGI's events, and the errors."""
    found = []
    for line in body.decode().split("\n"):
        if line.startswith("data: {"):
            event = json.loads(line[6:])
            found.append(event["token"]["text"] if "token" in event else event)
    return found


def status(head):
    """Return the status of a head."""
    return int(head.split()[1])


def header(head, name):
    """Return the value of a header."""
    return re.search(rf"(?im)^{name}: (.*?)\r?$", head)[1]


class TestCuts:
    """Answers that stop too early."""

    @pytest.mark.parametrize(
        ("how", "connection", "body_ended"),
        [("clean", "fin", True), ("fin", "fin", False), ("rst", "rst", False), ("eof", "fin", True)],
    )
    def test_an_answer_is_cut_after_some_tokens(self, how, connection, body_ended):
        """Exactly those arrive, and the connection ends as it was told."""
        head, body, end, ended = whole(faults.cut_after(2, how))
        assert status(head) == 200
        assert texts(body) == ["one", " two"]
        assert (end, ended) == (connection, body_ended)
        assert ("chunked" in head) == (how != "eof")

    @pytest.mark.parametrize("name", ["cut_clean_nofinish", "cut_eof_body", "cut_fin", "cut_rst"])
    def test_by_default_all_but_the_end_arrives(self, name):
        """The whole text is there, and nothing says that it is whole."""
        _, body, end, ended = whole(FAULTS[name]())
        assert texts(body) == ["one", " two", " three"]
        assert b"finish_reason" not in body
        assert (end == "rst") == (name == "cut_rst")
        assert ended == (name in {"cut_clean_nofinish", "cut_eof_body"})

    @pytest.mark.parametrize("engine", ["vllm", "openai"])
    def test_neither_a_finish_reason_nor_an_end_mark_comes(self, engine):
        """In OpenAI's streams both are missing."""
        ask = {"model": "emulated/tiny", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
        _, body, _, _ = whole(
            faults.cut_clean_nofinish(), path="/v1/chat/completions", body=ask, engine=engine, token="x"
        )
        assert b" three" in body
        assert b'"stop"' not in body
        assert b"[DONE]" not in body

    def test_an_answer_with_fewer_tokens_stays_whole(self):
        """There is nothing to cut."""
        _, body, _, ended = whole(faults.cut_after(9))
        assert texts(body) == ["one", " two", " three", "</s>"]
        assert ended

    def test_half_an_event_comes_and_the_body_ends(self):
        """It has neither its end nor its blank line."""
        _, body, _, ended = whole(faults.cut_half_event(1))
        assert texts(body.rpartition(b"\n\n")[0]) == ["one"]
        half = body.rpartition(b"\n\n")[2]
        assert half.startswith(b'data: {"index":2')
        assert not half.endswith(b"}")
        assert ended

    def test_the_end_mark_alone_is_left_out(self):
        """The finish reason is there."""
        ask = {"messages": [{"role": "user", "content": "Hi"}], "stream": True}
        _, body, _, ended = whole(faults.no_done(), path="/v1/chat/completions", body=ask)
        assert b'"finish_reason":"stop"' in body
        assert b"[DONE]" not in body
        assert ended

    def test_a_cut_of_no_known_kind_is_refused(self):
        """The message lists the kinds."""
        with pytest.raises(ConfigurationError, match="clean, fin, rst, eof"):
            faults.cut_after(1, "gently")


class TestErrors:
    """Errors inside the stream."""

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            (
                faults.error_event(2, "no memory", 503),
                {"error": {"message": "no memory", "type": "InternalServerError", "param": None, "code": 503}},
            ),
            (faults.error_event_str(2, "no memory", "overloaded"), {"error": "no memory", "error_type": "overloaded"}),
            (faults.error_named(2, "no memory"), {"message": "no memory"}),
        ],
    )
    def test_an_error_comes_after_two_tokens(self, fault, error):
        """And nothing after it."""
        _, body, _, ended = whole(fault)
        assert texts(body) == ["one", " two", error]
        assert (b"event: error\ndata: " in body) == (fault == faults.error_named(2, "no memory"))
        assert ended

    def test_a_stream_of_lines_has_it_on_a_line(self):
        """Ollama's framing."""
        ask = {"model": "emulated/tiny", "prompt": "Hi"}
        _, body, _, _ = whole(faults.error_event_str(1, "gone"), path="/api/generate", body=ask, engine="ollama")
        assert json.loads(body.splitlines()[-1]) == {"error": "gone", "error_type": "generation"}

    def test_an_event_that_is_not_json_is_passed_by(self):
        """The tokens after it come."""
        _, body, _, _ = whole(faults.bad_json(1))
        assert b'"one"' in body.partition(b"oops")[0]
        assert b'" three"' in body.partition(b"oops")[2]


class TestFraming:
    """Complete answers, written down in unusual ways."""

    def test_a_byte_order_mark_comes_first_and_once(self):
        """Before the first event."""
        _, body, _, _ = whole(faults.bom())
        assert body.startswith(b"\xef\xbb\xbfdata: {")
        assert body.count(b"\xef\xbb\xbf") == 1

    def test_lines_end_in_cr(self):
        """No LF is left."""
        _, body, _, _ = whole(faults.cr())
        assert b"\n" not in body
        assert body.count(b"\r\r") == 4

    def test_lines_end_in_cr_and_lf(self):
        """Everywhere."""
        _, body, _, _ = whole(faults.crlf())
        assert body.count(b"\r\n\r\n") == 4
        assert b"\n" not in body.replace(b"\r\n", b"")

    def test_no_space_follows_the_colon(self):
        """In any event."""
        _, body, _, _ = whole(faults.nospace())
        assert body.count(b"data:{") == 4
        assert b"data: " not in body

    def test_data_comes_in_two_lines(self):
        """Joined by a line end they are the same JSON."""
        _, body, _, _ = whole(faults.multiline())
        events = [event.replace(b"data: ", b"") for event in body.strip().split(b"\n\n")]
        assert [json.loads(event)["token"]["text"] for event in events] == ["one", " two", " three", "</s>"]
        assert all(event.count(b"\n") == 1 for event in events)

    def test_a_comment_comes_before_each_event(self):
        """As keep-alives do."""
        _, body, _, _ = whole(faults.comments())
        assert body.split(b"\n\n")[::2] == [b":"] * 4 + [b""]

    @pytest.mark.parametrize(("name", "text"), [("nul", framing.ESCAPES), ("u2028", framing.SEPARATORS)])
    def test_the_model_says_unusual_characters(self, name, text):
        """After its first token, as a token."""
        _, body, _, _ = whole(FAULTS[name]())
        assert texts(body) == ["one", text, " two", " three", "</s>"]

    def test_separators_are_not_escaped(self):
        """They are on the wire as they are."""
        _, body, _, _ = whole(faults.u2028())
        assert framing.SEPARATORS.encode() in body

    def test_characters_come_in_pieces(self):
        """No piece has a whole one."""
        with asked(faults.split_utf8()) as wire:
            data, _ = wire.read()
        assert framing.OWL.encode() not in data
        assert re.search(rb"\r\n\x9f\r\n", data)
        _, body, _, _ = whole(faults.split_utf8())
        assert texts(body)[1] == framing.OWL

    def test_bytes_that_are_not_utf_8_are_in_a_word(self):
        """Two of them."""
        _, body, _, _ = whole(faults.bad_utf8())
        assert b'"text":" ca\xff\xfefe"' in body

    def test_a_whole_document_stays_as_it_is(self):
        """These are faults of streams."""
        _, body, _, _ = whole([faults.cr(), faults.bom(), faults.nospace()], path="/generate")
        assert json.loads(body)["generated_text"] == "one two three"


class TestRefusals:
    """Statuses, pages and redirects."""

    @pytest.mark.parametrize("code", [401, 403, 404, 408, 422, 429, 500, 502, 503, 504])
    def test_a_status_comes_with_an_error_in_json(self, code):
        """As engines and gateways write it."""
        head, body, _, _ = whole(FAULTS[f"s{code}"]())
        assert status(head) == code
        assert json.loads(body)["error"]

    @pytest.mark.parametrize("code", [401, 403])
    def test_the_token_is_echoed(self, code):
        """A client must not repeat it."""
        _, body, _, _ = whole(FAULTS[f"s{code}"]())
        assert b"hf_canary" in body

    def test_too_many_requests_say_for_how_long(self):
        """In seconds, or as a date that is not before them."""
        assert header(whole(faults.s429(2.5))[0], "retry-after") == "2.5"
        asked_at = time.time()
        date = parsedate_to_datetime(header(whole(faults.s429date(2))[0], "retry-after"))
        assert 2 <= date.timestamp() - asked_at < 4

    def test_a_model_that_loads_says_for_how_long(self):
        """Hugging Face's own field."""
        assert json.loads(whole(faults.s503(7))[1])["estimated_time"] == 7

    def test_a_page_and_nothing_are_answers_too(self):
        """Both with 200."""
        head, body, _, _ = whole(faults.html200())
        assert (status(head), body.decode()) == (200, refusals.PAGE)
        assert header(head, "content-type").startswith("text/html")
        head, body, _, ended = whole(faults.empty200())
        assert (status(head), body, ended) == (200, b"", True)
        assert header(head, "content-type") == "text/event-stream"

    @pytest.mark.parametrize("name", ["redir_host", "redir_port", "redir_302", "redir_loop"])
    def test_a_redirect_names_another_place(self, name):
        """Or the same one."""
        with asked(FAULTS[name]()) as wire:
            port = wire.socket.getpeername()[1]
            data, _ = wire.read()
        location = {
            "redir_host": f"http://localhost:{port}/generate_stream",
            "redir_port": "http://127.0.0.1:1/generate_stream",
            "redir_302": "/generate_stream",
            "redir_loop": "/generate_stream",
        }[name]
        assert status(data.decode()) == (302 if name == "redir_302" else 307)
        assert header(data.decode(), "location") == location


class TestSize:
    """Much of nothing."""

    def test_a_line_is_as_long_as_told(self):
        """And the answer goes on."""
        _, body, _, _ = whole(faults.bigline(1_000_000))
        line = max(body.split(b"\n"), key=len)
        assert (len(line), line[:8]) == (1_000_000, b"data: xx")
        assert b'" three"' in body

    def test_an_error_is_as_long_as_told(self):
        """With its status."""
        head, body, _, _ = whole(faults.bigerr(1_000_000))
        assert (status(head), len(body)) == (500, 1_000_000)

    def test_the_default_is_64_mebibytes_and_costs_nothing_until_it_is_sent(self):
        """A fault is a small value."""
        assert faults.bigerr().acts[1] == Filler(64 * 2**20)


class TestWaiting:
    """Answers that take their time."""

    def test_nothing_comes_at_all(self):
        """Not even headers."""
        with asked(faults.silent(headers=False), wait=0.1) as wire:
            assert wire.read() == (b"", "open")

    def test_headers_come_and_no_token(self):
        """The connection stays open."""
        with asked(faults.silent(), wait=0.1) as wire:
            data, end = wire.read()
        assert data.endswith(b"\r\n\r\n")
        assert end == "open"

    def test_tokens_come_and_then_no_more(self):
        """The connection stays open."""
        with asked(faults.stall(2), wait=0.1) as wire:
            data, end = wire.read()
        assert b'" two"' in data
        assert b'" three"' not in data
        assert end == "open"

    def test_comments_come_and_no_token(self):
        """For as long as somebody listens."""
        with asked(faults.pings(1, 0.001)) as wire:
            data = b""
            while data.count(b"3\r\n:\n\n\r\n") < 20:
                data += wire.socket.recv(65536)
        assert b'"one"' in data
        assert b'" two"' not in data

    def test_the_last_token_but_one_comes_for_ever(self):
        """The answer does not finish."""
        with asked(faults.endless()) as wire:
            data = b""
            while data.count(b'" three"') < 100:
                data += wire.socket.recv(65536)
        assert b"finish_reason" not in data
        assert (data.count(b'"one"'), data.count(b"HTTP/1.1")) == (1, 1)

    def test_an_answer_of_one_token_is_endless_in_comments(self):
        """There is nothing to repeat."""
        with asked(faults.endless(), script=["all"]) as wire:
            data = b""
            while data.count(b":\n\n") < 2:
                data += wire.socket.recv(65536)
        assert b'"all"' not in data

    def test_bytes_drip(self):
        """Each comes alone, in time."""
        started = time.monotonic()
        with asked(faults.drip(0.001, 10), script=["a"]) as wire:
            data, _ = wire.read()
        sizes = [int(size, 16) for size in re.findall(rb"\r\n([0-9a-f]+)\r\n", data)]
        assert set(sizes[:-2]) == {10}
        assert time.monotonic() - started >= 0.001 * (len(sizes) - 2)

    def test_headers_come_late(self):
        """And then everything."""
        started = time.monotonic()
        _, body, _, _ = whole(faults.slow_headers(0.05))
        assert time.monotonic() - started >= 0.05
        assert len(texts(body)) == 4

    @pytest.mark.parametrize("name", ["silent", "stall", "pings", "endless", "drip"])
    def test_a_client_that_leaves_ends_it(self, name):
        """No task of the server goes on, and its record tells."""
        with EmulatedEndpoint(SCRIPT, faults=[FAULTS[name]()]) as server, NoLeaks():
            port = int(server.url.rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as connection:
                head = b"POST /generate_stream HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                connection.sendall(head + b'Content-Length: 15\r\n\r\n{"inputs":"Hi"}')
                connection.recv(10)
            request = server.wait_for_request()
            assert request.done.wait(PATIENCE)
            assert request.client_left.is_set()
            assert not request.answer_complete


class TestSeveral:
    """Faults together, in turn, and by name."""

    def test_the_first_requests_fail_and_the_next_do_not(self):
        """Only questions count: health is always good."""
        import urllib3

        with (
            EmulatedEndpoint(SCRIPT, faults=[times(faults.s503(), 2)]) as server,
            urllib3.PoolManager(retries=False) as http,
        ):
            statuses = []
            for _ in range(3):
                statuses.append(http.request("POST", f"{server.url}/generate", json={"inputs": "Hi"}).status)
                statuses.append(http.request("GET", f"{server.url}/health").status)
        assert statuses == [503, 200, 503, 200, 200, 200]

    def test_times_counts_for_what_is_said_too(self):
        """A fault in the text is a fault."""
        _, body, _, _ = whole(times(faults.nul("!"), 1))
        assert texts(body)[1] == "!"
        _, body, _, _ = whole(times(faults.nul("!"), 0))
        assert texts(body)[1] == " two"

    def test_each_is_applied_to_what_the_others_left(self):
        """Both are there."""
        _, body, end, _ = whole([faults.bom(), faults.cr(), faults.cut_after(1, "rst")])
        assert body.startswith(b"\xef\xbb\xbfdata: ")
        assert body.endswith(b"}\r\r")
        assert end == "rst"

    def test_a_fault_of_ones_own_fits(self):
        """A subclass, with what it changes."""

        class Twice(Fault):
            def say(self, tokens, seen):
                return (token for token in tokens for _ in range(2))

        _, body, _, _ = whole(Twice(), script=["a", "b"])
        assert texts(body) == ["a", "a", "b", "b"]

    @pytest.mark.parametrize("name", list(FAULTS))
    def test_a_fault_is_a_value(self, name):
        """Equal to another of its kind, hashable, and printable."""
        assert FAULTS[name]() == FAULTS[name]()
        assert isinstance(hash(FAULTS[name]()), int)
        assert repr(FAULTS[name]())

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("bom", faults.bom()),
            ("cut_after:5", faults.cut_after(5)),
            ("cut_after:5,rst", faults.cut_after(5, "rst")),
            ("silent:False", faults.silent(headers=False)),
            ("redir_port:http://127.0.0.1:9", faults.redir_port("http://127.0.0.1:9")),
            ("s503*2", times(faults.s503(), 2)),
            ("s429:0.5*3", times(faults.s429(0.5), 3)),
        ],
    )
    def test_a_fault_is_read_from_a_text(self, text, fault):
        """For the command line."""
        assert read_fault(text) == fault

    @pytest.mark.parametrize("text", ["nonsense", "bom:1", "s503*many", "cut_after:1,gently", "cut_after:1,2,3"])
    def test_a_text_that_is_no_fault_is_refused(self, text):
        """The message says what there is."""
        with pytest.raises(ConfigurationError, match=r"it is|cut by"):
            read_fault(text)
