"""Figures in a notebook's page, in a real Chromium: the later ones draw with the code of the first one."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from orchestrator.analysis.report.collect import collect
from orchestrator.analysis.report.page import Part, figure
from orchestrator.records.paths import SweepPaths

pytestmark = [pytest.mark.system, pytest.mark.timeout(200)]

EXAMPLE = Path(__file__).resolve().parents[2] / "results" / "churn-example"
SHAPES = {"curves": "path.curve[data-trial]", "parallel": "path.line", "slices": "path.dot"}
Show = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def reader(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody's browser, with a storage of its own."""
    context = browser.new_context(viewport={"width": 900, "height": 900})
    yield context
    context.close()


@pytest.fixture(scope="module")
def frame() -> Callable[[str, Part], str]:
    """A cell's output, as ``Figure._repr_html_`` gives it."""
    data, made = collect(SweepPaths(EXAMPLE)), dict[tuple[str, Part], str]()

    def output(name: Any, part: Part) -> str:
        if (name, part) not in made:
            page = html.escape(figure(data, name, part))
            made[name, part] = f'<iframe id="{name}" srcdoc="{page}" style="width: 100%; height: 300px"></iframe>'
        return made[name, part]

    return output


@pytest.fixture
def notebook(tmp_path: Path, frame: Callable[[str, Part], str], reader: BrowserContext) -> Iterator[Show]:
    """Opens a page with some outputs; at the end nothing may have gone wrong in it, nor been asked of a network."""
    wrong: list[str] = []

    def show(*outputs: tuple[str, Part], by: BrowserContext = reader) -> Page:
        file = tmp_path / "notebook.html"
        file.write_text("<!doctype html><body>" + "".join(frame(*each) for each in outputs))
        seen = by.new_page()
        seen.on("console", lambda message: wrong.append(message.text))
        seen.on("pageerror", lambda error: wrong.append(str(error)))
        seen.on("request", lambda request: None if request.url == file.as_uri() else wrong.append(request.url))
        seen.goto(file.as_uri())
        return seen

    yield show
    assert wrong == []


def drawn(seen: Page, name: str) -> None:
    expect(seen.frame_locator(f"#{name}").locator(SHAPES[name]).first).to_be_visible()


def missing(seen: Page, name: str) -> Any:
    return seen.frame_locator(f"#{name}").get_by_text("the notebook's first figure carries")


@pytest.mark.parametrize("part", ["alone", "first"])
@pytest.mark.parametrize("name", SHAPES)
def test_a_figure_is_whole_and_its_frame_as_high(name: str, part: Part, notebook: Show) -> None:
    seen = notebook((name, part))
    drawn(seen, name)
    seen.wait_for_function("document.querySelector('iframe').offsetHeight !== 304")
    assert seen.frames[1].evaluate("document.documentElement.scrollHeight - innerHeight") <= 0


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_later_figures_draw_wherever_the_first_one_is(order: tuple[int, ...], notebook: Show) -> None:
    outputs: list[tuple[str, Part]] = [("curves", "first"), ("parallel", "later"), ("slices", "later")]
    seen = notebook(*(outputs[place] for place in order))
    for name in SHAPES:
        drawn(seen, name)
    for place in range(3):
        seen.wait_for_function(f"document.querySelectorAll('iframe')[{place}].offsetHeight !== 304")


def test_after_the_first_figure_was_cleared(notebook: Show, frame: Callable[[str, Part], str]) -> None:
    seen = notebook(("curves", "first"))
    drawn(seen, "curves")
    seen.evaluate("document.getElementById('curves').remove(); localStorage.clear()")
    seen.evaluate("output => document.body.insertAdjacentHTML('beforeend', output)", frame("slices", "later"))
    drawn(seen, "slices")


def test_opened_again_without_the_first_figure(notebook: Show) -> None:
    drawn(notebook(("curves", "first")), "curves")
    drawn(notebook(("slices", "later")), "slices")


def test_in_a_browser_that_never_saw_the_first_figure(
    browser: Browser, notebook: Show, frame: Callable[[str, Part], str]
) -> None:
    stranger = browser.new_context()
    seen = notebook(("slices", "later"), by=stranger)
    expect(missing(seen, "slices")).to_be_hidden()
    expect(missing(seen, "slices")).to_be_visible()  # after two seconds
    seen.evaluate("output => document.body.insertAdjacentHTML('beforeend', output)", frame("curves", "first"))
    drawn(seen, "slices")
    expect(missing(seen, "slices")).to_be_hidden()
    stranger.close()


def test_other_code_in_the_storage_does_not_run(
    notebook: Show, frame: Callable[[str, Part], str], reader: BrowserContext
) -> None:
    seen = notebook(("curves", "first"))
    drawn(seen, "curves")
    assert seen.evaluate("Object.keys(localStorage).filter(key => key.startsWith('sweep-figure-')).length") == 1
    seen.evaluate("for (const key in localStorage) localStorage[key] = JSON.stringify(['window.parent.ran = 1'])")
    file = Path(seen.url.removeprefix("file://"))
    file.write_text("<!doctype html><body>" + frame("slices", "later"))
    other, refused = reader.new_page(), list[str]()
    other.on("console", lambda message: refused.append(message.text))
    other.goto(file.as_uri())
    other.wait_for_timeout(500)
    assert other.evaluate("window.ran") is None
    assert any("Content Security Policy" in each for each in refused)
