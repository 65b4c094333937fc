"""What a network learns from: crop sets, feature banks, batches, and what is hidden or spoilt in them."""
