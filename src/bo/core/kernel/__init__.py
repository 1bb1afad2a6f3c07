"""What every business module stands on. The kernel knows no business."""
