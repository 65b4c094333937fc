"""The side of a crop, px: what every encoder takes. Apart from `crops`, so that it is known without torch."""

CROP_SIZE = 224
