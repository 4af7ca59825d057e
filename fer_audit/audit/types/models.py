"""Records of what FER models predict: by group, by group and class, and how far several models agree."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.audit.types.claim import CLUSTER
from fer_audit.audit.types.not_computable import NotComputable, NotNegative, Signed, Unit
from fer_audit.text import display

_PEOPLE = {"female": "women", "male": "men", "woman": "women", "man": "men"}


def group_words(attribute: str, group: str) -> str:
    """Write the people of a group: women, faces of race Black, faces in cluster 3."""
    if attribute == CLUSTER:
        return f"faces in cluster {group}"
    people = _PEOPLE.get(group.casefold()) if attribute in ("gender", "sex") else None
    return people or f"faces of {display(attribute)} {group}"


@dataclass(frozen=True, slots=True)
class ClassRate:
    """How often a class is predicted in a group, whatever is right."""

    label: str
    """The class, as the model calls it."""
    count: int
    """Images predicted so."""
    share: Unit | None
    """Of all images of the group that have a prediction."""
    low: Unit | None
    """Lower end of its interval, by `unit`."""
    high: Unit | None
    """Upper end of it."""


@dataclass(frozen=True, slots=True)
class GroupRates:
    """What is predicted in one group."""

    group: str
    """Name of the group."""
    n: int
    """Images with a prediction."""
    units: int
    """People on them, where the set names people; else images."""
    too_few: bool
    """Fewer than 30 units: shown, never compared."""
    rates: tuple[ClassRate, ...]
    """One entry for each class."""


@dataclass(frozen=True, slots=True)
class RecallCell:
    """The images of one group and one true class."""

    group: str
    """Name of the group."""
    label: str
    """The true class, as the model calls it."""
    n: int
    """Images."""
    units: int
    """People on them, else images."""
    right: int
    """Images predicted right."""
    recall: Unit | None
    """Share of them; None where there is no image."""
    low: Unit | None
    """Lower end of its interval: Wilson, or people drawn whole."""
    high: Unit | None
    """Upper end of it."""
    pooled: Unit | None
    """The recall drawn towards those of the other groups, the more the fewer images there are: mean of a beta-binomial
    posterior."""
    soft_recall: Unit | None
    """Of the annotators' votes for the class, the share on images predicted so; None without votes."""
    p: Unit | None
    """Of the distance to the recall of all other groups, group labels shuffled within the class."""
    p_adjusted: Unit | None
    """The same after Westfall and Young's step-down over all cells with enough units."""
    too_few: bool
    """Fewer than 30 units: shown, never ranked."""


@dataclass(frozen=True, slots=True)
class GroupErrors:
    """How a model does on the images of one group that have a true label."""

    group: str
    """Name of the group."""
    n: int
    """Images."""
    units: int
    """People on them, else images."""
    accuracy: Unit | None
    """Share predicted right."""
    low: Unit | None
    """Lower end of its interval."""
    high: Unit | None
    """Upper end of it."""
    macro_f1: Unit | None
    """Mean F1 over the classes that the group has images of."""
    macro_f1_common: Unit | None
    """Mean F1 over `classes`: the one to compare groups by."""
    p: Unit | None
    """Of the distance to the accuracy of all other groups, group labels shuffled."""
    p_adjusted: Unit | None
    """The same after Westfall and Young's step-down over the groups."""
    gap: Signed | None
    """Accuracy less that of all other groups."""
    composition: Signed | None
    """Part of the gap that other shares of the true classes make (Kitagawa 1955)."""
    composition_se: NotNegative | None
    """Its standard error."""
    within: Signed | None
    """Part of the gap that is left within the true classes."""
    within_se: NotNegative | None
    """Its standard error."""
    across_clusters: Signed | None
    """The gap within clusters, all weighed together (Mantel-Haenszel risk difference)."""
    across_clusters_p: Unit | None
    """Its Cochran-Mantel-Haenszel p, as of independent images."""
    calibration_error: Unit | None
    """Root of the debiased squared distance of confidence and accuracy (Kumar et al. 2019)."""
    overconfidence: Signed | None
    """Mean confidence less accuracy."""
    soft_accuracy: Unit | None
    """Mean share of annotators' votes for the predicted class; None without votes."""
    soft_ceiling: Unit | None
    """Mean share of the winning class: what no model can exceed."""
    copies: int
    """Groups of byte-identical images of the group with two true labels or more."""
    copies_disagree: int
    """Those among them whose labels differ: how noisy labels are."""
    confusion: tuple[tuple[int, ...], ...]
    """Counts: one row for each true class, one column for each predicted one, in the order of the model's classes."""
    too_few: bool
    """Fewer than 30 units: shown, never ranked."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class ByAttribute:
    """A model's predictions by the groups of one attribute; cells and groups of fewer than 30 units are compared in nothing."""

    attribute: str
    """Name of the attribute; "cluster" for the clusters, "race x cluster" for both."""
    unit: str
    """What is drawn and shuffled: "image", or a subject attribute."""
    rates: tuple[GroupRates, ...]
    """What is predicted in each group."""
    parity_gap: Unit | None
    """Widest gap between two groups in how often a class is predicted (demographic parity)."""
    parity_class: str
    """The class with that gap; empty = none."""
    errors: tuple[GroupErrors, ...] = ()
    """How the model does in each group; empty without true labels."""
    cells: tuple[RecallCell, ...] = ()
    """The recall of each group and class."""
    classes: tuple[str, ...] = ()
    """Classes of which every group with enough units has enough."""
    xu_f: Unit | None = None
    """Least over greatest sum of recalls of a group, over `classes` (Xu et al. 2020): 1 = fair."""
    disparity: Unit | None = None
    """Mean intraclass disparity of recall (Dominguez-Catena et al. 2022): 0 = fair."""
    recall_gap: Unit | None = None
    """Widest gap in recall between two groups, over all classes (equal opportunity)."""
    recall_gap_p: Unit | None = None
    """Its p, group labels shuffled within each true class."""
    odds_gap: Unit | None = None
    """Widest gap in recall or false positive rate (equalised odds)."""
    accuracy_gap: Unit | None = None
    """Widest gap in accuracy between two groups."""
    accuracy_gap_p: Unit | None = None
    """Its p, group labels shuffled."""
    chance_gap: Unit | None = None
    """The accuracy gap that groups of these sizes show on average when all are treated alike."""
    worst_recall: Unit | None = None
    """Least recall of a cell with at least 30 units."""
    icc: Signed | None = None
    """Correlation of being right among images of one person; None where nobody is named."""
    design_effect: NotNegative | None = None
    """How many times the variance is that of as many images of strangers."""
    permutations: int = 0
    """Shuffles drawn."""
    not_computable: NotComputable = ()

    @property
    def demographic(self) -> bool:
        """Whether it is by people alone, not by clusters."""
        return self.attribute != CLUSTER and not self.attribute.endswith(f" x {CLUSTER}")


@dataclass(frozen=True, slots=True)
class NamedCount:
    """A class, and how many images have it."""

    name: str
    """Name."""
    count: int
    """Images."""


@dataclass(frozen=True, slots=True)
class ModelAudit:
    """One model's predictions."""

    model: str
    """Name of the column of its predictions, as claims and rules call it."""
    kind: str
    """model: run here; table: somebody's table; heldout: fitted here on other images."""
    about: str
    """What is predicted: expression."""
    sha256: str
    """Of the model's file, or of the table's."""
    trained_on: str
    """Data it has seen, as far as that is known."""
    in_sample: bool
    """Whether that names this set: results on it do not hold for new images."""
    caveat: str
    """What to know of it; empty = nothing."""
    notes: tuple[str, ...]
    """What was repaired or left out when its predictions were read."""
    classes: tuple[str, ...]
    """What it can predict."""
    n: int
    """Images with a prediction, one copy of each."""
    not_predicted: int
    """Such images without one."""
    truth: str
    """The attribute that holds true labels; empty = none, and nothing is said of what is right."""
    labelled: int
    """Images with a prediction and a true label that is one of the classes."""
    unmapped_labels: tuple[NamedCount, ...]
    """True labels that are none of the classes: their images count in no accuracy."""
    unmapped_classes: tuple[str, ...]
    """Classes that are no true label: predicting one is wrong."""
    never_predicted: tuple[str, ...]
    """Classes that are predicted of no image."""
    accuracy: Unit | None
    """Share predicted right."""
    low: Unit | None
    """Lower end of its interval."""
    high: Unit | None
    """Upper end of it."""
    overall: ByAttribute
    """All images as one group: the recall of each class, macro-F1, calibration, who is taken for what."""
    by: tuple[ByAttribute, ...]
    """By each demographic attribute, by the clusters, and by both."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two models call the same images the same."""

    first: str
    """Name of a model."""
    second: str
    """Name of another that predicts the same thing."""
    n: int
    """Images that both call something."""
    same: Unit | None
    """Share that they call the same."""
    kappa: Signed | None
    """Cohen's kappa: 0 = as often as by chance, 1 = always."""
    low: Signed | None
    """Lower end of its interval, by unit."""
    high: Signed | None
    """Upper end of it."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class ModelsAudit:
    """What all models of a run predict."""

    models: tuple[ModelAudit, ...]
    """One entry for each."""
    agreements: tuple[Agreement, ...]
    """One entry for each two that predict the same thing."""
    agreed: tuple[ByAttribute, ...]
    """By each demographic attribute: how often all models that predict the same thing call an image the same; empty for one
    model."""

    @property
    def names(self) -> frozenset[str]:
        """The names of the models."""
        return frozenset(each.model for each in self.models)
