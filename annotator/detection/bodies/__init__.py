"""Bodies in a photo, whose arms lead to hands that no palm gives away: gloved, round a thing, or small."""
