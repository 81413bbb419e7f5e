"""Reports that main.py leaves, read as a program reads a page: for the tests of the mains."""

import base64
import re
from html import unescape
from pathlib import Path


def assert_whole(folder: Path) -> None:
    """The report shows every figure of its folder, each byte for byte, and would load nothing from elsewhere."""
    page = (folder / "report.html").read_text("utf-8")
    shown = [base64.b64decode(data) for data in re.findall(r'src="data:image/png;base64,([^"]+)"', page)]
    drawn = [path.read_bytes() for path in folder.glob("*.png")]
    assert sorted(shown) == sorted(drawn)
    assert shown
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    assert "Not finished" not in page


def headlines(folder: Path) -> dict[str, float]:
    """The numbers at the report's top, with all of their digits."""
    page = (folder / "report.html").read_text("utf-8")
    found = re.findall(r"<dt>(.*?)</dt>\s*<dd>\s*<data value=\"([^\"]+)\"", page, re.DOTALL)
    return {unescape(name): float(value) for name, value in found}
