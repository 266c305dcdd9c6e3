"""Archives: what is declared and cached here, in one file that another home can take in."""
