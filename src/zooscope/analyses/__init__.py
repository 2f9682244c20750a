"""What the scores say: functions from matrices and predictions to labelled results."""

from zooscope.analyses.cluster_keywords import keywords
from zooscope.analyses.clustering import clusters
from zooscope.analyses.draws import draws_from_clusters, draws_from_groups
from zooscope.analyses.ensembles import pair_ensembles
from zooscope.analyses.importance import component_importance
from zooscope.analyses.mapping import map_classifiers
from zooscope.analyses.placement import one_sided_against_both, placed
from zooscope.analyses.reclustering import cluster_stability
from zooscope.analyses.selection import select
from zooscope.analyses.stability import stability
from zooscope.analyses.strategies import strategies
from zooscope.analyses.teachers import teachers
from zooscope.statistics.mantel import mantel

__all__ = [
    "cluster_stability",
    "clusters",
    "component_importance",
    "draws_from_clusters",
    "draws_from_groups",
    "keywords",
    "mantel",
    "map_classifiers",
    "one_sided_against_both",
    "pair_ensembles",
    "placed",
    "select",
    "stability",
    "strategies",
    "teachers",
]
