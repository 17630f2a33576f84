"""Turns recorded metrics into a forecast for each domain, and the forecast into a checkpoint interval."""
