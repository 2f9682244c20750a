"""What the scores say: functions from matrices and predictions to labelled results."""

from zooscope.analyses.cluster_keywords import find_keywords, find_shared_values
from zooscope.analyses.clustering import assign_clusters, find_clusters
from zooscope.analyses.completion import complete_similarity, draw_pairs
from zooscope.analyses.distillation import measure_distillation
from zooscope.analyses.draws import measure_ensembles_by_cluster, measure_ensembles_by_group
from zooscope.analyses.ensembles import measure_pair_ensembles
from zooscope.analyses.importance import measure_component_importance
from zooscope.analyses.kin import find_kinship
from zooscope.analyses.landmarks import choose_landmarks
from zooscope.analyses.mapping import map_classifiers
from zooscope.analyses.placement import compare_directions, place_classifier
from zooscope.analyses.profiles import make_profiles
from zooscope.analyses.reclustering import measure_cluster_stability
from zooscope.analyses.rehearsal import rehearse_completion
from zooscope.analyses.selection import select_ensemble
from zooscope.analyses.similarity_comparison import compare_similarities
from zooscope.analyses.stability import measure_stability
from zooscope.analyses.strategies import compare_strategies
from zooscope.analyses.study_agreement import measure_agreement
from zooscope.analyses.teachers import rank_teachers
from zooscope.analyses.tree import build_tree
from zooscope.statistics.mantel import mantel

__all__ = [
    "assign_clusters",
    "build_tree",
    "choose_landmarks",
    "compare_directions",
    "compare_similarities",
    "compare_strategies",
    "complete_similarity",
    "draw_pairs",
    "find_clusters",
    "find_keywords",
    "find_kinship",
    "find_shared_values",
    "make_profiles",
    "mantel",
    "map_classifiers",
    "measure_agreement",
    "measure_cluster_stability",
    "measure_component_importance",
    "measure_distillation",
    "measure_ensembles_by_cluster",
    "measure_ensembles_by_group",
    "measure_pair_ensembles",
    "measure_stability",
    "place_classifier",
    "rank_teachers",
    "rehearse_completion",
    "select_ensemble",
]
