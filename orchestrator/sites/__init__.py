"""Where a sweep can run and how it gets there; how Ray is started or reached there is in cluster/."""
