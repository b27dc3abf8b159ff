"""Tables that are written into a document."""

import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools" / "fill_block.py"


def fill(path: Path, name: str, words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOL), str(path), name]
    return subprocess.run(command, input=words, capture_output=True, text=True, encoding="utf-8")


def test_a_block_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    """A new table would replace the text around the old one."""
    path = tmp_path / "a.md"
    path.write_text("before\n<!-- b -->\nold\n<!-- /b -->\n<!-- c -->\nkept\n<!-- /c -->\n")
    for _ in range(2):
        done = fill(path, "b", "\n| new \N{UPWARDS ARROW} |\n\n")
        assert (done.returncode, done.stderr) == (0, "")
        assert path.read_text(encoding="utf-8") == (
            "before\n<!-- b -->\n\n| new \N{UPWARDS ARROW} |\n\n<!-- /b -->\n"
            "<!-- c -->\nkept\n<!-- /c -->\n"
        )


def test_a_document_without_the_block_stays_as_it_is(tmp_path: Path) -> None:
    """A typo in a name would replace a document by a table."""
    path = tmp_path / "a.md"
    path.write_text("before\n<!-- b -->\n")
    done = fill(path, "b", "new")
    assert done.returncode == 1
    assert "no block <!-- b --> ... <!-- /b -->" in done.stderr
    assert path.read_text() == "before\n<!-- b -->\n"


def test_a_table_stays_when_its_maker_fails(tmp_path: Path) -> None:
    """A failed command before the pipe would empty a published table."""
    path = tmp_path / "a.md"
    path.write_text("<!-- b -->\nold\n<!-- /b -->\n")
    done = fill(path, "b", "\n")
    assert done.returncode == 1
    assert "standard input is empty" in done.stderr
    assert path.read_text() == "<!-- b -->\nold\n<!-- /b -->\n"
