"""What is already known of the images of a list (--only): taken from the run of the whole set, if the cache has it."""

from __future__ import annotations

from fer_audit.embed.run import keep_embeddings, load_embeddings
from fer_audit.embed.types import CPU, ModelFacts
from fer_audit.pack.build import ShardMaker
from fer_audit.pack.types import PackRows
from fer_audit.pipeline.fingerprints import run_fingerprints
from fer_audit.pipeline.types import Order
from fer_audit.store.stage import NAME_LENGTH, StageFolder
from fer_audit.text import counted


def take_from_whole(
    order: Order, facts: ModelFacts, maker: ShardMaker, folder: StageFolder, *, size: int
) -> bool:
    """Write the rows and vectors of a list's images from those of the whole set, and return whether they were there.

    On a CPU an image's vector does not depend on the others of its batch; elsewhere, and with --verify, all is made again.
    """
    if order.dataset.drawn_from is None or facts.provider != CPU or order.resources.verify:
        return False
    whole, chosen = order.dataset.drawn_from
    prints = run_fingerprints(whole, facts, size, order.config)
    places = {
        stage: StageFolder(order.cache / stage / print_[:NAME_LENGTH], print_)
        for stage, print_ in (("pack", prints.pack), ("embed", prints.embed))
    }
    found = load_embeddings(places["embed"], facts)
    known = ShardMaker(whole, places["pack"], size=size, keep=False, workers=1).rows()
    if isinstance(found, str) or known is None:
        return False
    columns = {name: getattr(known, name)[chosen] for name in PackRows.__slots__}
    maker.keep_rows(PackRows(**columns))
    keep_embeddings(folder, found, chosen)
    order.progress.say(f"vectors of {counted(len(chosen), 'image')} taken from the whole set's")
    return True
