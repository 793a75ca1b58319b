"""The edit of a model's source that declares an index."""

from __future__ import annotations

import ast

from django_hotpath.analysis.plans.advice import IndexAdvice
from django_hotpath.analysis.plans.code import declaration
from django_hotpath.analysis.plans.tables import Table
from django_hotpath.capture import Edit


def index_edits(advice: IndexAdvice, table: Table, source: str | None = None) -> tuple[Edit, ...]:
    """Empty where the source is not one that can be edited for certain.

    That is a model whose class is written out in one place, on models.Model or with a Meta of its
    own, and a name ``models`` that is Django's.
    """
    model = table.model
    if model is None or not model.file:
        return ()
    if source is None:
        source = table.source
    if not source:
        return ()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return ()
    if not _imports_models(tree):
        return ()
    classes = [
        node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == model.name
    ]
    if len(classes) != 1:
        return ()
    place = _place(classes[0], advice, table, source.splitlines())
    if place is None:
        return ()
    line, column, text = place
    # ast counts columns in bytes, an edit in characters.
    written = source.splitlines()[line - 1].encode()[:column].decode()
    return (
        Edit(
            file=model.file,
            line=line,
            column=len(written),
            end_line=line,
            end_column=len(written),
            old="",
            new=text,
        ),
    )


def _place(
    model: ast.ClassDef, advice: IndexAdvice, table: Table, lines: list[str]
) -> tuple[int, int, str] | None:
    """Where to insert what: line, column in bytes, text."""
    body = " " * model.body[0].col_offset
    step = body
    metas = [one for one in model.body if isinstance(one, ast.ClassDef) and one.name == "Meta"]
    if not metas:
        if [ast.unparse(base) for base in model.bases] != ["models.Model"]:
            return None
        last = _last_field(model)
        text = f"\n\n{body}class Meta:\n{_indexes(advice, table, body + step, step)}"
        return last.end_lineno or 0, last.end_col_offset or 0, text
    inner = " " * metas[0].body[0].col_offset
    declared = [one for one in metas[0].body if _assigns(one, "indexes")]
    if not declared:
        last = metas[0].body[-1]
        text = "\n" + _indexes(advice, table, inner, step)
        return last.end_lineno or 0, last.end_col_offset or 0, text
    value = declared[0].value if isinstance(declared[0], (ast.Assign, ast.AnnAssign)) else None
    if not isinstance(value, (ast.List, ast.Tuple)) or not value.elts:
        return None
    first = value.elts[0]
    entry = _indented(declaration(advice, table), " " * first.col_offset)
    if first.lineno == value.lineno:
        if "\n" in entry:
            return None
        return first.lineno, first.col_offset, f"{entry.strip()}, "
    return first.lineno, first.col_offset, f"{entry.strip()},\n{' ' * first.col_offset}"


def _last_field(model: ast.ClassDef) -> ast.stmt:
    """The last of the assignments with which a model begins, as the order of the style guide is."""
    last = model.body[0]
    for one in model.body:
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
            break
        last = one
    return last


def _assigns(statement: ast.stmt, name: str) -> bool:
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    else:
        return False
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def _indexes(advice: IndexAdvice, table: Table, indent: str, step: str) -> str:
    entry = _indented(declaration(advice, table), indent + step)
    return f"{indent}indexes = [\n{entry},\n{indent}]"


def _indented(text: str, indent: str) -> str:
    return "\n".join(f"{indent}{line}" for line in text.splitlines())


def _imports_models(tree: ast.Module) -> bool:
    imported = [
        (alias.name, alias.asname)
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        and node.module in {"django.db", "django.contrib.gis.db"}
        for alias in node.names
    ]
    return ("models", None) in imported or ("models", "models") in imported
