"""The port behind which planes live, and its async twin."""
