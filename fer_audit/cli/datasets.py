"""inspect and datasets: what would be read, and what can be."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fer_audit.cli.options import dataset_options
from fer_audit.cli.output import answer, answer_json
from fer_audit.cli.param_types import PATH, Verb, flag
from fer_audit.cli.settings import dataset_config
from fer_audit.text import counted, display, encodable, percent, whole

if TYPE_CHECKING:
    from fer_audit.dataset.types import Attribute, FaceDataset

SHOWN_GROUPS = 12


@click.command("inspect", cls=Verb, short_help="Say what would be read, without opening an image.")
@click.argument("dataset", type=PATH)
@dataset_options
@flag("--json as_json", "Print it as JSON.")
def inspect_command(dataset: Path, as_json: bool, **values: Any) -> None:  # noqa: ANN401 - options
    """Say how DATASET would be read: layout, images, labels, splits, subjects, and what is odd. Opens no image.

    Exit codes: 0 it can be read; 2 a decision is needed, which the message names; 3 there is no usable set.

    \b
    Examples:
      fer-audit inspect path/to/FairFace
      fer-audit inspect labels.csv --images path/to/images
      fer-audit inspect path/to/set --json
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.dataset.load import load_dataset

    found = load_dataset(dataset, dataset_config(values))
    facts = _facts(found)
    if as_json:
        answer_json(json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
        return
    there = facts["found"]
    answer(f"{encodable(found.name)}: {counted(len(found), 'image')}, read as {found.format}")
    if there < len(found):
        answer(f"  {counted(len(found) - there, 'image is', 'images are')} not there")
    for attribute in found.attributes:
        answer(f"  {_attribute_line(attribute, len(found))}")
    for name, value in found.facts:
        answer(f"  of the whole set: {display(name)} {value}")
    for why, n in found.skipped:
        answer(f"  skipped: {counted(n, 'file')}, {why}")
    for reason, n in facts["rejects"].items():
        answer(f"  not used: {whole(n)} {reason}")
    answer(f"  Labels: {found.label_source}")
    for note in found.notes:
        answer(f"  - {note}")


def _attribute_line(attribute: Attribute, n: int) -> str:
    counts = attribute.counts().tolist()
    annotated = sum(counts)
    kind = "" if attribute.kind in ("demographic", "label") else f" ({attribute.kind})"
    left = "" if annotated == n else f"; {whole(n - annotated)} not annotated"
    if attribute.kind == "subject" or len(counts) > SHOWN_GROUPS:
        what = "subject" if attribute.kind == "subject" else "value"
        return f"{display(attribute.name)}{kind}: {counted(len(counts), what)}{left}"
    groups = ", ".join(
        f"{encodable(group)} {percent(count / annotated) if annotated else '0 %'}"
        for group, count in zip(attribute.categories, counts, strict=True)
    )
    return f"{display(attribute.name)}{kind}: {groups}{left}"


def _facts(found: FaceDataset) -> dict[str, Any]:
    return {
        "name": encodable(found.name),
        "layout": found.format,
        "images": len(found),
        "found": int(found.source.there.sum()),
        "whole": found.whole,
        "attributes": [
            {
                "name": encodable(each.name),
                "kind": each.kind,
                "source": each.source,
                "groups": {
                    encodable(group): count
                    for group, count in zip(each.categories, each.counts().tolist(), strict=True)
                },
                "not_annotated": int((each.codes < 0).sum()),
                "words_for_missing": {encodable(word): count for word, count in each.unsaid},
            }
            for each in found.attributes
        ],
        "facts": dict(found.facts),
        "skipped": dict(found.skipped),
        "rejects": dict(Counter(reject.reason for reject in found.rejects)),
        "label_source": found.label_source,
        "notes": list(found.notes),
    }


@click.command("datasets", short_help="List the layouts of datasets that are read.")
@flag("--json as_json", "Print them as JSON.")
def datasets_command(as_json: bool) -> None:
    """List the layouts that are recognised: what each needs, what it gives, where such a set is had.

    \b
    Examples:
      fer-audit datasets
      fer-audit datasets --json
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from dataclasses import asdict

    from fer_audit.dataset.formats.registry import FORMATS

    if as_json:
        answer_json(json.dumps([asdict(form) for form in FORMATS], indent=2) + "\n")
        return
    for form in FORMATS:
        answer(f"{form.name:12} {form.title}")
        answer(f"{'':12}   recognised by: {form.about.replace('`', '')}")
        answer(f"{'':12}   gives: {form.gives}; had from: {form.terms}")
