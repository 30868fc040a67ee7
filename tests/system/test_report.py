"""The report of a sweep in a real Chromium: drawn without an error or a request, filtered, by mouse and by keyboard."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from orchestrator.analysis.report.collect import collect
from orchestrator.analysis.report.page import page
from orchestrator.formatting import to_spread
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
            if kind == "failing":
                paths.logs.mkdir(exist_ok=True)
                for trial in range(50):
                    paths.log(trial).write_text(f"{HOSTILE}\nthe end of trial {trial}\n")
            made[kind] = results / f"{kind}.html"
            made[kind].write_text(page(collect(paths)))
        return made[kind]

    return report


@pytest.fixture
def opened(browser: Browser, reports: Callable[[str], Path]) -> Iterator[Open]:
    """Opens a report; at the end of the test nothing may have gone wrong in it, and nothing been asked for."""
    wrong: list[str] = []
    pages: list[Page] = []
    asked: list[str] = []
    allowed: set[str] = set()

    def look(kind: str, *, width: int = 1400, scheme: Any = "light", fragment: str = "") -> Page:
        seen = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        pages.append(seen)
        file = reports(kind).as_uri()
        seen.on("console", lambda message: wrong.append(message.text))
        seen.on("pageerror", lambda error: wrong.append(str(error)))
        seen.on("request", lambda request: asked.append(request.url.partition("#")[0]))
        seen.goto(file + fragment)
        expect(seen.locator(EMPTY)).to_have_count(0)
        allowed.update((file, "data:,"))
        return seen

    yield look
    for seen in pages:
        seen.close()
    assert wrong == []
    assert set(asked) <= allowed


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
    assert set(figures) == {"progress", "curves", "parallel", "slices", "weights", "pairs", "timeline"}
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


CUT = """() => [...document.querySelectorAll('.scrolls')].flatMap(scrolls => {
  const cover = scrolls.parentNode.querySelector('.cover.right:not([hidden])');
  const end = (cover ?? scrolls).getBoundingClientRect()[cover ? 'left' : 'right'];
  return [...scrolls.querySelectorAll('th')].filter(head => {
    const { left, right } = head.getBoundingClientRect();
    return left < end - 1 && right > end + 1;
  }).map(head => head.textContent);
})"""
"""The heads of columns of which only a part can be seen."""


@pytest.mark.parametrize("width", [320, 400, 700, 1400])
def test_no_column_is_cut_and_the_others_are_counted(width: int, opened: Open) -> None:
    seen = opened("churn-example", width=width)
    table = seen.locator("#table")
    more = table.locator(".cover.right")
    expect(more).to_be_visible()
    assert seen.evaluate(CUT) == []
    expect(more).to_have_attribute("title", re.compile("weight_decay, optimizer, momentum$"))
    for _ in range(20):
        if not more.is_visible():
            break
        more.click()
        seen.wait_for_timeout(600)  # it glides there
        assert seen.evaluate(CUT) == []
    expect(more).to_be_hidden()
    expect(table.locator(".cover.left")).to_be_visible()


def test_a_narrow_table_has_nothing_to_scroll_to(opened: Open) -> None:
    seen = opened("one-parameter")
    expect(seen.locator(".cover").first).to_be_hidden()
    assert seen.locator(".cover:not([hidden])").count() == 0


def test_the_best_trial_is_named_outside_the_curves(opened: Open) -> None:
    seen = opened("churn-example")
    curves = seen.locator("[data-figure=curves]")
    expect(curves.locator(".controls .legend")).to_contain_text(f"best: trial {best_first()[0].trial}")
    assert "best" not in (curves.locator(".plot").text_content() or "")


@pytest.mark.parametrize("width", [400, 1400])
def test_parameters_that_are_not_set_have_a_small_place_of_their_own(width: int, opened: Open) -> None:
    seen = opened("churn-example", width=width)
    parallel = seen.locator("[data-figure=parallel]")
    unset = seen.evaluate("trials.filter(each => each.cells.momentum === null).length")
    expect(parallel.locator("text.unset")).to_have_text([re.compile(f"{unset} unset$")])
    expect(parallel.locator("path.gap")).to_have_count(unset)
    expect(parallel.locator("rect.unset-place")).to_have_count(1)
    box, caption = parallel.locator("text.unset").bounding_box(), parallel.locator("figcaption").bounding_box()
    assert box is not None
    assert caption is not None
    assert box["y"] + box["height"] < caption["y"]


def best_config() -> dict[str, Any]:
    found = collect(SweepPaths(EXAMPLE)).best
    assert found is not None
    return dict(found.ranked.config)


def best_first() -> list[Any]:
    """The trials of the sweep in the repository."""
    return list(load(EXAMPLE).trials.sort_values("objective", ascending=False).itertuples())


def test_trials_by_keyboard(opened: Open) -> None:
    seen = opened("churn-example")
    best, second, *_ = best_first()
    seen.locator("[data-figure=curves] svg[tabindex]").focus()
    seen.keyboard.press("Home")
    expect(seen.locator("#hint")).to_contain_text(f"Trial {best.trial}, {best.state}")
    expect(seen.locator("#hint")).to_contain_text(f"val_auroc {best.objective:.5g}, best step {best.best_step}")
    expect(rows(seen).first).to_have_class("pointed")
    seen.keyboard.press("ArrowRight")
    expect(seen.locator("#hint")).to_contain_text(f"Trial {second.trial}, {second.state}")
    seen.keyboard.press("Escape")
    expect(seen.locator("#hint")).to_be_hidden()
    assert seen.locator(".pointed").count() == 0


def test_everything_that_can_be_used_can_be_reached(opened: Open) -> None:
    seen = opened("churn-example")
    reached = set()
    for _ in range(120):
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
        return [float(text) for text in seen.locator("#table tbody td:nth-child(8)").all_inner_texts()]

    head = seen.locator("#table").get_by_role("button", name="lr")
    head.click()
    assert column() == sorted(column())
    head.click()
    expect(seen.locator("#table th:nth-child(8)")).to_have_attribute("aria-sort", "descending")
    assert column() == sorted(column(), reverse=True)
    head.click()
    assert column() != sorted(column(), reverse=True)


def test_best_so_far_by_trials_and_by_what_they_cost(opened: Open) -> None:
    seen = opened("some")
    progress = seen.locator("[data-figure=progress]")
    expect(progress.locator("text.title").last).to_have_text("val_loss")
    expect(progress.locator("path.dot")).to_have_count(60)
    improved = progress.locator("path.best-so-far").get_attribute("d")
    best = seen.evaluate("d3.min(trials, each => each.value)")
    assert seen.evaluate("sweep.progress.ends.length") == 60
    progress.get_by_label("By").select_option("hours of training")
    expect(progress.locator("text.title").first).to_have_text("hours of training, all slots together")
    assert progress.locator("path.best-so-far").get_attribute("d") != improved
    spent = seen.evaluate("sweep.progress.ends.at(-1)[1]")
    assert spent == pytest.approx(seen.evaluate("d3.sum(trials, each => each.seconds)"), rel=1e-3)
    assert seen.evaluate("best.value") == best


def test_results_have_the_digits_that_tell_them_apart(opened: Open) -> None:
    seen = opened("churn-example")
    shown = [str(text) for text in seen.locator("#table tbody td:nth-child(3)").all_inner_texts()]
    rows = best_first()
    values = [each.objective for each in rows]
    spread = values[0] - values[len(values) // 4]
    assert shown[:5] == [to_spread(value, spread).rstrip("0") for value in values[:5]]
    heads = seen.locator("#table thead th").all_inner_texts()
    assert heads[3:5] == ["best step", "last step"]


def test_what_stands_there_to_copy_is_copied(opened: Open) -> None:
    seen = opened("churn-example")
    copied = seen.locator(".copy").first
    copied.get_by_role("button", name="Copy").click()
    button = copied.get_by_role("button")
    expect(button).to_have_text(re.compile("Copied|Selected"))
    if button.inner_text() == "Selected":
        assert seen.evaluate("String(getSelection())").strip() == copied.locator("pre").inner_text().strip()
    assert "weight_decay: 2.4758" in copied.locator("pre").inner_text()


def test_a_trial_is_opened_by_a_click_and_by_keyboard(opened: Open) -> None:
    seen = opened("churn-example")
    best, second, *_ = best_first()
    dialog = seen.locator("dialog")
    expect(dialog).to_be_hidden()
    seen.locator("#table").get_by_role("link", name=str(best.trial), exact=True).click()
    expect(dialog.get_by_role("heading", level=2)).to_contain_text(f"Trial {best.trial} {best.state}")
    expect(dialog).to_contain_text("number 1 of 60 results")
    expect(dialog).to_contain_text(f"Why it ended: {best.reason}")
    expect(dialog.locator(".config dt")).to_have_text(list(best_config()))
    expect(dialog.locator("path.own")).to_have_count(6)
    expect(dialog.get_by_role("button", name="better")).to_be_disabled()
    dialog.get_by_role("button", name="worse").click()
    expect(dialog.get_by_role("heading", level=2)).to_contain_text(f"Trial {second.trial} ")
    assert seen.url.endswith(f"#trial-{second.trial}")
    seen.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert "#" not in seen.url

    seen.mouse.move(2, 2)
    seen.locator("[data-figure=curves] svg[tabindex]").focus()
    seen.keyboard.press("Home")
    seen.keyboard.press("Enter")
    expect(dialog.get_by_role("heading", level=2)).to_contain_text(f"Trial {best.trial} ")
    seen.keyboard.press("Escape")

    ring = seen.locator("[data-figure=slices] circle.ring").first
    ring.scroll_into_view_if_needed()
    box = ring.bounding_box()
    assert box is not None
    seen.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(dialog.get_by_role("heading", level=2)).to_contain_text(f"Trial {best.trial} ")
    seen.go_back()
    expect(dialog).to_be_hidden()


def test_a_link_to_a_trial_opens_it(opened: Open, reports: Callable[[str], Path]) -> None:
    broken = collect(SweepPaths(reports("failing").with_suffix(""))).causes[0]
    seen = opened("failing", fragment=f"#trial-{broken.trials[0]}")
    dialog = seen.locator("dialog")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Why it ended: MemoryError")
    expect(dialog.locator("pre")).to_have_text(f"{HOSTILE}\nthe end of trial {broken.trials[0]}")
    assert seen.locator("img, b:text-is('bold')").count() == 0
    assert dialog.evaluate("each => each.scrollWidth <= each.clientWidth")
    expect(opened("failing", fragment="#trial-999").locator("dialog")).to_be_hidden()
    expect(opened("failing", fragment="#trial-x<b>").locator("dialog")).to_be_hidden()


def test_pairs_of_the_three_most_important_parameters(opened: Open) -> None:
    seen = opened("churn-example")
    pairs = seen.locator("[data-figure=pairs]")
    expect(pairs.locator(".grid > div")).to_have_count(3)
    top = seen.evaluate("d3.sort(sweep.weights, each => -each.share).slice(0, 3).map(each => each.name)")
    shown = {tuple(each.locator("text.title").all_text_contents()) for each in pairs.locator(".grid > div").all()}
    assert shown == {(top[0], top[1]), (top[0], top[2]), (top[1], top[2])}
    with_result = seen.evaluate("withResult.length")
    expect(pairs.locator(".grid > div").first.locator("path.dot.toned")).to_have_count(with_result)
    assert opened("one-parameter").locator("[data-figure=pairs]").count() == 0


def test_metrics_and_scales_can_be_chosen(opened: Open) -> None:
    seen = opened("some")
    curves = seen.locator("[data-figure=curves]")
    curves.get_by_label("Metric").select_option("train_loss")
    expect(curves.locator("text.title.start")).to_have_text("train_loss")
    expect(curves.locator(".rungs > g")).to_have_count(0)
    before = curves.locator("path.curve.best[data-trial]").get_attribute("d")
    curves.get_by_label("Logarithmic").check()
    assert curves.locator("path.curve.best[data-trial]").get_attribute("d") != before


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
