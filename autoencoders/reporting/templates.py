"""HTML from the templates in a package's `assets` folder, and from those that packages share; whatever is put into them
is escaped."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def fill(package: str, template: str, **values: Any) -> str:
    """Render a template of a package, for example ``fill("autoencoders.explore", "page.html", title="Results")``."""
    return _environment(package).get_template(template).render(values)


@cache
def _environment(package: str) -> Environment:
    loader = ChoiceLoader([PackageLoader(each, "assets") for each in (package, "autoencoders.reporting")])
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
