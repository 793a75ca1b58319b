"""The report as one file that opens from a disk, without a network and without the project.

Style sheets, scripts and the icon are ``data:`` URLs, the data stand in the page. A policy in the
page lets nothing else be loaded or run.
"""

from __future__ import annotations

import base64

from django_hotpath.capture import Capture

CONTENT_TYPE = "text/html; charset=utf-8"
SUFFIX = "html"
LABEL = "Report as one file"
HINT = "this page to keep or to send: opens in a browser, offline"

# Nothing is inline but data, so scripts of hostile texts have no place.
_POLICY = (
    "default-src 'none'; script-src data:; style-src data:; img-src data:; font-src data:; "
    "form-action 'none'; base-uri 'none'"
)
_HEAD = '<meta charset="utf-8">'

_NOTICE = (
    "This is a copy in one file. What asks the running project is not in it: explaining a query, "
    "verifying a fix, running the page again, the list of captures, source lines that were not "
    "recorded. Open the capture there for these."
)


def export(capture: Capture) -> bytes:
    # The pages are heavy to import, and other formats do without.
    from django_hotpath.report.links import Links
    from django_hotpath.report.pages import report_page

    html = report_page(capture, Links(asset=_inline, editor=False, in_file=True), (_NOTICE,))
    policy = f'{_HEAD}\n<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    return html.replace(_HEAD, policy, 1).encode("utf-8", "backslashreplace")


def _inline(name: str) -> str:
    from django_hotpath.report.assets import asset_data

    kind, content = asset_data(name)
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
