"""A headless browser on the running demo: fixtures, and what is looked for on every report."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from tests.integration.fixtures import StartServer
from tests.integration.servers import Server
from tests.require import chromium, require

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 20_000


# Not for the session: while it lives, an event loop counts as running in this thread, which
# async tests of other modules and Django's ORM could not do with.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    require(find_spec("playwright") is not None, "needs playwright: pip install playwright")
    from playwright.sync_api import sync_playwright

    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def server(start_server: StartServer) -> Server:
    return start_server("runserver")


@pytest.fixture
def problems() -> list[str]:
    """What a test may list as expected; anything else in it fails the test."""
    return []


@pytest.fixture
def page(browser: Browser, server: Server, problems: list[str]) -> Iterator[Page]:
    """A page at which any error of a script, of the console or of a policy fails the test."""
    context = browser.new_context(
        base_url=server.url, viewport={"width": 1280, "height": 900}, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(f"page error: {error}"))
    page.on(
        "console",
        lambda message: (
            problems.append(f"console {message.type}: {message.text}")
            if message.type in {"error", "warning"}
            else None
        ),
    )
    page.on(
        "response",
        lambda response: (
            problems.append(f"{response.status} {response.url}") if response.status >= 400 else None
        ),
    )
    # Violations of the policy are told to the console, and to the document for certain.
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation', (event) => "
        "console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`))"
    )
    yield page
    context.close()
    assert problems == []


def wait_for_memory(page: Page) -> None:
    page.locator("#main").get_by_text("Still alive at the end").first.wait_for(state="attached")


def first_finding(page: Page) -> Locator:
    return page.get_by_role("region", name="Findings").locator("details").first
