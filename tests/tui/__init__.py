"""Tests of the screen: keys are driven, and what stands on the screen is read."""
