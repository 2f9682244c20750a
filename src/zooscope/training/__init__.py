"""Classifiers made to be studied: recipes, training, sweeps, distillation."""
