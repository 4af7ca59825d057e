"""A paragraph for the methods of a paper, with the run's numbers, and the sources it cites as BibTeX."""

from __future__ import annotations

from collections.abc import Iterator

from fer_audit import __version__
from fer_audit.audit.types.claim import CLUSTER
from fer_audit.audit.types.result import AuditResult
from fer_audit.report.sections.values import alike_in, claimed
from fer_audit.text import counted, display, level, listed, visible, whole

_SOURCES = {
    "feraudit": "@software{feraudit, author={{The fer-audit authors}}, title={fer-audit: audits of face datasets}, "
    f"version={{{__version__}}}}}",
    "he2016": "@inproceedings{he2016, author={He, Kaiming and Zhang, Xiangyu and Ren, Shaoqing and Sun, Jian}, title={Deep residual learning for image recognition}, booktitle={CVPR}, year={2016}}",
    "sculley2010": "@inproceedings{sculley2010, author={Sculley, D.}, title={Web-scale k-means clustering}, booktitle={WWW}, year={2010}}",
    "bergsma2013": "@article{bergsma2013, author={Bergsma, Wicher}, title={A bias-correction for {Cram\\'er's} {V} and {Tschuprow's} {T}}, journal={Journal of the Korean Statistical Society}, volume={42}, year={2013}}",
    "phipson2010": "@article{phipson2010, author={Phipson, Belinda and Smyth, Gordon K.}, title={Permutation {P}-values should never be zero}, journal={Statistical Applications in Genetics and Molecular Biology}, volume={9}, year={2010}}",
    "landis1978": "@article{landis1978, author={Landis, J. Richard and Heyman, Eugene R. and Koch, Gary G.}, title={Average partial association in three-way contingency tables}, journal={International Statistical Review}, volume={46}, year={1978}}",
    "rosenbaum1983": "@article{rosenbaum1983, author={Rosenbaum, Paul R. and Rubin, Donald B.}, title={The central role of the propensity score in observational studies for causal effects}, journal={Biometrika}, volume={70}, year={1983}}",
    "holm1979": "@article{holm1979, author={Holm, Sture}, title={A simple sequentially rejective multiple test procedure}, journal={Scandinavian Journal of Statistics}, volume={6}, year={1979}}",
}

_ALIKE = {"others": "the other attributes"}


def methods_text(result: AuditResult) -> str:
    """Return the paragraph, an empty line, and the entries of what it cites; nothing in it that was not done."""
    sentences, cited = _sentences(result)
    sentences += _of_models(result)
    entries = [_SOURCES[key] for key in dict.fromkeys(cited)]
    return visible(" ".join(sentences)) + "\n\n" + "\n".join(entries) + "\n"


def _sentences(result: AuditResult) -> tuple[list[str], list[str]]:
    facts, settings = result.dataset, result.config.statistics
    said = [
        f"We audited {facts.name} ({counted(facts.ok, 'image')} of {whole(facts.listed)}) with fer-audit {__version__} [feraudit]."
    ]
    cited = ["feraudit"]
    if result.model is not None:
        model = result.model
        said.append(
            f"Images were embedded with {model.name} ({whole(model.dim)} dimensions, {model.precision}, ONNX Runtime,"
            f" {model.provider}; sha256 {model.sha256[:16]}) [he2016]."
            if "resnet" in model.name
            else f"Images were embedded with {model.name} ({whole(model.dim)} dimensions, {model.precision}; sha256 {model.sha256[:16]})."
        )
        cited += ["he2016"] if "resnet" in model.name else []
    if result.clustering is None:
        return said, cited
    k = result.clustering.k
    chosen = "set, not chosen from the data"
    if result.clustering.votes:
        chosen = "chosen from elbow, silhouette and stability"
    said.append(
        f"They were clustered with mini-batch k-means [sculley2010] (k = {k}, {chosen}; {counted(result.clustering.starts.n, 'start')}, seed {result.config.seed})."
    )
    cited.append("sculley2010")
    claims = [each for each in result.claims if each.v_corrected is not None]
    if not claims:
        return said, cited
    copies = "every file counted" if settings.keep_duplicates else "one copy of each image"
    units = listed(list(dict.fromkeys(display(each.unit) for each in claims)))
    drawn = listed(list(dict.fromkeys(display(each.drawn) for each in claims if each.drawn)))
    other = "; how another collection would differ is not known"
    if drawn:
        other = f"; of another collection over {drawn}"
    labels = [claimed(each) for each in claims if each.of != CLUSTER]
    people = [claimed(each) for each in claims if each.of == CLUSTER]
    subject = [f"of clusters with {listed(people)}"] * bool(people)
    subject += [f"of {listed(labels)}"] * bool(labels)
    clustered = {each.attribute for each in claims if each.of == CLUSTER}
    draws = sorted({x.permutations for x in result.associations if x.attribute in clustered})
    shuffles = "shuffles of the same units"
    if draws:
        shuffles = f"{' to '.join(map(whole, draws[:: max(1, len(draws) - 1)]))} {shuffles}"
        shuffles += " for clusters" * bool(labels)
    said.append(
        f"Association {' and '.join(subject)} is the bias-corrected Cramér's V [bergsma2013]"
        f" over {copies}, with {level(settings.confidence)} bootstrap intervals over units ({units}{other}; {whole(settings.bootstraps)} resamples)"
        f" and permutation p values [phipson2010] ({shuffles}), Holm-corrected over attributes [holm1979]."
    )
    cited += ["bergsma2013", "phipson2010", "holm1979"]
    if any(each.left for each in claims):
        asked = dict.fromkeys(left.level for each in claims for left in each.left)
        levels = listed([_ALIKE.get(x) or display(x) for x in asked])
        said.append(
            "What is left of an association among images alike in other columns is its conditional mutual information over the"
            f" marginal one, less the mean under shuffling within strata ({levels}); its p is the smaller of generalised"
            " Cochran-Mantel-Haenszel [landis1978] and conditional information, doubled."
        )
        cited.append("landis1978")
        strata = dict.fromkeys(
            x.given
            for each in result.ladders
            for x in each.conditionals
            if x.rung == 5 and x.headline
        )
        if ("style",) in strata:
            said.append(
                "Style strata are cells of a cross-fitted propensity score [rosenbaum1983] from image measures."
            )
            cited.append("rosenbaum1983")
        binned = listed([alike_in(given) for given in strata if given != ("style",)])
        if binned:
            said.append(f"Style strata are bins of {binned}.")
    return said, cited


def _of_models(result: AuditResult) -> Iterator[str]:
    """Yield a sentence for each model whose predictions were audited."""
    sources = {
        "model": "run here",
        "table": "given as a table",
        "heldout": "fitted here, held out",
    }
    for each in () if result.models is None else result.models.models:
        yield (
            f"The {each.about} of {counted(each.n, 'image')} was predicted by {each.model} ({sources[each.kind]};"
            f" sha256 {each.sha256[:16]})"
            + (
                f" and compared with {counted(each.labelled, 'true label')}."
                if each.truth
                else "."
            )
        )
