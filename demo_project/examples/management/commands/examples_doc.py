from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.test import override_settings

from examples.docs_page import Row, measured, page
from examples.families import EXAMPLES

PAGE = Path(settings.BASE_DIR).parent / "docs/explanation/examples.md"


class Command(BaseCommand):
    help = "Measure every example of the demo and write the page of the docs about them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slugs", nargs="*", help="measure these only, and print the page")
        parser.add_argument("--runs", type=int, default=10, help="of each variant, for its time")

    def handle(self, *args: Any, slugs: list[str], runs: int, **options: Any) -> None:
        known = {example.slug: example for example in EXAMPLES}
        if unknown := set(slugs) - set(known):
            raise CommandError(f"no such example: {', '.join(sorted(unknown))}")
        rows: list[Row] = []
        for slug in slugs or known:
            self.stderr.write(f"{len(rows) + 1:>3}  {slug}")
            # As it is deployed: DEBUG keeps every statement, and the toolbar looks at them.
            with override_settings(DEBUG=False):
                rows.append(measured(known[slug], runs))
            for problem in rows[-1].problems:
                self.stderr.write(self.style.ERROR(f"     {problem}"))
        text = page(rows, runs)
        if slugs:
            self.stdout.write(text)
            return
        PAGE.write_text(text, "utf-8")
        self.stdout.write(f"Wrote {PAGE}")
        if broken := [row for row in rows if row.problems]:
            raise CommandError(f"{len(broken)} examples are not as the registry says")
