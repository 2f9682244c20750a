"""Statistics of numbers: resampling, permutation tests, trends. Nothing here knows of classifiers."""
