"""Every statistic of the report in words, as a formula, and with its source. docs/audit.md says more of each."""

from __future__ import annotations

import re

from fer_audit.report.blocks import Definition


def _read(text: str) -> tuple[Definition, ...]:
    """Return the definitions of a text: `term :: words`, then lines `= formula` and `~ source` where it has them."""
    found = []
    for entry in re.split(r"\n(?=.* :: )", text.strip()):
        lines = entry.split("\n")
        term, _, words = " ".join(x for x in lines if x[0] not in "=~").partition(" :: ")
        formula, source = ("".join(x[2:] for x in lines if x[0] == sign) for sign in "=~")
        found.append(Definition(term, words, formula, source))
    return tuple(found)


DEFINITIONS = _read("""
Share and interval :: The share of a group among annotated images, with the Wilson score interval, which never leaves 0 to 1.
= (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)
~ Wilson 1927, JASA 22
Diversity: R, ENS, 1/D, SEI, NSD, IR, BP :: R counts the groups seen. ENS: as diverse as so many equally large groups. 1/D: the same, with more
weight on large groups. SEI is evenness, 1 = all alike. NSD is imbalance, 0 = none. IR: largest over smallest group. BP: share of the largest.
= ENS = exp(−Σ p ln p);  D = Σ p²;  SEI = H / ln R;  NSD = sd(p) R / √(R−1);  IR = max n / min n;  BP = max p
~ Hill 1973, Ecology 54; Dominguez-Catena et al. 2024, IEEE TPAMI
Of target :: A group's share over the share it should have, with the interval of a ratio; below 0.8 it is under-represented.
= p / q
~ Katz et al. 1978, Biometrics 34; the four-fifths rule
Distance to the target: TV :: The share of images that would have to change group to meet the target: even shares, or a reference's.
= TV = ½ Σ |p − q|
~ Dominguez-Catena et al. 2023, arXiv 2312.14626 (as DS = 1 − TV)
Expected counts and adjusted residual :: What a cell would hold if groups met by chance, and how many standard deviations it is away from that.
= r = (x − m) / √(m (1 − h)),  m = n Π pₐ,  h = the cell's leverage
~ Haberman 1973, Biometrics 29; Agresti 2013
Whipple's index :: How much ages prefer to end in 0 or 5, among 23 to 62.
= 500 · (ages ending in 0 or 5) / (all ages 23 to 62)
~ United Nations, Manual II, 1955
K-Means :: Mini-batch K-Means in the space of the principal coordinates, many starts, the best polished in the full space. Inertia is the sum of
squared distances to the own centre.
= Σᵢ ‖xᵢ − c(i)‖²
~ Lloyd 1982, IEEE TIT 28; Sculley 2010, WWW; Arthur & Vassilvitskii 2007 (k-means++)
Cramér's V and its chance :: How strongly two columns are associated, 0 to 1. Chance: V over random tables with the same margins.
= V = √(χ² / (n min(r−1, c−1)))
~ Cramér 1946; Patefield 1981, Applied Statistics 30 (random tables)
V~ :: V without the part that a finite sample adds. Its interval is a bootstrap over images, clusters fixed, of a table that was first shrunk
until its V is V~.
= φ~² = max(0, χ²/n − (r−1)(c−1)/(n−1));  V~ = √(φ~² / min(r~−1, c~−1));  r~ = r − (r−1)²/(n−1), c~ in the same way
~ Bergsma 2013, Journal of the Korean Statistical Society 42
Permutation p, and its corrections :: How often shuffled labels look as extreme. Holm's correction over the attributes of a run, Benjamini and
Hochberg's over cells, measures and pairs.
= p = (1 + #{T* ≥ T}) / (B + 1)
~ Phipson & Smyth 2010, SAGMB 9; Holm 1979; Benjamini & Hochberg 1995
Known (Theil's U) :: The share of the uncertainty about the attribute that is gone once one knows the cluster, without what chance alone would
remove.
= U = (I(C; A) − E[I]) / H(A)
~ Theil 1970; Vinh, Epps & Bailey 2010, JMLR 11
Lift :: How many times as often a group is found in a cluster as in the whole set. Its interval is that of the logarithm, by the delta method,
cluster and group counted on the same images.
= p(group, cluster) / (p(group) p(cluster))
~ Agresti 2013, section 16.1 (delta method, multinomial sampling)
Kept :: What is left of the association among images that are alike in other columns. Counted information is biased upwards, so its own mean under
shuffling within the strata is subtracted first. Strata that hold one group or one cluster can say nothing; how many images can is printed with
each question.
= kept = (I(C; A | Z) − E*[I(C; A | Z)]) / (I(C; A) − E[I(C; A)])
~ Cover & Thomas 2006; the interval is from the influence function, see docs/audit.md
Style :: Ten measures of each decoded image: brightness (luma) and its spread, saturation, colourfulness, sharpness (variance of the Laplacian),
the border's colour, grey or not, bytes a pixel. A cluster's difference is in standard deviations of the whole set.
~ Hasler & Süsstrunk 2003 (colourfulness)
Rank effect :: How much of the ranks of a style measure lies between groups, 0 to 1, minus its value under chance.
= ε² = (H − k + 1) / (n − k),  H of Kruskal and Wallis
~ Kruskal & Wallis 1952, JASA 47; Kelley 1935
Agreement of partitions: ARI :: 1 = the same partition, 0 = as alike as shuffled labels.
= (RI − E[RI]) / (max RI − E[RI])
~ Hubert & Arabie 1985, Journal of Classification 2
Does a cluster come back? :: The mean Jaccard similarity of a cluster to its most similar one in bootstrap resamples; below .600 it does not.
= |A ∩ B| / |A ∪ B|
~ Hennig 2007, Computational Statistics & Data Analysis 52
Replicated :: One random half is clustered; each image of the other half is assigned to the nearest centre; V~ and p are of that other half. No
half holds copies of the other's images.
Neighbours, straight cut :: Before any clustering: the share of an image's nearest neighbours of its own group; how well a linear classifier
distinguishes two groups on images it has not seen.
= AUC: .5 = not at all, 1 = always
~ Hanley & McNeil 1982 (AUC); Newcombe 2006 (its interval)
Small studies :: Random samples of this set, each clustered and audited again, as a study with fewer images would have done.
Recall and macro-F1 by group :: Of the images of a group and a true class, the share predicted so; of the classes of a group, the mean of the
harmonic mean of recall and precision. A class without an image has neither.
= R = n(y, y) / n(y);  F1 = 2 n(y, y) / (n(y) + n(·, y))
Worst group :: The group furthest below all others, group labels shuffled within the true classes, whole people together; p corrected over all
groups and classes. By chance: the gap that groups of these sizes show when all are treated alike.
= step-down maxT
~ Westfall & Young 1993
Xu's F, intraclass disparity :: F: least over greatest sum of recalls of a group, 1 = fair. Disparity: how far recalls stay below the best
group's, 0 = fair.
= F = min Σ R / max Σ R;  ID = Σ (1 − R / max R) / (G − 1)
~ Xu et al. 2020, ECCV workshops; Dominguez-Catena et al. 2022, arXiv 2205.10049
By class mix, within classes; within clusters :: A group's distance to all others: what other shares of the true classes make of it, and what is
left within them; and the distance within clusters, all weighed together.
= Σ (wₐ − w) (Rₐ + R) / 2 + Σ (Rₐ − R) (wₐ + w) / 2
~ Kitagawa 1955, JASA 50; Mantel & Haenszel 1959
Calibration error :: How far confidence and accuracy are apart, without what bins of few images add by chance.
= √ Σ n_b/n [(conf − acc)² − acc (1 − acc) / (n_b − 1)]
~ Kumar, Liang & Ma 2019, NeurIPS
Kappa :: How far two models call the same images the same: 0 = as often as by chance, 1 = always.
= (p − pₑ) / (1 − pₑ)
~ Cohen 1960; Fleiss, Cohen & Everitt 1969 (its error)
""")

_OF_TWO = _read("""
Common images :: Equal names with equal bytes are matched first, then equal bytes under any name, then equal names with other bytes; each image
once at most.
Agreement of partitions: ARI :: Over the common images with a cluster in both runs: 1 = the same partition, 0 = as alike as shuffled labels. Its
interval is a bootstrap over images, both partitions fixed. p and the 95 % that chance stays under come from random tables with the same margins.
= (RI − E[RI]) / (max RI − E[RI])
~ Hubert & Arabie 1985, Journal of Classification 2; Patefield 1981 (random tables)
Matched clusters :: The pairs, one cluster of each run and each in one pair at most, that hold most images together.
~ Kuhn 1955, Naval Research Logistics Quarterly 2 (the assignment problem)
Difference of shares and its interval :: The second share minus the first. Wilson's two intervals are joined by MOVER; the images of both runs
count as shared, which ties the two shares together.
= d − √((p₂ − l₂)² + (u₁ − p₁)² − 2t (p₂ − l₂)(u₁ − p₁)) to d + √((u₂ − p₂)² + (p₁ − l₁)² − 2t (u₂ − p₂)(p₁ − l₁));  t = shared / √(n₁n₂)
~ Zou & Donner 2008, Statistics in Medicine 27; Newcombe 1998
p of equal shares, and its correction :: All images of both runs are pooled, and it is dealt again at random which are only in the first, only in
the second, and in both. Benjamini and Hochberg's correction over the groups of an attribute. Where common images were relabelled, or both runs
hold the same ones, nothing is tested.
= p = (1 + #{|d*| ≥ |d|}) / (B + 1)
~ Phipson & Smyth 2010, SAGMB 9; Benjamini & Hochberg 1995
""")
_SAME = (
    *("Share and interval", "Cramér's V and its chance", "V~", "Kept"),
    *("Recall and macro-F1 by group", "Xu's F, intraclass disparity"),
)
COMPARISON_DEFINITIONS = (
    *_OF_TWO[:3],
    *(each for each in DEFINITIONS if each.term in _SAME),
    *_OF_TWO[3:],
)
"""The terms that the comparison of two runs uses."""
