"""Tests of the lint rules: one case a rule, and lint as a whole."""
