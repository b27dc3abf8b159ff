"""The line of progress: in a pipe, in a terminal, in several processes, and not at all."""

import io
import os
import re
import sys
from collections.abc import Iterator

import pytest
from rich.console import Console

from openstl_ext import progress_line
from openstl_ext.progress_line import Display, display, progress, quiet, showing, tracked
from openstl_ext.progress_task import Task, duration_text, rate_text


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pipe(clock: Clock) -> Iterator[Display]:
    with showing(Display(clock=clock)) as shown:
        yield shown


def terminal(clock: Clock) -> tuple[Display, io.StringIO]:
    file = io.StringIO()
    console = Console(force_terminal=True, force_interactive=True, file=file, width=100)
    return Display(console, clock=clock), file


def screen(text: str) -> list[str]:
    """Return the lines that a terminal shows, without empty ones."""
    lines, row = [""], 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[\n\r]|[^\x1b\n\r]+", text):
        if part == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif part == "\x1b[1A":
            row -= 1
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part[0] not in "\x1b\r":
            lines[row] += part
    return [line.rstrip() for line in lines if line.strip()]


def test_a_pipe_gets_lines_at_gaps_that_grow_to_a_minute(pipe: Display, clock: Clock) -> None:
    """The log of a night would have a line per step, or say nothing for an hour."""
    said: list[float] = []
    task = Task("work", total=400, write=lambda _: said.append(clock.now - 100))
    pipe.push(task)
    for _ in range(400):
        clock.now += 1
        task.advance()
    pipe.pop(task)
    assert said == [10, 30, 70, 130, 190, 250, 310, 370]


def test_a_line_has_amount_rate_time_left_and_facts(pipe: Display, clock: Clock) -> None:
    """A user could not decide whether to wait."""
    lines: list[str] = []
    task = Task("mapping", total=120, unit="tiles", write=lines.append)
    pipe.push(task)
    for _ in range(40):
        clock.now += 0.5
        task.advance(facts=lambda: {"memory": "1.5 GB"})
    pipe.pop(task)
    assert lines == ["mapping  20/120 tiles  2/s  left 0:50  memory 1.5 GB"]


def test_slow_work_has_seconds_instead_of_a_rate(pipe: Display, clock: Clock) -> None:
    """A rate of 0.04/s tells nobody how long a step takes."""
    lines: list[str] = []
    task = Task("epoch 1/2", total=10, done=4, write=lines.append)
    task.place = "1/3"
    pipe.push(task)
    clock.now += 25
    task.advance()
    pipe.pop(task)
    assert lines == ["epoch 1/2  1/3  25 s each  left 2:05"]


def test_the_rate_is_of_the_last_seconds_and_the_time_left_of_all(
    pipe: Display, clock: Clock
) -> None:
    """One slow validation would change the rate, or be missing in the time left."""
    task = Task("work", total=300)
    pipe.push(task)
    for _ in range(100):
        clock.now += 1
        task.advance()
    clock.now += 100  # a validation
    for _ in range(40):
        clock.now += 1
        task.advance()
    assert task.rate == pytest.approx(1)
    assert task.seconds_left == pytest.approx(160 / (140 / 240))


def test_facts_are_read_only_for_a_line(pipe: Display, clock: Clock) -> None:
    """A GPU would be waited for at every step."""
    read: list[float] = []
    task = Task("work", total=100, write=lambda _: None)
    pipe.push(task)
    for _ in range(25):
        clock.now += 1
        task.advance(facts=lambda: read.append(clock.now - 100) or {})
    pipe.pop(task)
    assert read == [10]


def test_work_within_work_shares_the_gaps(pipe: Display, clock: Clock) -> None:
    """Each validation of a hundred epochs would begin with frequent lines again."""
    said: list[str] = []
    outer = Task("training", total=9, write=said.append)
    pipe.push(outer)
    clock.now += 10
    outer.advance()
    within = Task("validation", total=30, write=said.append)
    pipe.push(within)
    for _ in range(25):
        clock.now += 1
        within.advance()
    pipe.pop(within)
    assert [line.split()[0] for line in said] == ["training", "validation"]


def test_a_terminal_shows_one_line_and_leaves_none(clock: Clock) -> None:
    """A screen would scroll, or keep a line that looks unfinished."""
    shown, file = terminal(clock)
    with showing(shown), progress("mapping", 8, "tiles") as task:
        for _ in range(4):
            clock.now += 1
            task.advance()
            assert len(screen(file.getvalue())) == 1
        assert "4/8 tiles  1/s  left 0:04" in screen(file.getvalue())[0]
    assert screen(file.getvalue()) == []


def test_a_long_line_is_cut_at_the_edge_of_the_terminal(clock: Clock) -> None:
    """A wrapped line would stay on the screen at each update."""
    shown, file = terminal(clock)
    with showing(shown), progress("a" * 60, 8, "tiles" * 20) as task:
        clock.now += 1
        task.advance()
        assert [len(line) <= 100 for line in screen(file.getvalue())] == [True]


def test_what_is_printed_meanwhile_is_above_the_line(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warning would begin in the middle of the line of progress."""
    shown, file = terminal(clock)
    monkeypatch.setattr(sys, "stdout", file)
    with showing(shown), progress("mapping", 8) as task:
        task.advance()
        print("[bold] is kept")
        clock.now += 1
        task.advance()
        assert [line.split()[0] for line in screen(file.getvalue())] == ["[bold]", "mapping"]
    assert screen(file.getvalue()) == ["[bold] is kept"]
    assert sys.stdout is file


def test_an_exception_ends_the_line(clock: Clock) -> None:
    """The message of an error would be printed behind the line, and stdout stay redirected."""
    shown, file = terminal(clock)
    before = sys.stdout
    with showing(shown):
        with pytest.raises(KeyError), progress("work", 8):
            raise KeyError
        assert not shown.tasks
        assert sys.stdout is before
    assert "\x1b[?25h" in file.getvalue().rpartition("\x1b[?25l")[2]  # the cursor is shown


def test_an_exception_within_a_loop_ends_the_line(pipe: Display) -> None:
    """The next task would be shown as a part of the one that failed."""

    def fail() -> None:
        for _ in tracked(range(3), "work"):
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not pipe.tasks


def test_what_was_done_before_does_not_count_for_the_rate(pipe: Display, clock: Clock) -> None:
    """A resumed download would seem to be fast, and to end soon."""
    with progress("a.zip", 100.0, "MB") as task:
        task.begin(50.0)
        for _ in range(5):
            clock.now += 1
            task.advance(2.0)
    assert str(task) == "a.zip  60.0/100.0 MB  2/s  left 0:20"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_worker_prints_without_the_line(clock: Clock) -> None:
    """A worker would draw the line of its parent a second time."""
    shown, _ = terminal(clock)
    with showing(shown), progress("work", 8):
        reading, writing = os.pipe()
        if not (child := os.fork()):
            plain = type(sys.stdout).__name__ != "FileProxy" and progress_line.is_quiet()
            os.write(writing, b"plain" if plain else b"drawn")
            os._exit(0)
        os.waitpid(child, 0)
        assert os.read(reading, 5) == b"plain"


def test_quiet_shows_nothing_and_yields_all(
    pipe: Display, clock: Clock, capsys: pytest.CaptureFixture
) -> None:
    """A cron job would mail a page of progress every night."""
    with quiet():
        for _ in tracked(range(3), "work"):
            clock.now += 60
    assert capsys.readouterr() == ("", "")
    assert display() is pipe
    assert list(tracked(iter("abc"), "work")) == ["a", "b", "c"]


def test_one_process_of_several_shows_the_line(
    pipe: Display,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    """Eight processes would overwrite each other's line."""
    for rank in ("1", "0"):
        monkeypatch.setenv("RANK", rank)
        with progress("work", 8, "tiles") as task:
            clock.now += 20
            task.advance()
    assert capsys.readouterr().err == "work  1/8 tiles  20 s each  left 2:20\n"


def test_rates_are_numbers_that_people_write() -> None:
    """Four thousand files a second would be shown as 4.48e+03."""
    assert [rate_text(r) for r in (4480, 12.34, 0.25)] == ["4,480/s", "12.3/s", "4 s each"]


def test_durations_have_the_unit_that_a_reader_needs() -> None:
    """Two days would be shown as 184042 s."""
    shown = [duration_text(s) for s in (0.4, 42, 605, 3850, 86_400 * 2 + 10_900)]
    assert shown == ["0:00", "0:42", "10:05", "1:04:10", "2 d 03 h"]
