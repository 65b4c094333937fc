"""What lies on a disk: paths, lists, archives and pickles that are read with care, and files that appear whole."""
