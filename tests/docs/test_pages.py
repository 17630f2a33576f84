"""The pages for people: what they refer to is there, and what is there is referred to."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "model" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")


def anchors(page: Path) -> set[str]:
    """The names of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for path, anchor in LINK.findall(page.read_text()):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


def linked() -> set[Path]:
    """What any page leads to."""
    return {(page.parent / path).resolve() for page in PAGES for path, _ in LINK.findall(page.read_text())}


def test_every_picture_is_shown() -> None:
    assert set((ROOT / "docs" / "pictures").iterdir()) <= linked()


def test_every_guide_is_linked() -> None:
    assert set((ROOT / "docs").glob("*.md")) <= linked()
