"""CK+, the Extended Cohn-Kanade set: its sequences with their emotion files, and CK+48, which is their last three frames.

Frames are named `S005_001_00000011.png`: subject, sequence of the subject, frame.
CK+48 sorts them into class folders; CK+ has `Emotion/S005/001/S005_001_00000011_emotion.txt` for the last frame.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from fer_audit.config import DatasetSettings
from fer_audit.dataset.build import make_dataset
from fer_audit.dataset.formats.registry import Match
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.listing import Listing
from fer_audit.dataset.names import is_expression
from fer_audit.dataset.sources.source import read_small_file
from fer_audit.dataset.table.words import encode_attribute
from fer_audit.dataset.types import Attribute, FaceDataset, Reject
from fer_audit.text import counted, encodable, name_some

EXPRESSIONS = (
    *("neutral", "anger", "contempt", "disgust"),
    *("fear", "happy", "sadness", "surprise"),
)
"""By the number in an emotion file."""
MIN_SHARE = 0.5
"""Share of image names from which on a folder is taken for CK+."""
MAX_EMOTION_BYTES = 1_000
SEQUENCE_SOURCE = (
    "Emotions that follow from the FACS codes of each last frame (Lucey et al. 2010)."
)
CLASS_SOURCE = "The class folders' names, which repeat the emotions of CK+ (Lucey et al. 2010)."

_FRAME = re.compile(r"((S[0-9]{3})_[0-9]{3})_[0-9]{8}\.[a-z]+", re.IGNORECASE)
_EMOTION = r"S[0-9]{3}_[0-9]{3}_[0-9]{8}_emotion\.txt"
_CODES = {float(code): code for code in range(len(EXPRESSIONS))}


def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return CERTAIN for a folder in which at least every second image is named as a frame of CK+."""
    fits = given.is_folder and given.listing.share_named(_FRAME) >= MIN_SHARE
    return Match.CERTAIN if fits else Match.NO


def read(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset of CK+48 or of CK+. Attributes: expression, subject.

    Of CK+, which has emotion files or no class folders, the last frame of each sequence is the row.
    A name that cannot be read keeps its row.
    """
    listing = given.images_without_columns(settings)
    files = given.listing.named(_EMOTION)
    classes = [_class_folder(file_id) for file_id in listing.ids]
    in_sequences = bool(files) or not any(classes)
    if in_sequences:
        kept, expression, rejects = _read_sequences(listing, given.listing, files)
    else:
        kept, expression = listing, encode_attribute("expression", classes, "label")
        unsorted = (file_id for file_id, word in zip(kept.ids, classes, strict=True) if not word)
        rejects = [Reject(file_id, "no_class_folder") for file_id in unsorted]
    found = [_FRAME.fullmatch(name) for name in kept.names()]
    other = [file_id for file_id, match in zip(kept.ids, found, strict=True) if not match]
    frames = [match for match in found if match]
    earlier = len(listing.ids) - len(kept.ids)
    notes = []
    if in_sequences:
        unsaid = int(np.count_nonzero(expression.codes < 0))
        notes.append(
            f"Each sequence is one row, its last frame: {counted(earlier, 'earlier frame was', 'earlier frames were')} "
            f"skipped. {counted(unsaid, 'row has', 'rows have')} no emotion and so no label."
        )
    elif frames:
        sequences = counted(len({frame[1].upper() for frame in frames}), "sequence")
        people = counted(len({frame[2].upper() for frame in frames}), "person", "people")
        notes.append(
            f"{counted(len(frames), 'image is a frame', 'images are frames')} of {sequences} of {people}; frames of one "
            "sequence are nearly the same picture: test by subject, never by image."
        )
    if other:
        carry = counted(len(other), "file name is", "file names are")
        notes.append(f"{carry} none of CK+'s, so the subject is not known: {name_some(other)}.")
    return make_dataset(
        given,
        kept.source(),
        kept.ids,
        (
            expression,
            encode_attribute(
                "subject", [frame and frame[2].upper() for frame in found], "subject"
            ),
        ),
        rejects=(*rejects, *(Reject(file_id, "name_not_ckplus") for file_id in other)),
        notes=notes,
        skipped=(("earlier frame of a sequence", earlier),),
        label_source=SEQUENCE_SOURCE if in_sequences else CLASS_SOURCE,
        read=files,
    )


def _class_folder(file_id: str) -> str | None:
    """Return the folder an image lies in when it is called like an expression."""
    folder = file_id.split("/")[-2] if "/" in file_id else ""
    return encodable(folder) if is_expression(folder) else None


def _read_sequences(
    listing: Listing, labels: Listing, files: Sequence[str]
) -> tuple[Listing, Attribute, list[Reject]]:
    """Return the last frame of every sequence, its expression, and the emotion files that could not be used."""
    last: dict[str, int] = {}
    for row, (file_id, name) in enumerate(zip(listing.ids, listing.names(), strict=True)):
        # frame numbers have one length and ids are sorted: the last one of a sequence comes last
        last[file_id.rpartition("_")[0] if _FRAME.fullmatch(name) else file_id] = row
    kept = listing.take(np.array(sorted(last.values()), dtype=np.intp))
    said: dict[str, tuple[str, int]] = {}
    rejects = []
    for file in files:
        code = _emotion(f"{labels.root}/{file}")
        if code is None:
            rejects.append(Reject(file, "label_unreadable"))
        else:
            said[file.rpartition("/")[2].rpartition("_")[0].upper()] = (file, code)
    stems = [name.rpartition(".")[0].upper() for name in kept.names()]
    last_frames = set(stems)
    codes = [said.get(stem, ("", -1))[1] for stem in stems]
    rejects += [
        Reject(said[stem][0], "not_of_a_last_frame") for stem in said if stem not in last_frames
    ]
    return kept, Attribute("expression", EXPRESSIONS, np.array(codes, np.int16), "label"), rejects


def _emotion(path: str) -> int | None:
    """Return the code in an emotion file, one number such as `6.0000000e+00`; None when it holds no code."""
    try:
        return _CODES.get(float(read_small_file(path, limit=MAX_EMOTION_BYTES) or b""))
    except ValueError:
        return None
