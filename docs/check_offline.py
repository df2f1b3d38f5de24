"""Fails when a built page would load anything from another server; takes the folder of the built pages."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

LOADING = {  # element -> attribute whose address the browser fetches by itself
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
    "object": "data",
    "link": "href",
}
FETCHED_RELATIONS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "manifest", "shortcut"}
OUTSIDE = re.compile(r"^\s*(https?:)?//", re.IGNORECASE)
OUTSIDE_IN_STYLE = re.compile(r"(?:url\(\s*|@import\s+)[\"']?((?:https?:)?//[^\"')\s]+)", re.IGNORECASE)


class Loads(HTMLParser):
    """Collects the outside addresses that a page fetches when it is opened."""

    def __init__(self):
        super().__init__()
        self.outside = []

    def handle_starttag(self, tag, attrs):
        """Look at one element."""
        attributes = dict(attrs)
        if tag == "link" and not FETCHED_RELATIONS & set((attributes.get("rel") or "").lower().split()):
            return
        address = attributes.get(LOADING.get(tag, "")) or ""
        if OUTSIDE.match(address):
            self.outside.append(address)
        self.outside += OUTSIDE_IN_STYLE.findall(attributes.get("style") or "")


def outside_loads(folder):
    """Every (file, address) that would be fetched from elsewhere."""
    for page in sorted(folder.rglob("*.html")):
        loads = Loads()
        loads.feed(page.read_text(encoding="utf-8"))
        yield from ((page, address) for address in loads.outside)
    for style in sorted(folder.rglob("*.css")):
        yield from ((style, address) for address in OUTSIDE_IN_STYLE.findall(style.read_text(encoding="utf-8")))


def main(folder):
    """Print what is loaded from outside; 1 if anything is."""
    if not (folder / "index.html").exists():
        print(f"{folder}: no index.html, build the documentation first")
        return 2
    found = list(outside_loads(folder))
    for page, address in found:
        print(f"{page}: loads {address}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
