"""The five steps of a first visit, all on the orders' page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    name: str
    title: str
    text: str
    action: str
    """What the button says; its address is in the template."""
    see: tuple[str, ...]
    """What is to be seen when it worked."""


STEPS = (
    Step(
        "find",
        "Find the N+1",
        "A page with a hundred orders and the names of their customers. Nothing looks wrong, and "
        "on your machine it is not even slow. Ask for its profile: the answer is the report in "
        "place of the page.",
        "Profile the slow orders",
        (
            "The first finding says *100 queries in a loop*, one for each order's customer.",
            "It names the line that asks, `order.customer.name`, and `Order.customer`.",
            "Open its queries: the same statement a hundred times, with another number each time.",
        ),
    ),
    Step(
        "apply",
        "Apply the advice",
        "The finding shows the code to paste at the line that made the queryset. Type it into the "
        "view, the server reloads by itself; or take the fast page, which is the same view with "
        "that change.",
        "Profile the fast orders",
        (
            "One query, and no finding.",
            "*Where the time went*: the database and the ORM need a fraction of what they did.",
        ),
    ),
    Step(
        "verify",
        "Verify it",
        "Advice may be wrong. So the report can try it: open the slow page's finding again and "
        "press *Verify*. The request is run without and with the change, several times, in a "
        "transaction that is rolled back.",
        "Profile the slow orders, then press Verify",
        (
            "*101 → 1 queries, confirmed*, with the time of both.",
            "Nothing of your code was changed: the change was made to the queryset as it ran.",
        ),
    ),
    Step(
        "compare",
        "Compare",
        "One request tells little of time: the next may take half as long again. So both variants "
        "run several times, here from your browser, and the comparison says how sure it is.",
        "Measure now",
        (
            "The verdict in one sentence: by how much it is faster, and how sure that is.",
            "Each run is a point; what is counted is beside it, and the finding is *fixed*.",
        ),
    ),
    Step(
        "toolbar",
        "See it while you work",
        "With Django's debug toolbar installed, the same findings are a panel beside every page, "
        "without asking for a report.",
        "Open the slow orders with the toolbar",
        (
            "Press the green handle at the right edge, then *Findings*: the same N+1 and change.",
            "*Profile this page* leads from there to the whole report.",
        ),
    ),
)
