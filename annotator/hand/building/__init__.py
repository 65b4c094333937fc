"""What hand models are built from: facts of anatomy, coarse levels, joint regressors, hands of other proportions."""
