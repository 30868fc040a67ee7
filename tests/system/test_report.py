"""The report of a sweep in a real Chromium: drawn without an error or a request, filtered, by mouse and by keyboard."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from orchestrator.analysis.report.collect import collect
from orchestrator.analysis.report.page import page
from orchestrator.records.load import load
from orchestrator.records.paths import SweepPaths
from tests.analysis.report.made import HOSTILE, KINDS

pytestmark = [pytest.mark.system, pytest.mark.timeout(200)]

EXAMPLE = Path(__file__).resolve().parents[2] / "results" / "churn-example"
EMPTY = ".plot:not(:has(svg > *))"
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The report of a kind of sweep, made once."""
    results, made = tmp_path_factory.mktemp("results"), dict[str, Path]()

    def report(kind: str) -> Path:
        if kind not in made:
            paths = SweepPaths(EXAMPLE) if kind == "churn-example" else KINDS[kind](results)
            made[kind] = results / f"{kind}.html"
            made[kind].write_text(page(collect(paths)))
        return made[kind]

    return report


@pytest.fixture
def opened(browser: Browser, reports: Callable[[str], Path]) -> Iterator[Open]:
    """Opens a report; at the end of the test nothing may have gone wrong in it, and nothing been asked for."""
    wrong: list[str] = []
    pages: list[Page] = []

    def look(kind: str, *, width: int = 1400, scheme: Any = "light") -> Page:
        seen = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        pages.append(seen)
        file = reports(kind).as_uri()
        seen.on("console", lambda message: wrong.append(message.text))
        seen.on("pageerror", lambda error: wrong.append(str(error)))
        seen.on("request", lambda request: None if request.url in (file, "data:,") else wrong.append(request.url))
        seen.goto(file)
        expect(seen.locator(EMPTY)).to_have_count(0)
        return seen

    yield look
    for seen in pages:
        seen.close()
    assert wrong == []


def rows(seen: Page) -> Locator:
    return seen.locator("#table tbody tr")


def drag(seen: Page, axis: str, start: float, end: float) -> None:
    """Draw a range on an axis of the parallel coordinates; the ends are shares of its length."""
    dimension = seen.locator(f"g.dimension[aria-label='Range of {axis}'] .overlay")
    dimension.scroll_into_view_if_needed()
    box = dimension.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"]
    seen.mouse.move(x, y - start * box["height"])
    seen.mouse.down()
    seen.mouse.move(x, y - end * box["height"], steps=4)
    seen.mouse.up()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("kind", ["churn-example", *(kind for kind in KINDS if kind != "large")])
def test_every_kind_is_drawn(kind: str, width: int, scheme: str, opened: Open) -> None:
    seen = opened(kind, width=width, scheme=scheme)
    assert seen.evaluate("document.documentElement.scrollWidth") <= width, "it must be scrolled sideways"
    red, green, blue = seen.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert max(red, green, blue) < 60 if scheme == "dark" else min(red, green, blue) > 230


def test_all_is_there(opened: Open) -> None:
    seen = opened("churn-example")
    expect(seen.locator("h1")).to_contain_text("churn-example")
    figures = seen.evaluate("[...document.querySelectorAll('[data-figure]')].map(figure => figure.dataset.figure)")
    assert set(figures) == {"curves", "parallel", "slices", "weights", "timeline"}
    expect(seen.locator("[data-figure=curves] path.curve[data-trial]")).to_have_count(60)
    expect(seen.locator("[data-figure=curves] .rungs > g")).to_have_count(4)
    expect(seen.locator("[data-figure=parallel] path.line")).to_have_count(60)
    expect(seen.locator("[data-figure=parallel] g.dimension")).to_have_count(10)
    expect(seen.locator("[data-figure=slices] .grid > div")).to_have_count(9)
    expect(seen.locator("[data-figure=weights] rect.weight")).not_to_have_count(0)
    attempts = int((load(EXAMPLE).events["event"] == "running").sum())  # a promoted trial has several
    expect(seen.locator("[data-figure=timeline] rect.span")).to_have_count(attempts)
    expect(seen.locator("pre.code")).to_contain_text('pd.read_parquet("')


def test_a_range_filters_the_page(opened: Open) -> None:
    seen = opened("some")
    seen.get_by_role("button", name="Show all 60").click()
    expect(rows(seen)).to_have_count(60)
    drag(seen, "lr", 0.6, 1.0)
    chosen = seen.evaluate("trials.filter(each => each.cells.lr >= 1e-2).length")
    expect(rows(seen)).not_to_have_count(60)
    assert abs(rows(seen).count() - chosen) <= 3  # the drag ends within a pixel or two
    expect(seen.locator("#table .count")).to_contain_text("of 60 trials match the filters")
    assert seen.locator("path.line.out").count() == 60 - rows(seen).count()
    drag(seen, "layers", 0.01, 0.4)
    assert 0 < rows(seen).count() < chosen
    layers = seen.evaluate("[...chosen.passing].map(trial => byNumber.get(trial).cells.layers)")
    assert set(layers) <= {1, 2}
    seen.get_by_role("button", name="Clear ranges").click()
    expect(rows(seen)).to_have_count(60)
    assert seen.locator(".out").count() == 0


def test_ranges_lie_across_on_a_narrow_page(opened: Open) -> None:
    seen = opened("some", width=400)
    box = seen.locator("g.dimension[aria-label='Range of lr'] .overlay").bounding_box()
    assert box is not None
    assert box["width"] > 4 * box["height"]


def test_a_range_by_keyboard(opened: Open) -> None:
    seen = opened("some")
    axis = seen.get_by_role("slider", name="Range of lr")
    axis.focus()
    expect(axis).to_have_attribute("aria-valuetext", "no range")
    seen.keyboard.press("ArrowUp")
    few = int(seen.locator("#table .count").inner_text().split()[0])
    assert few == seen.evaluate("trials.filter(each => Math.log10(each.cells.lr) > -1.25).length")
    expect(axis).to_have_attribute("aria-valuetext", "0.05623 to 1")
    seen.keyboard.press("Shift+ArrowUp")
    seen.keyboard.press("ArrowDown")
    assert int(seen.locator("#table .count").inner_text().split()[0]) >= few
    seen.keyboard.press("Escape")
    expect(seen.locator("#table .count")).to_have_text("60 trials")


def best_first() -> list[Any]:
    """The trials of the sweep in the repository."""
    return list(load(EXAMPLE).trials.sort_values("objective", ascending=False).itertuples())


def test_trials_by_keyboard(opened: Open) -> None:
    seen = opened("churn-example")
    best, second, *_ = best_first()
    seen.locator("[data-figure=curves] svg[tabindex]").focus()
    seen.keyboard.press("Home")
    expect(seen.locator("#hint")).to_contain_text(f"Trial {best.trial}, {best.state}")
    expect(seen.locator("#hint")).to_contain_text(f"val_auroc {best.objective:.6g} at step {best.best_step}")
    expect(rows(seen).first).to_have_class("pointed")
    seen.keyboard.press("ArrowRight")
    expect(seen.locator("#hint")).to_contain_text(f"Trial {second.trial}, {second.state}")
    seen.keyboard.press("Escape")
    expect(seen.locator("#hint")).to_be_hidden()
    assert seen.locator(".pointed").count() == 0


def test_everything_that_can_be_used_can_be_reached(opened: Open) -> None:
    seen = opened("churn-example")
    reached = set()
    for _ in range(80):
        seen.keyboard.press("Tab")
        reached.add(
            seen.evaluate(
                "document.activeElement.closest('[data-figure], #outcomes, #table')?.dataset.figure"
                " ?? document.activeElement.closest('[id]')?.id"
            )
        )
    assert {"outcomes", "curves", "parallel", "table", "slices", "timeline"} <= reached


def test_the_pointer_finds_trials(opened: Open) -> None:
    seen = opened("churn-example")
    ring = seen.locator("[data-figure=curves] circle.ring")
    ring.scroll_into_view_if_needed()
    box = ring.bounding_box()
    assert box is not None
    seen.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(seen.locator("#hint")).to_contain_text(f"Trial {best_first()[0].trial}")
    expect(seen.locator("[data-figure=parallel] path.line.pointed")).to_have_count(1)
    seen.mouse.move(2, 2)
    expect(seen.locator("#hint")).to_be_hidden()


def test_outcomes_are_hidden_and_shown(opened: Open) -> None:
    seen = opened("diverging")
    diverged = seen.get_by_role("button", name="diverged")
    diverged.click()
    expect(diverged).to_have_attribute("aria-pressed", "false")
    expect(seen.locator("#table .count")).to_contain_text("35 of 80")
    diverged.click()
    expect(seen.locator("#table .count")).to_have_text("80 trials")


def test_the_table_is_sorted(opened: Open) -> None:
    seen = opened("some")

    def column() -> list[float]:
        return [float(text) for text in seen.locator("#table tbody td:nth-child(7)").all_inner_texts()]

    head = seen.locator("#table").get_by_role("button", name="lr")
    head.click()
    assert column() == sorted(column())
    head.click()
    expect(seen.locator("#table th:nth-child(7)")).to_have_attribute("aria-sort", "descending")
    assert column() == sorted(column(), reverse=True)
    head.click()
    assert column() != sorted(column(), reverse=True)


def test_metrics_and_scales_can_be_chosen(opened: Open) -> None:
    seen = opened("some")
    curves = seen.locator("[data-figure=curves]")
    curves.get_by_label("Metric").select_option("train_loss")
    expect(curves.locator("text.title.start")).to_have_text("train_loss")
    expect(curves.locator(".rungs > g")).to_have_count(0)
    before = curves.locator("path.curve.best").get_attribute("d")
    curves.get_by_label("Logarithmic").check()
    assert curves.locator("path.curve.best").get_attribute("d") != before


def test_html_in_names_and_errors_is_text(opened: Open) -> None:
    seen = opened("failing")
    assert seen.title() == "failing: sweep report"
    assert seen.locator("img, b:text-is('bold')").count() == 0
    expect(seen.locator("#origin dd").first).to_have_text(f"sweep launch {HOSTILE}")
    expect(seen.locator("#failures summary").first).to_contain_text(HOSTILE)
    failed = seen.evaluate("trials.find(each => each.state === 'failed' && each.reason.includes('<')).trial")
    seen.evaluate(f"showHint(byNumber.get({failed}), 100, 100)")
    expect(seen.locator("#hint")).to_contain_text(HOSTILE[:40])


def test_nothing_else_can_run_or_be_loaded(browser: Browser, reports: Callable[[str], Path]) -> None:
    seen = browser.new_page()
    failed: list[str | None] = []
    seen.on("requestfailed", lambda request: failed.append(request.failure))
    seen.goto(reports("some").as_uri())
    seen.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"
    )
    seen.evaluate("document.body.append(Object.assign(new Image(), {src: 'http://localhost:9/a.png'}))")
    seen.wait_for_timeout(200)
    assert seen.evaluate("window.ran") is None
    assert failed == ["csp"]
    seen.close()


def test_a_sweep_that_has_just_begun(opened: Open) -> None:
    seen = opened("just-started")
    expect(seen.locator("header")).to_contain_text("No trial has started yet")
    assert seen.locator("[data-figure], #table").count() == 0
    expect(seen.locator("pre.code")).to_contain_text("trials.parquet")


def test_a_thousand_trials(opened: Open, reports: Callable[[str], Path], tmp_path: Path) -> None:
    paths = SweepPaths(reports("large").parent / "large")
    seconds = []
    for _ in range(2):  # others may be at work on this machine
        began = time.process_time()
        written = page(collect(paths))
        seconds.append(time.process_time() - began)
    assert min(seconds) < 5
    assert len(written.encode()) < 6_000_000
    seen = opened("large")
    expect(rows(seen)).to_have_count(25)
    expect(seen.locator("[data-figure=curves] path.curve[data-trial]")).to_have_count(1000)
    drag(seen, "lr", 0.5, 0.9)
    expect(seen.locator("#table .count")).to_contain_text("of 1,000 trials match the filters")
