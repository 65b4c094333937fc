"""Networks that no longer learn: as lists of operations, and as OpenVINO graphs."""
