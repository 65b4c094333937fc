"""Whose hands a project's photos show: subjects, their shapes, and hands that a newer shape would change."""

from annotator.project.subjects.service import Subjects

__all__ = ["Subjects"]
