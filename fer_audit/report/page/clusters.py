"""The map of all images, how good the partition is, and a card for each cluster."""

from __future__ import annotations

from fer_audit.audit.types.result import AuditResult
from fer_audit.report.charts.cards import lifts, style_profile, telling_sheet
from fer_audit.report.charts.chart import Chart
from fer_audit.report.charts.latent_map import (
    colours_of,
    legend_places,
    map_aspect,
    map_chart,
    map_png,
)
from fer_audit.report.charts.partition import come_back, elbow
from fer_audit.report.files.pictures import ContactSheet, MeanFace, Pictures, webp_size
from fer_audit.report.page.blocks import (
    Block,
    Card,
    Cards,
    Charts,
    Gallery,
    MapPanel,
    Maps,
    Picture,
    Prose,
    Section,
    Table,
)
from fer_audit.report.page.context import Context
from fer_audit.text import because, coefficient, counted, percent, whole

_MAP_PIXELS = 320
_FACE_PIXELS = 88
_KINDS = {
    "nearest": "Nearest to the centre",
    "median": "Half way out",
    "farthest": "Furthest from the centre",
}


def map_charts(context: Context) -> list[Chart]:
    """Return the map in every colouring, as charts for files."""
    found = None if context.pictures is None else context.pictures.map
    if found is None:
        return []
    return [map_chart(found, each, context.palette, context.result) for each in found.colourings]


def partition_charts(context: Context) -> list[Chart]:
    """Return the elbow and whether the clusters come back."""
    found = [
        elbow(context.result.clustering),
        come_back(context.result.stability, context.palette),
    ]
    return [chart for chart in found if chart is not None]


def card_charts(context: Context, cluster: int) -> list[Chart]:
    """Return the charts of one cluster."""
    found = [
        lifts(cluster, context.result.associations, context.palette),
        style_profile(cluster, context.result.cluster_styles, context.palette),
    ]
    return [chart for chart in found if chart is not None]


def the_map(context: Context) -> Section:
    """Return the points in every colouring, the elbow and the stability beside them."""
    blocks: list[Block] = []
    found = None if context.pictures is None else context.pictures.map
    if found is None:
        blocks.append(Prose(f"No map: {_why_missing(context, 'map')}."))
    else:
        shown = (
            f"all {whole(found.shown)} images that were embedded"
            if found.shown == found.n
            else f"a random {whole(found.shown)} of {counted(found.n, 'image')}"
        )
        blocks.append(
            Prose(
                f"Each point is an image: {shown}, {_how_laid_out(context)}. The points lie in the same places in"
                " every panel; only the colour changes. They are drawn in one shuffled order, so that no group covers"
                " another.",
                "lead",
            )
        )
        panels = []
        height = round(_MAP_PIXELS * map_aspect(found))
        for chart, colouring in zip(map_charts(context), found.colourings, strict=True):
            names = list(
                zip(colours_of(colouring, context.palette), colouring.groups, strict=True)
            )
            legend = [names[place] for place in legend_places(len(names))]
            if len(legend) < len(names):
                legend.append(("transparent", f"{len(names)} in all, in this order"))
            data = map_png(found, colouring, context.palette)
            panels.append(
                MapPanel(
                    chart.key,
                    chart.title,
                    Picture("image/png", data, chart.alt, "", _MAP_PIXELS, height),
                    tuple(legend),
                    chart.sheet,
                )
            )
        blocks.append(Maps(tuple(panels)))
        blocks += [
            Prose(f"No {what}: {reason}.", "small")
            for what, reason in ([] if context.pictures is None else context.pictures.missing)
            if what.startswith("map ")
        ]
    charts = tuple(partition_charts(context))
    if charts:
        blocks.append(Charts(charts))
    return Section("map", "The map", tuple(blocks))


def _how_laid_out(context: Context) -> str:
    pictures, axes = context.pictures, context.result.principal_axes
    method = "" if pictures is None or pictures.map is None else pictures.map.method
    if method == "umap":
        return (
            "laid out by UMAP on the principal coordinates: neighbours stay together, but distances between"
            " far groups and the sizes of gaps mean nothing"
        )
    said = "laid out by the first two principal components"
    if axes is not None and len(axes.shares) > 1:
        said += (
            f", which hold {percent(axes.shares[0])} and {percent(axes.shares[1])} of the variance; what separates"
            f" groups can lie in the other {percent(1 - axes.shares[0] - axes.shares[1])}"
        )
    return said


def _why_missing(context: Context, what: str) -> str:
    if context.pictures is None:
        return "the run directory holds no pictures; run the same command again to make them"
    reasons = [reason for name, reason in context.pictures.missing if name == what]
    return reasons[0] if reasons else "there is nothing to show"


def clusters(context: Context) -> Section:
    """Return a card for each cluster."""
    result = context.result
    facts = result.clustering
    if facts is None:
        reason = (
            because(result.not_computable) if result.not_computable else "nothing was embedded"
        )
        return Section("clusters", "Clusters", (Prose(f"No clusters: {reason}."),))
    blocks: list[Block] = [
        Prose(
            f"K-Means with k = {facts.k}. Clusters are numbered by size. A lift of 2 means twice as often in the"
            " cluster as in the whole set.",
            "lead",
        ),
        Prose(
            "Lines are intervals. Open grey circles and grey bars stand for fewer than 30 images: too few to say anything."
            " An arrow at the edge: further out than the axis. Sizes count every file; lifts, tests and mean faces count"
            " one copy of each image.",
            "small",
        ),
    ]
    blocks += [Prose(text, "small") for text in _without(context)]
    blocks.append(Cards(tuple(_card(context, cluster) for cluster in range(facts.k))))
    return Section("clusters", "Clusters", tuple(blocks))


def _without(context: Context) -> list[str]:
    """Return what cannot be shown of the clusters, and why."""
    if context.pictures is None:
        return [f"No mean faces: {_why_missing(context, 'mean faces')}."]
    return [
        f"No {what}: {reason}."
        for what, reason in context.pictures.missing
        if not what.startswith("map")
    ]


def _card(context: Context, cluster: int) -> Card:
    result = context.result
    blocks: list[Block] = []
    if context.pictures is not None:
        blocks += _faces(context.pictures, cluster)
    charts = tuple(card_charts(context, cluster))
    if charts:
        blocks.append(Charts(charts))
    telling = telling_sheet(cluster, result.associations, alpha=context.alpha)
    if telling.rows:
        blocks.append(Table("The most telling groups", telling, open=True))
    if context.pictures is not None:
        blocks += _sheets(context.pictures, cluster)
    stable, said = _stability(result, cluster)
    return Card(
        key=f"cluster-{cluster}",
        title=f"Cluster {cluster}",
        subtitle=_size(result, cluster) + said,
        colour=context.palette.cluster(cluster),
        dimmed=not stable,
        blocks=tuple(blocks),
    )


def _size(result: AuditResult, cluster: int) -> str:
    sizes = () if result.clustering is None else result.clustering.sizes
    size = sizes[cluster]
    if size is None:
        return f"{counted(size, 'image')}"
    # Where sizes are withheld their sum is not known here, and the shares of the others are left out.
    total = sum(each for each in sizes if each is not None)
    share = "" if None in sizes else f", {percent(size / max(1, total))} of the set"
    return f"{counted(size, 'image')}{share}"


def _stability(result: AuditResult, cluster: int) -> tuple[bool, str]:
    found = () if result.stability is None else result.stability.clusters
    for each in found:
        if each.cluster == cluster:
            words = (
                "it comes back in resamples"
                if each.stable
                else "it does not come back in resamples: read nothing into it"
            )
            return each.stable, f"; {words} (mean Jaccard {coefficient(each.jaccard)})."
    return True, "."


def _faces(pictures: Pictures, cluster: int) -> list[Block]:
    found = [face for face in pictures.faces if face.cluster == cluster]
    if not found:
        return []
    shown = tuple(
        Picture(
            "image/webp",
            face.webp,
            f"Mean face of cluster {cluster}"
            + ("" if face.group is None else f", {face.attribute} {face.group}"),
            _face_words(face),
            _FACE_PIXELS,
            _FACE_PIXELS,
        )
        for face in found
    )
    return [
        Gallery(
            "Mean faces",
            shown,
            "Averages of at least 30 images of the cluster, and of each group in it that has and leaves as many. They show"
            " what the pictures share, light and framing included. Images are not people: if they are of a few, these"
            " can be recognised.",
        )
    ]


def _face_words(face: MeanFace) -> str:
    name = "all" if face.group is None else face.group
    part = whole(face.n) if face.drawn == face.n else f"{whole(face.drawn)} of {whole(face.n)}"
    return f"{name} ({part})"


def _sheets(pictures: Pictures, cluster: int) -> list[Block]:
    return [
        Gallery(
            f"{_KINDS[sheet.kind]}",
            (_sheet_picture(sheet),),
            "Faces are personal data: think before you pass this page on."
            + (" They are blurred." if sheet.blurred else ""),
        )
        for sheet in pictures.sheets
        if sheet.cluster == cluster
    ]


def _sheet_picture(sheet: ContactSheet) -> Picture:
    return Picture(
        "image/webp",
        sheet.webp,
        f"Contact sheet: {counted(sheet.n, 'face')} of cluster {sheet.cluster}, {_KINDS[sheet.kind].lower()}",
        counted(sheet.n, "face"),
        *webp_size(sheet.webp),
    )
