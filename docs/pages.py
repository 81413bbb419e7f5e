"""MkDocs' hook: pages of the site that are files elsewhere in the repository, or parts of its README.

Each text has one source; here they become pages, and links between them are turned into links between pages.
Source: https://www.mkdocs.org/user-guide/configuration/#hooks
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
PARTS = {"index.md": ("", "Try it"), "students.md": ("For students",), "instructors.md": ("For instructors",)}
"""Page -> headings of the README that it consists of; the empty one is what comes before the first."""
WHOLE = {"authors.md": "AUTHORS.md", "security.md": "SECURITY.md"}
HANDOUT = "assignments/{}/README.md"
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#]+)(#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that come from elsewhere."""
    for page, text in pages():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Links from `docs/` to files beside it."""
    source = f"docs/{page.file.src_uri}"
    return linked(markdown, "docs", sources()) if (ROOT / source).is_file() else markdown


def pages() -> Iterator[tuple[str, str]]:
    """Page and text of all of them."""
    where = sources()
    readme = sections((ROOT / "README.md").read_text("utf-8"))
    for page, headings in PARTS.items():
        missing = [heading for heading in headings if heading not in readme]
        if missing:
            raise PluginError(f"README.md has no section {missing[0]!r}, of which {page} is to be made")
        first = f"# {headings[0]}\n\n" if headings[0] else ""
        yield (
            page,
            linked(first + readme[headings[0]] + "".join(f"\n## {h}\n\n{readme[h]}" for h in headings[1:]), "", where),
        )
    for source, page in where.items():
        if source != "README.md" and page not in PARTS and not source.startswith("docs/"):
            yield page, linked((ROOT / source).read_text("utf-8"), posixpath.dirname(source), where)


def sources() -> dict[str, str]:
    """File of the repository -> the page that it is on the site."""
    found = {"README.md": "index.md"} | {source: page for page, source in WHOLE.items()}
    found |= {HANDOUT.format(folder.name): f"{folder.name}.md" for folder in sorted((ROOT / "assignments").iterdir())}
    return found | {f"docs/{path.name}": path.name for path in sorted((ROOT / "docs").glob("*.md"))}


def sections(text: str) -> dict[str, str]:
    """A text's sections by their headings of the second level; what comes before the first has an empty one."""
    start, *parts = _HEADING.split(text)
    return {"": start, **dict(zip(parts[::2], (part.strip() + "\n" for part in parts[1::2]), strict=True))}


def linked(text: str, folder: str, where: dict[str, str]) -> str:
    """A text whose links to other files of the repository, seen from `folder`, are links to pages; others are left out."""

    def page(link: re.Match) -> str:
        target = posixpath.normpath(posixpath.join(folder, link[1]))
        return f"]({where[target]}{link[2] or ''})" if target in where else link[0]

    return _LINK.sub(page, text)
