"""What several studies share: constants, arms, measures and drawing; no study reads another one's presets."""
