"""The demo: Hefery watches this machine, learns it, is disturbed, and foresees it."""
