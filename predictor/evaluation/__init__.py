"""Judges forecasts on recorded, labelled runs by one fixed protocol."""
