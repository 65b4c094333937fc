"""The hand's outline: what the network says of it in the crop, and a hand whose surface fills it."""
