"""What commands share: output, progress, engines, the report page."""
