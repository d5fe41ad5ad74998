"""Code shared by studies: constants, arms, measurements and drawing; no study reads another's presets."""
