"""Under-stores: where the bytes of a dataset come from, behind one port."""
