"""A headless browser, for tests of pages: what it makes of a page, and at which width."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def browse(path: Path, *options: str, home: Path) -> str:
    """What a headless browser prints of a page: its document after scripts have run."""
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={home}", *options]
    return subprocess.run(
        [*command, path.as_uri()], capture_output=True, text=True, timeout=120, check=True, errors="replace"
    ).stdout


def seen_at(width: int, path: Path, told: str, folder: Path) -> list[Any]:
    """What JavaScript tells of a page that is so many pixels wide: values, with commas between them, of its `page` and `all`.

    A window of its own is 500 pixels wide at least; a frame can be narrower.
    """
    (folder / "page.html").write_text(POLICY.sub("", path.read_text("utf-8")), "utf-8")
    frame = f"""<!DOCTYPE html><body><iframe src="page.html" style="width:{width}px;height:800px;border:0"></iframe><script>
    onload = () => {{ const page = document.querySelector("iframe").contentDocument.documentElement;
    const all = (which) => [...page.querySelectorAll(which)];
    document.title = JSON.stringify([{told}]); }}</script>"""
    (folder / "frame.html").write_text(frame)
    options = (
        "--allow-file-access-from-files",
        "--hide-scrollbars",
        f"--window-size={max(width, 500) + 100},900",
        "--dump-dom",
    )
    seen = browse(folder / "frame.html", *options, home=folder / "home")
    return json.loads(re.search(r"<title>(.*?)</title>", seen, re.DOTALL)[1].replace("&amp;", "&"))
