"""The board in a headless Chromium."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from openstl_ext.results.board import Board, board_of
from openstl_ext.results.writers import html
from tests.results.pages import many_runs, published, record, two_tables

selenium = pytest.importorskip("selenium", reason="make test-browser installs selenium")
ROOT = Path(__file__).parents[2]
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER), reason="there is no chromium: apt-get install chromium-driver"
    ),
]
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Any:
    """Open a board of two tables from disk."""
    return opened(browser, two_tables(tmp_path), tmp_path)


def opened(browser: Any, board: Board, folder: Path) -> Any:
    """Write the page of a board and open it from disk."""
    (folder / "board.html").write_text(html.page(board, folder=folder), encoding="utf-8")
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    browser.set_window_size(1280, 900)
    browser.get((folder / "board.html").as_uri())
    return browser


def names(page: Any, section: int = 0) -> list[str]:
    """Return the visible rows of a table."""
    return list(
        page.execute_script(
            "return [...document.querySelectorAll('main > section:not(.notes)')[arguments[0]]"
            ".querySelectorAll('tr[data-kind]:not([data-kind=published])')].filter(r => !r.hidden)"
            ".map(r => r.cells[0].firstChild.data.trim())",
            section,
        )
    )


def of_three(page: Any) -> int:
    """Return the number of the table that has three recipes."""
    return 0 if len(names(page, 0)) > len(names(page, 1)) else 1


def heading(page: Any, section: int, text: str) -> Any:
    headings = page.find_elements("css selector", "main > section:not(.notes)")[section]
    return next(
        th for th in headings.find_elements("css selector", "thead th") if th.text.startswith(text)
    )


def wait(page: Any) -> None:
    page.execute_async_script("setTimeout(arguments[0], 120)")


def drawn(page: Any) -> float:
    """Wait until all rows, and the links of those on the screen, are drawn; return the seconds."""
    script = (
        "const done = arguments[0]; (function wait() {"
        "  const mark = performance.getEntriesByName('drawn')[0];"
        "  mark ? done(mark.startTime) : setTimeout(wait, 10);"
        "})()"
    )
    return float(page.execute_async_script(script)) / 1e3


def test_no_console_message_and_no_request(page: Any) -> None:
    """A board that is sent by mail would load something from a server."""
    assert page.get_log("browser") == []
    entries = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    requests = [e["params"] for e in entries if e["method"] == "Network.requestWillBeSent"]
    sent = [r["request"]["url"] for r in requests if r["documentURL"].startswith("file:")]
    sent = [address for address in sent if not address.startswith("data:")]
    assert len(sent) == 1  # the page itself
    assert sent[0].endswith("/board.html")


def test_a_heading_sorts_and_sorts_back(page: Any) -> None:
    section = of_three(page)
    heading(page, section, "mse_sum").click()
    wait(page)
    ascending = names(page, section)
    assert ascending == ["Probe", "SimVP", "<script>alert(1)</script>", "Persistence"]
    heading(page, section, "mse_sum").click()
    wait(page)
    assert names(page, section) == ascending[::-1]
    assert heading(page, section, "mse_sum").get_attribute("aria-sort") == "descending"


def test_the_keyboard_sorts(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    section = of_three(page)
    heading(page, section, "parameters").send_keys(Keys.ENTER)
    wait(page)
    assert names(page, section)[0] == "<script>alert(1)</script>"  # the smallest net
    assert heading(page, section, "parameters").get_attribute("tabindex") == "0"


def test_kinds_of_rows_and_words_filter(page: Any) -> None:
    section = of_three(page)
    page.find_element("css selector", "#kinds input[value=probe]").click()
    page.find_element("css selector", "#kinds input[value=baseline]").click()
    assert set(names(page, section)) == {"SimVP", "<script>alert(1)</script>"}
    page.find_element("id", "search").send_keys("boiling/simvp")
    assert names(page, section) == ["SimVP"]
    assert names(page, 1 - section) == []
    shown = page.find_elements("css selector", ".none")
    assert [p.is_displayed() for p in shown] == [section == 1, section == 0]


def test_published_rows_are_searched_and_filtered(browser: Any, tmp_path: Path) -> None:
    """They stayed, whatever was searched."""
    page = opened(browser, published(tmp_path), tmp_path)
    visible = (
        "return [...document.querySelectorAll('tr[data-kind=published]')].filter(r => !r.hidden)"
        ".map(r => r.cells[0].textContent)"
    )
    everything, count = page.execute_script(visible), page.find_element("css selector", ".count")
    assert count.get_attribute("textContent") == str(len(everything))
    page.find_element("id", "search").send_keys("convlstm")
    found = page.execute_script(visible)
    assert found
    assert {text.lower() for text in found} == {t.lower() for t in everything if "ConvLSTM" in t}
    assert count.get_attribute("textContent") == f"{len(found)} of {len(everything)}"
    assert page.find_element("css selector", ".none").is_displayed()  # no measured row
    page.find_element("id", "search").clear()
    page.find_element("css selector", "#kinds input[value=published]").click()
    assert page.execute_script(visible) == []
    assert names(page) == ["SimVP-gSTA", "Mine"]
    assert count.get_attribute("textContent") == f"0 of {len(everything)}"


def test_the_keyboard_chooses_the_score_of_the_figures(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    section = page.find_elements("css selector", "main > section:not(.notes)")[of_three(page)]

    def captions() -> list[str]:
        figures = section.find_elements("css selector", "figure[data-metric]")
        shown = [figure for figure in figures if figure.is_displayed()]
        return [each.find_element("css selector", "figcaption").text for each in shown]

    assert [text.split()[0] for text in captions()] == ["mse_sum", "mse_sum"]
    choice = section.find_element("css selector", ".choose select")
    choice.send_keys(Keys.ARROW_DOWN)
    assert captions() == ["ssim against the number of parameters"]
    choice.send_keys(Keys.ARROW_UP)
    assert len(captions()) == 2


def test_links_to_the_files_of_a_run(page: Any, tmp_path: Path) -> None:
    drawn(page)
    links = page.find_elements("css selector", ".files a")
    texts = [link.get_attribute("textContent") for link in links]
    assert {"record", "config", "log", "checkpoint", "record 2", "checkpoint 2"} <= set(texts)
    for link in links:
        path = Path(url2pathname(urlsplit(link.get_attribute("href")).path))
        assert path.is_file()
        assert tmp_path in path.parents


def test_texts_of_records_run_no_script(browser: Any, tmp_path: Path) -> None:
    """Who opens the board of another person would run that person's scripts."""
    attacks = [
        "</script><script>window.ran = 1</script>",
        "<img src=x onerror='window.ran = 1'>",
        """'" onmouseover="window.ran = 1" x='""",
        "</title></style></svg><svg onload='window.ran = 1'>",
        "javascript:window.ran=1",
        "a | b & c % d _ e \\ f &amp; Gr\u00f6\u00dfe \u8bad",
    ]
    for number, text in enumerate(attacks):
        about = {"mse_sum": {"unit": text, "higher_is_better": False, "convention": text}}
        found = record(
            text,
            text,
            10.0 + number,
            about=about,
            overrides=[text] if number % 2 else [],
            metrics={"mse_sum": 10.0 + number, "mse_sum@1": 1.0, "mse_sum@2": 2.0, text: 3.0},
            num_parameters=1000 + number,
            baselines={text: {"mse_sum": 50.0}},
            baselines_left_out={f"left {text}": text},
            environment={"device": text, "threads": text},
        )
        path = tmp_path / str(number) / f"{number} ' \" & #?.py"
        path.parent.mkdir()
        path.touch()
        found.write(path.parent / "result.json")
    page = opened(browser, board_of([tmp_path]), tmp_path)
    drawn(page)
    assert set(names(page)) == set(attacks)
    for control in page.find_elements("css selector", "thead th[tabindex], .choose select"):
        control.send_keys("\ue007")
    page.find_element("id", "search").send_keys("<img")
    assert set(names(page)) == {attacks[1]}
    wait(page)
    assert page.execute_script("return window.ran === undefined")
    assert page.execute_script("return document.scripts.length") == 3
    assert page.execute_script("return document.images.length") == 0
    assert page.get_log("browser") == []
    links = page.find_elements("css selector", ".files a")
    paths = [Path(url2pathname(urlsplit(a.get_attribute("href")).path)) for a in links]
    assert len(paths) == 2 * len(attacks)
    assert all(path.is_file() for path in paths)


def test_a_phone_scrolls_the_table_and_not_the_page(page: Any) -> None:
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 375, "height": 800, "deviceScaleFactor": 2, "mobile": True},
    )
    try:
        width, inner = page.execute_script(
            "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        box = "const b = document.querySelector('.scroll'); return b.scrollWidth > b.clientWidth"
        assert width <= inner == 375
        assert page.execute_script(box)
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_button_changes_to_dark_and_back(page: Any) -> None:
    paper = "return getComputedStyle(document.body).backgroundColor"
    light = page.execute_script(paper)
    page.find_element("id", "theme").click()
    dark = page.execute_script(paper)
    page.find_element("id", "theme").click()
    assert light == page.execute_script(paper) == "rgb(255, 255, 255)"
    assert sum(map(int, dark[4:-1].split(","))) < 120


def test_1000_runs_are_drawn_and_sorted_in_time(browser: Any, tmp_path: Path) -> None:
    """Within a second on a quiet machine; the bound leaves room for a busy one."""
    opened(browser, many_runs(1000, tmp_path), tmp_path)
    seconds = drawn(browser)
    print(f"1,000 runs are drawn in {1e3 * seconds:.0f} ms")
    assert seconds < 5
    assert len(names(browser)) == 1000
    heading(browser, 0, "score_3").click()
    wait(browser)
    browser.execute_async_script("setTimeout(arguments[0], 1000)")
    scores = browser.execute_script(
        "return [...document.querySelectorAll('tr[data-kind=run]')]"
        ".map(r => +r.cells[7].firstChild.data)"
    )
    assert len(set(scores)) > 500
    assert scores == sorted(scores)


def test_paper_has_all_rows_and_links(browser: Any, tmp_path: Path) -> None:
    """Rows far below the screen would be printed without the files of their runs."""
    opened(browser, many_runs(300, tmp_path), tmp_path)
    last = browser.find_elements("css selector", "[data-more]")[-1]
    assert len(last.find_elements("tag name", "a")) == 1
    root = "document.documentElement.classList"
    browser.execute_script(f"{root}.add('first')")  # a print may be faster than the second frame
    assert browser.execute_cdp_cmd("Page.printToPDF", {})["data"]
    assert not browser.execute_script(f"return {root}.contains('first')")
    count = "return [...document.querySelectorAll('[data-more]')].map(e => e.childElementCount)"
    found = browser.execute_script(count)
    named = 1 + len(last.get_attribute("data-more").split(" "))
    assert found == [named] * 300
    assert named > 1


def test_a_link_into_a_page_leads_below_many_rows(browser: Any, tmp_path: Path) -> None:
    """Rows that are drawn later would move the place away, in browsers that do not follow it."""
    opened(browser, many_runs(300, tmp_path), tmp_path)
    seen = """
        window.delayed = false;
        new MutationObserver(() => { window.delayed ||= document.querySelector(".first") !== null })
            .observe(document, {subtree: true, attributes: true, childList: true});
    """
    source = "Page.addScriptToEvaluateOnNewDocument"
    script = browser.execute_cdp_cmd(source, {"source": seen})["identifier"]
    try:
        for place, delayed in (("", True), ("#end", False)):
            browser.get("about:blank")
            browser.get((tmp_path / "board.html").as_uri() + place)
            drawn(browser)
            assert browser.execute_script("return window.delayed") == delayed
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script})


def test_screenshots_of_the_committed_board(browser: Any, tmp_path: Path) -> None:
    """``SHOTS=docs/board make test-browser`` renews the committed ones."""
    folder = Path(os.environ.get("SHOTS") or tmp_path)
    board = ROOT / "docs/board/board.html"
    assert board.is_file()  # or Chromium would draw its page of errors
    browser.get(board.as_uri())
    for name, size, theme in (
        ("light", (1280, 1000), "light"),
        ("dark", (1280, 1000), "dark"),
        ("phone", (375, 812), "light"),
    ):
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1}
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {**metrics, "mobile": width < 500}
        )
        browser.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
        assert browser.save_screenshot(str(folder / f"{name}.png"))
        assert (folder / f"{name}.png").stat().st_size > 10_000
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
