"""`python -m annotator.learning.real_sets SOURCE OUT`: see `building`."""

from annotator.learning.real_sets.building import main

if __name__ == "__main__":
    main()
