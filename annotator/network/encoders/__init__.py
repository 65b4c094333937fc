"""Encoders: backbones that turn crops into `Features`, behind one small interface (`base`), built by name
(`registry`)."""
