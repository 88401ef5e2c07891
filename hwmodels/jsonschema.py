"""The JSON Schema of model files, for editors; it is made from the same table that the loader checks against."""

from __future__ import annotations

from typing import Any, Final

from .fields import FIELDS, VOCABULARY, Field
from .schema import Header, RawFact, Source
from .units import CANONICAL

_ID: Final = "https://json-schema.org/draft/2020-12/schema"


def _value(field: Field) -> dict[str, Any]:
    if field.unit == "bool":
        return {"type": "boolean"}
    if field.unit in ("text", "shape"):
        one: dict[str, Any] = {"type": "string"}
        if field.choices:
            one["enum"] = list(field.choices)
    else:
        one = {"type": "string", "description": f'a quantity in {field.unit}, e.g. "1 {field.unit}", or "unlimited"'}
    if field.shape == "one":
        return one
    items = one if field.unit in ("text", "shape") else {"anyOf": [one, {"type": "number"}]}
    return {"type": "array", "items": items}


def _leaf(field: Field) -> dict[str, Any]:
    unit = f" ({field.unit})" if field.unit in CANONICAL and field.unit != "count" else ""
    return {
        "description": f"{field.label}{unit}",
        "allOf": [{"$ref": "#/$defs/fact"}, {"properties": {"v": _value(field)}}],
    }


def _insert(node: dict[str, Any], segments: list[str], leaf: dict[str, Any]) -> None:
    head, *rest = segments
    if head in VOCABULARY:
        properties = node.setdefault("patternProperties", {})
        head = f"^({'|'.join(VOCABULARY[head])})$"
    else:
        properties = node.setdefault("properties", {})
    if not rest:
        properties[head] = leaf
    else:
        child = properties.setdefault(head, {"type": "object", "additionalProperties": False})
        _insert(child, rest, leaf)


def machine_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) that every model file validates against."""
    header = Header.model_json_schema(by_alias=True)
    fact = RawFact.model_json_schema(by_alias=True)
    source = Source.model_json_schema(by_alias=True)
    definitions = {**fact.pop("$defs", {}), **header.pop("$defs", {}), **source.pop("$defs", {})}
    source["properties"].pop("id")
    schema: dict[str, Any] = {
        "$schema": _ID,
        "title": "gpuport machine model",
        "type": "object",
        "additionalProperties": False,
        "required": header["required"],
        "properties": dict(header["properties"]),
        "$defs": {**definitions, "fact": fact, "source": source},
    }
    schema["properties"]["sources"] = {"type": "object", "additionalProperties": {"$ref": "#/$defs/source"}}
    for field in FIELDS:
        _insert(schema, field.path.split("."), _leaf(field))
    return schema
