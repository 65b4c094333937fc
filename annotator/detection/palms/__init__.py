"""Palms in a photo: bare hands, as MediaPipe's detector knows them."""
