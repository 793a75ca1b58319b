"""Answers held against the description of the API, ``openapi.json``."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
from django.http import HttpResponse

import django_hotpath

PATH = Path(django_hotpath.__file__).parent / "report" / "openapi.json"


@cache
def description() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PATH.read_text())
    return found


def check(response: HttpResponse, path: str, method: str = "get", status: int = 200) -> Any:
    """The answer's JSON, which must be what the description says of this status; None without."""
    assert response.status_code == status, response.content[:500]
    assert "no-store" in response["Cache-Control"]
    described = _resolved(description()["paths"][path][method]["responses"][str(status)])
    if "content" not in described:
        assert response.content == b""
        return None
    assert response["Content-Type"] == "application/json"
    answer = json.loads(response.content)
    schema = {
        **described["content"]["application/json"]["schema"],
        "components": description()["components"],
    }
    jsonschema.Draft202012Validator(schema).validate(answer)
    return answer


def _resolved(found: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in found:
        return found
    name = found["$ref"].rpartition("/")[2]
    response: dict[str, Any] = description()["components"]["responses"][name]
    return response
