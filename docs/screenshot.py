"""Takes the picture of a report that the README shows: `python docs/screenshot.py REPORT.html PICTURE.png`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
WIDTH = 1200
LESS = "for (const each of document.querySelectorAll('#curves h3, #curves .scrolls')) each.remove()"
END = "document.querySelector('#space figcaption').getBoundingClientRect().top"


def main(report: Path, picture: Path) -> None:
    """From the head to the parallel coordinates, without the table of rungs, in 256 colours."""
    picture.parent.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 900})
        page.goto(report.resolve().as_uri())
        page.wait_for_selector("[data-figure=parallel] path.line")
        page.evaluate(LESS)
        clip = {"x": 0.0, "y": 0.0, "width": float(WIDTH), "height": float(page.evaluate(END))}
        page.screenshot(path=picture, full_page=True, clip=clip)
        browser.close()
    subprocess.run(["pngquant", "--force", "--output", picture, picture], check=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
