"""The Inside tab: what surprises the models, and what they remember."""
