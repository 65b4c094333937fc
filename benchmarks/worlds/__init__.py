"""Rendered hands, videos, rigs and people whose truth is known: what benchmarks measure on."""
