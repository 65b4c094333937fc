"""What all formats share: the record, the frame of an export, details beside a set, its card."""
