"""Statistics of numbers: intervals, permutation tests, trends. Nothing here knows of classifiers."""
