"""`python -m annotator.cli`, the same as `annotator`: what `torchrun -m` starts."""

import sys

from annotator.cli import main

sys.exit(main())
