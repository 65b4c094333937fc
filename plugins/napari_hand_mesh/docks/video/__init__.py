"""The strip of a video below the photo: tracks by frame, and the buttons that go through them."""
