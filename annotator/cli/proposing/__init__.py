"""Commands that make hands of photos, videos, rigs and depth images."""
